"""torch's margin_ranking_loss."""

CLOSED = {
    "a": ("-where(m > y[i]*(a[i] - b[i]), y[i], 0)/n", {}),
    "b": ("where(m > y[i]*(a[i] - b[i]), y[i], 0)/n", {}),
}


def reference(torch, a, b, y, m=0.2):
    return torch.nn.functional.margin_ranking_loss(a, b, y, margin=m)
