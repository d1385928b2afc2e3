"""Composition with torch's softmax."""

CLOSED = {
    "x": (
        "P[i, k, p, q]*(du[i, k]*(p/h - u[i, k]) + dv[i, k]*(q/w - v[i, k]))",
        {},
        ["i", "k", "p", "q"],
    )
}

EXTREME = {"x": [10, 100]}


def reference(torch, x):
    h, w = x.shape[2:]
    P = torch.softmax(x.flatten(2), -1).reshape(x.shape)
    p, q = torch.arange(h, dtype=x.dtype), torch.arange(w, dtype=x.dtype)
    return (P.sum(3) * p).sum(2) / h, (P.sum(2) * q).sum(2) / w
