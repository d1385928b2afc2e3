"""Composition in torch."""

G = {"e[i, j]": "2*where(i == j, c[i, j] - 1, lam*c[i, j])/n"}
CLOSED = {
    "a": ("Sum(e[i, j]*b[s, j], j)", G, ["s", "i"]),
    "b": ("Sum(e[i, j]*a[s, i], i)", G, ["s", "j"]),
}
PARAMS = {"lam": 0.3}


def reference(torch, a, b, lam=0.005):
    c = a.T @ b / len(a)
    d = torch.diagonal(c)
    return ((1 - d) ** 2).sum() + lam * ((c**2).sum() - (d**2).sum())
