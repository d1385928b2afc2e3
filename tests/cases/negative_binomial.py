"""torch.distributions.NegativeBinomial."""

CLOSED = {
    "r": ("(digamma(r[i]) - digamma(k[i] + r[i]) - log(1 - p[i]))/n", {}),
    "z": ("(r[i]*p[i] - k[i]*(1 - p[i]))/n", {}),
}
EXTREME = {"z": [100]}


def SAMPLE(rng, x, dims):
    x["k"] = rng.integers(0, 6, x["k"].shape).astype(float)


def reference(torch, r, z, k):
    return -torch.distributions.NegativeBinomial(r, logits=z).log_prob(k).mean()
