"""torch's binary_cross_entropy_with_logits and a penalty."""

CLOSED = {"w": ("Sum((p[i] - t[i])*X[i, k], i)/n + lam*w[k]", {}, ["k"]), "b": ("Sum(p[i] - t[i], i)/n", {})}
PARAMS = {"lam": 2.0}
EXTREME = {"X": [30]}


def reference(torch, w, b, X, t, lam=0.1):
    return torch.nn.functional.binary_cross_entropy_with_logits(X @ w + b, t) + lam / 2 * (w**2).sum()
