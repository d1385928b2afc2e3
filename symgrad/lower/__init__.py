"""Statements become an array program: maps, reductions, contractions, gathers, windows, scatters over whole arrays."""
