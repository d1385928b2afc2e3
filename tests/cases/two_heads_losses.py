"""A used loss gives its values for each sample, which are weighted and added before the mean is taken."""

PARAMS = {"alpha": 0.3}
MAX_CLOSED = dict.fromkeys(("W", "b", "C", "e", "R", "f"), 420)


def reference(torch, x, W, b, C, e, R, f, t, y, alpha=0.7):
    F = torch.nn.functional
    r = F.silu(F.linear(x, W, b))
    fit = torch.log1p(((F.linear(r, R, f) - y) ** 2).sum(-1) / 0.25)
    return (alpha * F.cross_entropy(F.linear(r, C, e), t, reduction="none") + (1 - alpha) * fit).mean()
