"""Composition in torch."""

CLOSED = {
    "x": ("dy[i]*(w[j] + Sum(V[j, f]*(s[i, f] - V[j, f]*x[i, j]), f))", {}),
    "V": ("Sum(dy[i]*x[i, j]*(s[i, f] - V[j, f]*x[i, j]), i)", {}, ["j", "f"]),
    "w": ("Sum(dy[i]*x[i, j], i)", {}, ["j"]),
    "b": ("Sum(dy[i], i)", {}, []),
}


def reference(torch, x, V, w, b):
    return b + x @ w + ((x @ V) ** 2 - x**2 @ V**2).sum(1) / 2
