"""torch's logsigmoid."""

CLOSED = {"w": ("-beta*sigmoid(-h[i])/n", {}), "l": ("beta*sigmoid(-h[i])/n", {})}
PARAMS = {"beta": 2.0}
EXTREME = {"w": [1e3]}


def reference(torch, w, l, rw, rl, beta=0.1):
    return -torch.nn.functional.logsigmoid(beta * ((w - rw) - (l - rl))).mean()
