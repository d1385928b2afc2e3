"""Centered Gram matrices."""

CLOSED = {
    "x": ("2*Sum(L[i, j]*a[j, k], j)/(n - 1)**2", {}, ["i", "k"]),
    "y": ("2*Sum(K[i, j]*b[j, l], j)/(n - 1)**2", {}, ["i", "l"]),
}


def reference(torch, x, y):
    a, b = x - x.mean(0), y - y.mean(0)
    return torch.trace(a @ a.T @ b @ b.T) / (len(x) - 1) ** 2
