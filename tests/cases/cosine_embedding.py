"""torch's cosine_embedding_loss."""

G = "((1 - y[i])*where(s[i] > m, 1, 0) - y[i])"
CLOSED = {
    "a": (G + "*(b[i, j]/nb[i] - s[i]*a[i, j]/na[i])/(n*na[i])", {}),
    "b": (G + "*(a[i, j]/na[i] - s[i]*b[i, j]/nb[i])/(n*nb[i])", {}),
}
PARAMS = {"m": -0.2}


def reference(torch, a, b, y, m=0.1):
    return torch.nn.functional.cosine_embedding_loss(a, b, 2 * y - 1, margin=m)
