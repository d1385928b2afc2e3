"""Composition in torch."""

CLOSED = {"x": ("c*r[...]/((1 + r[...]**2)*Sum(1, ...))", {}, ["..."])}
PARAMS = {"c": 0.7}
EXTREME = {"x": [1e3]}


def reference(torch, x, t, c=2.0):
    return (c**2 / 2 * torch.log1p(((x - t) / c) ** 2)).mean()
