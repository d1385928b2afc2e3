"""Judges of generated kernels, independent of how they were derived and emitted."""
