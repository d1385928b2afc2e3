"""torch's avg_pool2d."""

DIMS = [{"b": 2, "c": 2, "h": 4, "w": 7}, {"b": 1, "c": 3, "h": 7, "w": 6}]
PARAMS = {"k": 3}
MAX_CLOSED = {"x": 150}


def reference(torch, x, k=2):
    return torch.nn.functional.avg_pool2d(x, k)
