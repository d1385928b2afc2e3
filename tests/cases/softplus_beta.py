"""torch's softplus without its threshold."""

CLOSED = {"x": ("dy[...]*sigmoid(beta*x[...])", {}, ["..."])}
PARAMS = {"beta": 0.3}
EXTREME = {"x": [1e4]}


def reference(torch, x, beta=2.0):
    return torch.logaddexp(torch.zeros_like(x), beta * x) / beta
