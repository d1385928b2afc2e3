"""torch's logsigmoid."""

CLOSED = {"s": ("Sum(c[j, i]*sigmoid(s[i] - s[j]) - c[i, j]*sigmoid(s[j] - s[i]), j)", {})}
EXTREME = {"s": [50]}


def reference(torch, s, c):
    return -(c * torch.nn.functional.logsigmoid(s[:, None] - s[None])).sum()
