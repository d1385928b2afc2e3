"""Composition in torch."""

CLOSED = {"x": ("p[i, j, k]*(1 - p[i, j, k])*(num[i] - 2*t[i, j, k]*den[i])/(n*den[i]**2)", {})}
PARAMS = {"s": 0.1}
EXTREME = {"x": [10]}


def reference(torch, x, t, s=1.0):
    p = torch.sigmoid(x)
    return (1 - (2 * (p * t).sum((1, 2)) + s) / (p.sum((1, 2)) + t.sum((1, 2)) + s)).mean()
