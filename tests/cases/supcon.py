"""Composition with log_softmax off the diagonal."""

P = "exp(s[{0}, {1}] - logsumexp(where({0} == k, -oo, s[{0}, k]), k))"
CLOSED = {
    "z": (
        "Sum(z[j, a]*(p[i, j] + p[j, i] - m[i, j]/Sum(m[i, k], k) - m[j, i]/Sum(m[j, k], k)), j)/(tau*n)",
        {"p[i, j]": "where(i == j, 0, " + P.format("i", "j") + ")"},
        ["i", "a"],
    )
}
PARAMS = {"tau": 0.5}


def SAMPLE(rng, x, dims):
    n = len(x["m"])
    x["m"] = (rng.random((n, n)) < 0.5).astype(float)
    x["m"][range(n), [(i + 1) % n for i in range(n)]] = 1.0
    x["m"][range(n), range(n)] = 0.0


def reference(torch, z, m, tau=0.1):
    s = z @ z.T / tau
    log = s - torch.logsumexp(s.masked_fill(torch.eye(len(s), dtype=torch.bool), -torch.inf), 1, keepdim=True)
    return (-(m * log).sum(1) / m.sum(1)).mean()
