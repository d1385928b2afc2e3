"""Carlile et al. 2017, Improving deep learning by inverse square root linear units: (1 + a x^2)^(-3/2)."""

CLOSED = {"x": ("dy[i]/(1 + a*x[i]**2)**(3/2)", {}, ["i"])}


def reference(torch, x, a):
    return x * torch.rsqrt(1 + a * x**2)
