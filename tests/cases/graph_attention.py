"""Composition in torch."""

DIMS = [{"n": 6}, {"n": 7}]
MAX_CLOSED = {"a": 300}


def reference(torch, x, W, a, c, edge, slope=0.2):
    h = x @ W.T
    e = torch.nn.functional.leaky_relu((h @ a)[:, None] + (h @ c)[None], slope)
    mask = edge | torch.eye(len(x), dtype=torch.bool)
    return torch.where(mask, e, -torch.inf).softmax(1) @ h
