"""torch's hardswish away from its joints."""

CLOSED = {"x": ("dy[...]*where(x[...] < -3, 0, where(x[...] > 3, 1, (2*x[...] + 3)/6))", {}, ["..."])}


def SAMPLE(rng, x, dims):
    x["x"] = x["x"] * 3


def reference(torch, x):
    return torch.nn.functional.hardswish(x)
