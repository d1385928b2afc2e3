"""Normal distribution of torch."""

CLOSED = {
    "m": ("(1 - 2*normal_cdf(z[i]))/n", {}),
    "s": ("(2*exp(-z[i]**2/2)/sqrt(2*pi) - 1/sqrt(pi))/n", {}),
}


def reference(torch, m, s, t):
    z = (t - m) / s
    d = torch.distributions.Normal(torch.zeros((), dtype=z.dtype), 1.0)
    return (s * (z * (2 * d.cdf(z) - 1) + 2 * torch.exp(d.log_prob(z)) - torch.pi**-0.5)).mean()
