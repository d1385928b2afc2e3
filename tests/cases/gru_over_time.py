"""torch.nn.GRU's loop."""


def reference(torch, x, h0, W, U, b, e):
    weights = [W.flatten(0, 1), U.flatten(0, 1), b.flatten(), e.flatten()]
    return torch.gru(x, h0[None], weights, True, 1, 0.0, False, False, False)[0]
