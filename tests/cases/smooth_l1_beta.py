"""torch's smooth_l1_loss."""

CLOSED = {"u": ("clip(r[...]/beta, -1, 1)/Sum(1, ...)", {}, ["..."])}
PARAMS = {"beta": 0.4}
EXTREME = {"u": [1e4]}


def KINK(x):
    x["u"].flat[0] = x["v"].flat[0]


def reference(torch, u, v, beta=1.0):
    return torch.nn.functional.smooth_l1_loss(u, v, beta=beta)
