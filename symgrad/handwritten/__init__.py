"""Gradients that people wrote: called in a process of their own, judged, and what is wrong with them."""
