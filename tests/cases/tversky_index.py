"""Composition in torch."""

CLOSED = {"p": ("((tp[i] + s)*(t[i, j] + alpha*(1 - t[i, j]) - beta*t[i, j]) - t[i, j]*d[i])/(n*d[i]**2)", {})}
PARAMS = {"alpha": 0.6, "beta": 0.2, "s": 0.5}


def reference(torch, p, t, alpha=0.3, beta=0.7, s=1.0):
    tp, fp, fn = (p * t).sum(1), (p * (1 - t)).sum(1), ((1 - p) * t).sum(1)
    return (1 - (tp + s) / (tp + alpha * fp + beta * fn + s)).mean()
