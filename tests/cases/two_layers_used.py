"""The domain of t is that of the used loss; without it the factor Sum(t) would stay."""

INNER = {"p[i, j]": "softmax(Sum(r[i, l]*W[j, l], l) + b[j], j)"}
CLOSED = {
    "b": ("Sum(p[i, j] - t[i, j], i)/n", INNER, ["j"]),
    "W": ("Sum((p[i, j] - t[i, j])*r[i, k], i)/n", INNER, ["j", "k"]),
    "a": ("Sum(where(v[i, k] > 0, Sum((p[i, j] - t[i, j])*W[j, k], j), 0), i)/n", INNER, ["k"]),
    "U": ("Sum(where(v[i, k] > 0, Sum((p[i, j] - t[i, j])*W[j, k], j), 0)*x[i, q], i)/n", INNER, ["k", "q"]),
    "x": ("Sum(where(v[i, k] > 0, Sum((p[i, j] - t[i, j])*W[j, k], j), 0)*U[k, q], k)/n", INNER, ["i", "q"]),
}


def reference(torch, x, U, a, W, b, t):
    F = torch.nn.functional
    return F.cross_entropy(F.linear(torch.relu(F.linear(x, U, a)), W, b), t)
