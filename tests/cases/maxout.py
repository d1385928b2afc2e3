"""torch's amax."""

MAX_CLOSED = {"x": 150, "W": 150}


def reference(torch, x, W):
    return torch.einsum("oaj,ij->ioa", W, x).amax(2)
