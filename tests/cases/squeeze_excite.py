"""Composition in torch."""

MAX_CLOSED = {"B": 130}


def reference(torch, x, A, B):
    g = torch.sigmoid(torch.relu(x.mean((2, 3)) @ A.T) @ B.T)
    return g[:, :, None, None] * x
