"""torch.distributions.kl_divergence."""

CLOSED = {"mu": ("mu[i, j]/n", {}), "s": ("(exp(s[i, j]) - 1)/(2*n)", {})}


def reference(torch, mu, s):
    d = torch.distributions
    one = d.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return d.kl_divergence(d.Normal(mu, torch.exp(s / 2)), one).sum(1).mean()
