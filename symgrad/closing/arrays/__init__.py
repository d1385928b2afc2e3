"""Closed forms in array notation, proven by reading them back."""
