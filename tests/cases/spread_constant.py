"""Composition in torch."""

CLOSED = {"a": ("-Sum((x[i]*exp(-a) - tanh(a))**3*(x[i]*exp(-a) + 1 - tanh(a)**2), i)/n", {}, [])}


def reference(torch, a, x):
    return ((x * torch.exp(-a) - torch.tanh(a)) ** 4).mean() / 4
