"""torch's cross_entropy and kl_div."""

CLOSED = {
    "z": (
        "(p[i, j]*(1 + beta*(log(p[i, j]/q[i, j]) - Sum(p[i, k]*log(p[i, k]/q[i, k]), k))) - where(j == t[i], 1, 0))/n",
        {},
        ["i", "j"],
    ),
    "w": ("beta*(q[i, j] - p[i, j])/n", {}),
}
PARAMS = {"beta": 2.0}
EXTREME = {"z": [30], "w": [30]}


def reference(torch, z, w, t, beta=6.0):
    f = torch.nn.functional
    divergence = f.kl_div(f.log_softmax(w, 1), f.log_softmax(z, 1), reduction="none", log_target=True).sum(1)
    return f.cross_entropy(z, t) + beta * divergence.mean()
