"""torch.nn.LSTM's loop."""


def reference(torch, x, h0, c0, W, U, b):
    weights = [W.flatten(0, 1), U.flatten(0, 1), b.flatten(), torch.zeros_like(b.flatten())]
    return torch.lstm(x, (h0[None], c0[None]), weights, True, 1, 0.0, False, False, False)[0]
