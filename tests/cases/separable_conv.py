"""torch's conv2d, twice."""

DIMS = [
    {"b": 2, "c": 3, "o": 4, "h": 5, "w": 6, "r": 3, "t": 2},
    {"b": 1, "c": 2, "o": 3, "h": 4, "w": 7, "r": 2, "t": 3},
]
MAX_CLOSED = {"x": 60, "D": 60, "P": 50}


def reference(torch, x, D, P):
    z = torch.nn.functional.conv2d(x, D[:, None], groups=len(D))
    return torch.einsum("mk,ikpq->impq", P, z)
