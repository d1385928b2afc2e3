"""Composition in torch."""

CLOSED = {"a": ("where(Abs(r[i]) <= c, r[i]*(1 - (r[i]/c)**2)**2, 0)/n", {})}
PARAMS = {"c": 0.8}


def reference(torch, a, b, c=4.685):
    r = a - b
    inside = c**2 / 6 * (1 - (1 - (r / c) ** 2) ** 3)
    return torch.where(r.abs() <= c, inside, torch.full_like(r, c**2 / 6)).mean()
