"""torch's cross_entropy of the similarities."""

CLOSED = {
    "q": ("(Sum(p[i, j]*k[j, a], j) - k[i, a])/(n*tau)", {}, ["i", "a"]),
    "k": ("(Sum(p[i, j]*q[i, a], i) - q[j, a])/(n*tau)", {}, ["j", "a"]),
}
PARAMS = {"tau": 0.07}
EXTREME = {"q": [30]}


def reference(torch, q, k, tau=0.5):
    return torch.nn.functional.cross_entropy(q @ k.T / tau, torch.arange(len(q)))
