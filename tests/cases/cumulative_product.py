"""torch.cumprod."""


def reference(torch, x):
    return torch.cumprod(x, 0)
