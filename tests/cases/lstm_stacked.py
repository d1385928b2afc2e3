"""torch's lstm_cell."""

MAX_CLOSED = {"c": 110}


def reference(torch, x, h, c, W, U, k):
    h1, c1 = torch.lstm_cell(x, (h, c), W, U, k, torch.zeros_like(k))
    return c1, h1
