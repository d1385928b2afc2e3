"""Composition with repeat_interleave."""

DIMS = [{"b": 2, "h": 2, "t": 3, "e": 4}, {"b": 1, "h": 3, "t": 2, "e": 2}]
PARAMS = {"g": 3}
MAX_CLOSED = {"q": 80, "k": 110}


def reference(torch, q, k, g=2):
    return q @ k.repeat_interleave(g, dim=1).mT
