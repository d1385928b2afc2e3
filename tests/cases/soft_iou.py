"""Composition with sigmoid."""

CLOSED = {"x": ("p[i, j]*(1 - p[i, j])*((1 - t[i, j])*a[i]/b[i] - t[i, j])/(n*b[i])", {})}
EXTREME = {"x": [30]}


def reference(torch, x, t):
    p = torch.sigmoid(x)
    return (1 - (p * t).sum(1) / (p + t - p * t).sum(1)).mean()
