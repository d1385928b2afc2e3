"""torch's mish."""

CLOSED = {"x": ("dy[...]*(w[...] + x[...]*sigmoid(x[...])*(1 - w[...]**2))", {}, ["..."])}
EXTREME = {"x": [30]}


def reference(torch, x):
    return torch.nn.functional.mish(x)
