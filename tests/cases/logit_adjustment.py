"""Menon et al. 2021, Long-tail learning via logit adjustment, eq. 10: torch's cross_entropy of z + tau*log(p)."""

S = "softmax(z[i, k] + tau*log(p[k]), k)"
CLOSED = {
    "z": (f"({S} - where(k == t[i], 1, 0))/n", {}, ["i", "k"]),
    "p": (f"tau*(Sum({S}, i) - Sum(where(k == t[i], 1, 0), i))/(n*p[k])", {}, ["k"]),
}


def reference(torch, z, p, t, tau):
    return torch.nn.functional.cross_entropy(z + tau * torch.log(p), t)
