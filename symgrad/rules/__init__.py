"""Rule families as data."""
