"""Composition in torch."""

CLOSED = {"x": ("(x[k, p, q] - t[k, p, q])/(b*h*w*sqrt((x[k, p, q] - t[k, p, q])**2 + eps**2))", {}, ["k", "p", "q"])}
PARAMS = {"eps": 0.3}
EXTREME = {"x": [1e3]}


def reference(torch, x, t, eps=0.001):
    return torch.sqrt((x - t) ** 2 + eps**2).mean()
