"""torch.distributions' MultivariateNormal, by its formula: it would symmetrize S."""

CLOSED = {
    "mu": ("-Sum((inv(S)[j, k] + inv(S)[k, j])*r[i, k], i, k)/(2*b)", {"r[i, j]": "x[i, j] - mu[j]"}, "[j]"),
    "S": (
        "(inv(S)[q, p] - Sum(inv(S)[q, l]*r[i, l]*r[i, k]*inv(S)[k, p], i, k, l)/b)/2",
        {"r[i, j]": "x[i, j] - mu[j]"},
        "[p, q]",
    ),
}


def reference(torch, x, mu, S):
    r = x - mu
    quadratic = (r * torch.linalg.solve(S, r.T).T).sum(-1)
    return ((torch.logdet(S) + quadratic + x.shape[-1] * 1.8378770664093453) / 2).mean()
