"""Composition in torch."""

G = {"g[..., q]": "alpha/r*Sum(B[o, q]*dy[..., o], o)"}
CLOSED = {
    "x": ("Sum(W[o, k]*dy[..., o], o) + Sum(A[q, k]*g[..., q], q)", G, ["...", "k"]),
    "A": ("Sum(g[..., q]*x[..., k], ...)", G, ["q", "k"]),
    "B": ("alpha/r*Sum(dy[..., o]*u[..., q], ...)", {}, ["o", "q"]),
}
PARAMS = {"alpha": 0.5}


def reference(torch, x, W, A, B, alpha=2.0):
    return x @ W.T + alpha / len(A) * (x @ A.T) @ B.T
