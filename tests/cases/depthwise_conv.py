"""torch's conv2d with groups."""

DIMS = [{"b": 2, "c": 3, "h": 6, "w": 5, "r": 3, "t": 2}, {"b": 1, "c": 2, "h": 4, "w": 7, "r": 2, "t": 3}]
PARAMS = {"pad": 0}
CLOSED = {"k": ("Sum(dy[i, m, p, q]*x[i, m, p + u - pad, q + v - pad], i, p, q)", {}, ["m", "u", "v"])}
MAX_CLOSED = {"x": 160, "k": 110}


def reference(torch, x, k, pad=1):
    return torch.nn.functional.conv2d(x, k[:, None], padding=pad, groups=len(k))
