"""Array programs become readable Python source for NumPy and torch."""
