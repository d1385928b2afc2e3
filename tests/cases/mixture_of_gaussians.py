"""torch.distributions.MixtureSameFamily over the last axis; the scales are inputs, not their logarithms."""

R = "softmax(w[a] - d*log(s[a]) - Sum((x[i, j] - m[a, j])**2, j)/(2*s[a]**2), a)"
CLOSED = {
    "w": (f"softmax(w[a], a) - Sum({R}, i)/n", {}, ["a"]),
    "m": (f"Sum({R.replace('j', 'l')}*(m[a, j] - x[i, j]), i)/(n*s[a]**2)", {}, ["a", "j"]),
    "s": (f"Sum({R}*(d - Sum((x[i, l] - m[a, l])**2, l)/s[a]**2), i)/(n*s[a])", {}, ["a"]),
}
EXTREME = {"x": [30]}


def reference(torch, w, m, s, x):
    d = torch.distributions
    parts = d.Independent(d.Normal(m, s[:, None].expand_as(m), validate_args=False), 1)
    return -d.MixtureSameFamily(d.Categorical(logits=w), parts).log_prob(x).mean()
