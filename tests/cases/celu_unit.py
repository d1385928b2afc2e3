"""torch's celu; at 0 both halves share, and the sum is 1."""

CLOSED = {"x": ("dy[...]*where(x[...] > 0, 1, exp(x[...]/a))", {}, ["..."])}
PARAMS = {"a": 0.5}


def KINK(x):
    x["x"].flat[0] = 0.0


def reference(torch, x, a=1.5):
    return torch.nn.functional.celu(x, a)
