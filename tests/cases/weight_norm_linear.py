"""Composition in torch."""

E = {"E[o, k]": "Sum(dy[..., o]*x[..., k], ...)"}
CLOSED = {
    "x": ("Sum(dy[..., o]*W[o, k], o)", {}, ["...", "k"]),
    "g": ("Sum(dy[..., o]*y[..., o], ...)/g[o]", {}, ["o"]),
    "V": ("(g[o]*E[o, k] - W[o, k]*Sum(E[o, j]*V[o, j], j)/r[o])/r[o]", E, ["o", "k"]),
}


def reference(torch, x, V, g):
    return x @ (g[:, None] * V / torch.linalg.vector_norm(V, dim=1, keepdim=True)).T
