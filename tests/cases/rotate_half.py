"""Composition, as in GPT-NeoX."""

DIMS = [{"t": 3, "m": 4}, {"t": 5, "m": 2}]
MAX_CLOSED = {"x": 120}


def reference(torch, x, w):
    a = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * torch.cat([w, w])
    m = len(w)
    return x * a.cos() + torch.cat([-x[..., m:], x[..., :m]], -1) * a.sin()
