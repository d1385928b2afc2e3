"""torch's gru_cell."""

MAX_CLOSED = {"Wz": 100, "Wn": 120, "Un": 130}


def reference(torch, x, h, Wr, Ur, Wz, Uz, Wn, Un):
    zero = torch.zeros(3 * h.shape[1], dtype=x.dtype)
    return torch.gru_cell(x, h, torch.cat([Wr, Wz, Wn]), torch.cat([Ur, Uz, Un]), zero, zero)
