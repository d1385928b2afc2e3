"""Choosing forms: folding to names, factoring, closed forms."""
