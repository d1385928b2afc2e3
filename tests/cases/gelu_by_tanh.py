"""torch's gelu with approximate='tanh'."""

CLOSED = {"x": ("dy[...]*(1 + t[...] + x[...]*(1 - t[...]**2)*sqrt(2/pi)*(1 + 0.134145*x[...]**2))/2", {}, ["..."])}
EXTREME = {"x": [10]}


def reference(torch, x):
    return torch.nn.functional.gelu(x, approximate="tanh")
