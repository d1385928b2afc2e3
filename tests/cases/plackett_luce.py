"""torch's logcumsumexp from the back."""

CLOSED = {"s": ("(Sum(where(k <= j, exp(s[i, j] - l[i, k]), 0), k) - 1)/n", {})}
EXTREME = {"s": [10, 200]}


def reference(torch, s):
    return (torch.logcumsumexp(s.flip(1), 1).flip(1) - s).sum(1).mean()
