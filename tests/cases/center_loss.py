"""Composition with indexing."""

CLOSED = {
    "x": ("(x[i, j] - c[t[i], j])/n", {}),
    "c": ("Sum(where(t[i] == m_, c[m_, k] - x[i, k], 0), i)/n".replace("m_", "q"), {}, ["q", "k"]),
}


def reference(torch, x, c, t):
    return ((x - c[t]) ** 2).sum(1).mean() / 2
