"""torch.distributions.MixtureSameFamily."""

CLOSED = {
    "a": ("(softmax(a[i, j], j) - r[i, j])/n", {}),
    "mu": ("-r[i, j]*e[i, j]*exp(-s[i, j])/n", {}),
    "s": ("r[i, j]*(1 - e[i, j]**2)/n", {}),
}
EXTREME = {"a": [30]}


def reference(torch, a, mu, s, x):
    d = torch.distributions
    m = d.MixtureSameFamily(d.Categorical(logits=a), d.Normal(mu, s.exp(), validate_args=False))
    return -m.log_prob(x).mean()
