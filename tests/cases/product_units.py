"""torch's prod."""

MAX_CLOSED = {"p": 110, "w": 120}


def reference(torch, p, w):
    return 1 - (1 - w * p).prod(1)
