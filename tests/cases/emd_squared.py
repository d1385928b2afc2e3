"""Composition of cumsum."""

G = {"g[i, j]": "2*Sum(where(j <= k, F[i, k], 0), k)/n"}
CLOSED = {"z": ("y[i, j]*(g[i, j] - Sum(y[i, l]*g[i, l], l))", G)}


def reference(torch, z, t):
    return ((torch.softmax(z, 1) - t).cumsum(1) ** 2).sum(1).mean()
