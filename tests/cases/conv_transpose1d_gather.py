"""torch's conv_transpose1d."""

DIMS = [{"b": 2, "c": 3, "l": 4, "o": 2, "r": 3}, {"b": 1, "c": 2, "l": 5, "o": 3, "r": 4}]
PARAMS = {"s": 3}
CLOSED = {
    "x": ("Sum(dy[i, m, p]*k[q, m, p - s*a], m, p)", {}, ["i", "q", "a"]),
    "k": ("Sum(dy[i, m, s*a + u]*x[i, q, a], i, a)", {}, ["q", "m", "u"]),
}
MAX_CLOSED = {"x": 110, "k": 110}


def reference(torch, x, k, s=2):
    return torch.nn.functional.conv_transpose1d(x, k, stride=s)
