"""Reverse and forward mode over statements, and the passes before them."""
