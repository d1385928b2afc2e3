"""torch's cross_entropy with weight and ignore_index."""

CLOSED = {"logits": ("keep[i]*w[t[i]]*(y[i, j] - where(j == t[i], 1, 0))/total", {})}
EXTREME = {"logits": [10, 1000]}


def reference(torch, logits, t, w, keep):
    t = torch.where(keep > 0, t, torch.full_like(t, -100))
    return torch.nn.functional.cross_entropy(logits, t, weight=w)
