"""The extents of what a used convolution gives stand in no definition: the printed form has the call."""

DIMS = [
    {"b": 2, "ci": 2, "co": 3, "h": 3, "w": 4, "m": 2},
    {"b": 3, "ci": 1, "co": 2, "h": 5, "w": 2, "m": 4},
]
MAX_CLOSED = {"K": 220, "k": 160, "W": 60, "c": 30}


def reference(torch, x, K, k, W, c):
    F = torch.nn.functional
    return F.linear(torch.relu(F.conv2d(x, K, k, padding=1)).flatten(1), W, c)
