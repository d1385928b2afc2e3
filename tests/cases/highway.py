"""Composition."""

MAX_CLOSED = {"x": 130, "W": 60, "U": 75, "b": 50, "e": 60}


def reference(torch, x, W, b, U, e):
    h, t = torch.tanh(x @ W.T + b), torch.sigmoid(x @ U.T + e)
    return t * h + (1 - t) * x
