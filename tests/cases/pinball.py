"""Composition with torch.maximum."""

CLOSED = {"x": ("(where(t[i] < x[i], 1, 0) - q)/n", {})}
PARAMS = {"q": 0.25}


def KINK(x):
    x["x"][0] = x["t"][0]


def reference(torch, x, t, q=0.9):
    return torch.maximum(q * (t - x), (q - 1) * (t - x)).mean()
