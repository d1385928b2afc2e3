"""torch's normalize."""

CLOSED = {"x": ("(dy[..., k] - y[..., k]*Sum(y[..., j]*dy[..., j], j))/norm(x[..., j], j)", {}, ["...", "k"])}
EXTREME = {"x": [1e10, 1e-10]}


def reference(torch, x):
    return torch.nn.functional.normalize(x, dim=-1, eps=0)
