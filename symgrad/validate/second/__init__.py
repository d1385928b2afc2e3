"""The judges of the second order."""
