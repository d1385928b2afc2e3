"""Shared weights: both calls add to their gradients."""

MAX_CLOSED = {"u": 600, "v": 600, "W": 900, "V": 700}


def reference(torch, u, v, W, V, t, margin=1.5):
    def embed(x):
        z = torch.tanh(x @ W.T) @ V.T
        return z / torch.sqrt((z**2).sum(-1, keepdim=True) + 0.01)

    g = ((embed(u) - embed(v)) ** 2).sum(-1)
    return (t * g + (1 - t) * torch.relu(margin - g)).mean()
