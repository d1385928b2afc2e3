"""Composition with torch.minimum and clamp; ties of both branches share."""

MAX_CLOSED = {"lp": 170}
PARAMS = {"eps": 0.4}


def reference(torch, lp, old, adv, eps=0.2):
    r = torch.exp(lp - old)
    return -torch.minimum(r * adv, torch.clamp(r, 1 - eps, 1 + eps) * adv).mean()
