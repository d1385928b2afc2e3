"""torch's lstm_cell, twice a step."""

MAX_CLOSED = dict.fromkeys(("x", "h0", "c0", "W1", "U1", "k1", "W2", "U2", "k2"), 5000)


def reference(torch, x, h0, c0, W1, U1, k1, W2, U2, k2):
    (ha, hb), (ca, cb) = h0, c0
    for step in x:
        ha, ca = torch.lstm_cell(step, (ha, ca), W1, U1, k1, torch.zeros_like(k1))
        hb, cb = torch.lstm_cell(ha, (hb, cb), W2, U2, k2, torch.zeros_like(k2))
    return hb, cb
