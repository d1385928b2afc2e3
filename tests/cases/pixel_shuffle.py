"""torch's pixel_shuffle."""

DIMS = [{"b": 2, "c": 2, "h": 2, "w": 3}, {"b": 1, "c": 2, "h": 3, "w": 2}]
PARAMS = {"r": 3}
MAX_CLOSED = {"x": 150}


def reference(torch, x, r=2):
    return torch.nn.functional.pixel_shuffle(x, r)
