"""Composition in torch."""

CLOSED = {
    "P": ("Sum(e[u, i]*Q[i, k], i) + lam*P[u, k]", {}, ["u", "k"]),
    "Q": ("Sum(e[u, i]*P[u, k], u) + lam*Q[i, k]", {}, ["i", "k"]),
    "bu": ("Sum(e[u, i], i)", {}, ["u"]),
    "bi": ("Sum(e[u, i], u)", {}, ["i"]),
}
PARAMS = {"lam": 0.7}


def reference(torch, P, Q, bu, bi, R, seen, lam=0.1):
    e = seen * (P @ Q.T + bu[:, None] + bi - R)
    return (e**2).sum() / 2 + lam / 2 * ((P**2).sum() + (Q**2).sum())
