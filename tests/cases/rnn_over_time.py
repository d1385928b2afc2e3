"""torch.nn.RNN's loop."""


def reference(torch, x, W, U, b):
    zero = torch.zeros(1, x.shape[1], W.shape[0], dtype=x.dtype)
    weights = [W, U, b, torch.zeros_like(b)]
    return torch.rnn_tanh(x, zero, weights, True, 1, 0.0, False, False, False)[1][0]
