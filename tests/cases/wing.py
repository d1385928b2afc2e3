"""Composition in torch."""

CLOSED = {"x": ("where(Abs(r[i, j]) < w, w/(eps + Abs(r[i, j])), 1)*sign(r[i, j])/n", {})}
PARAMS = {"w": 0.6, "eps": 1.5}


def KINK(x):
    x["x"][0, 0] = x["t"][0, 0]


def reference(torch, x, t, w=1.0, eps=0.5):
    import math

    r = (x - t).abs()
    c = w - w * math.log(1 + w / eps)
    return torch.where(r < w, w * torch.log(1 + r / eps), r - c).sum(1).mean()
