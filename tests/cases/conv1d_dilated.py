"""torch's conv1d."""

DIMS = [{"b": 2, "c": 3, "l": 9, "o": 4, "r": 3}, {"b": 3, "c": 2, "l": 11, "o": 2, "r": 4}]
PARAMS = {"s": 2, "pad": 3, "dil": 2}
CLOSED = {
    "k": ("Sum(dy[i, m, p]*x[i, q, s*p + dil*u - pad], i, p)", {}, ["m", "q", "u"]),
    "bias": ("Sum(dy[i, m, p], i, p)", {}, ["m"]),
}
MAX_CLOSED = {"x": 160, "k": 100, "bias": 50}


def reference(torch, x, k, bias, s=1, pad=0, dil=1):
    return torch.nn.functional.conv1d(x, k, bias, s, pad, dil)
