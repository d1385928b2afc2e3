"""torch's softsign."""

CLOSED = {"x": ("dy[...]/(1 + Abs(x[...]))**2", {}, ["..."])}


def KINK(x):
    x["x"].flat[0] = 0.0


def reference(torch, x):
    return torch.nn.functional.softsign(x)
