"""torch's gelu."""

CLOSED = {"x": ("dy[...]*((1 + erf(x[...]/sqrt(2)))/2 + x[...]*exp(-x[...]**2/2)/sqrt(2*pi))", {}, ["..."])}
EXTREME = {"x": [3, 100]}


def reference(torch, x):
    return torch.nn.functional.gelu(x)
