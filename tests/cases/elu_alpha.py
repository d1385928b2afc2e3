"""torch's elu."""

CLOSED = {"x": ("dy[...]*where(x[...] > 0, 1, alpha*exp(x[...]))", {}, ["..."])}
PARAMS = {"alpha": 1.7}
EXTREME = {"x": [100]}


def KINK(x):
    x["x"].flat[0] = 0.0


def reference(torch, x, alpha=1.0):
    return torch.nn.functional.elu(x, alpha)
