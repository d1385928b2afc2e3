"""torch.distributions.Poisson."""

CLOSED = {"rate": ("(1 - k[i]/rate[i])/n", {})}


def SAMPLE(rng, x, dims):
    x["k"] = rng.integers(0, 6, x["k"].shape).astype(float)


def reference(torch, rate, k):
    return -torch.distributions.Poisson(rate).log_prob(k).mean()
