"""Fisher's criterion."""


def reference(torch, W, Sw, Sb):
    return -torch.trace(torch.linalg.solve(W.T @ Sw @ W, W.T @ Sb @ W))
