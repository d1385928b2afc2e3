"""torch's cdist."""

K = "exp(-Sum((%s[%s, l] - %s[%s, l])**2, l)/(2*h**2))"
CLOSED = {
    "x": (
        (
            f"2*(Sum({K % ('x', 'i', 'x', 'j')}*(x[j, k] - x[i, k]), j)/n"
            f" - Sum({K % ('x', 'i', 'y', 'q')}*(y[q, k] - x[i, k]), q)/m)/(n*h**2)"
        ),
        {},
        ["i", "k"],
    ),
    "y": (
        (
            f"2*(Sum({K % ('y', 'i', 'y', 'q')}*(y[q, k] - y[i, k]), q)/m"
            f" - Sum({K % ('x', 'j', 'y', 'i')}*(x[j, k] - y[i, k]), j)/n)/(m*h**2)"
        ),
        {},
        ["i", "k"],
    ),
}
PARAMS = {"h": 0.7}


def reference(torch, x, y, h=1.0):
    def k(a, b):
        return torch.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * h**2)).mean()

    return k(x, x) + k(y, y) - 2 * k(x, y)
