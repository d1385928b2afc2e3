"""Composition with torch.minimum and clamp, and the divergence from the reference policy."""

MAX_CLOSED = {"l": 240}
PARAMS = {"eps": 0.4, "beta": 0.1}


def reference(torch, l, o, ref, A, eps=0.2, beta=0.04):
    r = torch.exp(l - o)
    a = A[:, None]
    k = torch.exp(ref - l) - (ref - l) - 1
    return -(torch.minimum(r * a, torch.clamp(r, 1 - eps, 1 + eps) * a) - beta * k).mean(1).mean()
