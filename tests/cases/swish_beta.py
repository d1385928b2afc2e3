"""Composition in torch."""

CLOSED = {
    "x": ("dy[..., k]*s[..., k]*(1 + beta[k]*x[..., k]*(1 - s[..., k]))", {}, ["...", "k"]),
    "beta": ("Sum(dy[..., k]*x[..., k]**2*s[..., k]*(1 - s[..., k]), ...)", {}, ["k"]),
}


def reference(torch, x, beta):
    return x * torch.sigmoid(beta * x)
