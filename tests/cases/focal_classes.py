"""Composition of cross_entropy."""

CLOSED = {"z": ("(1 - q[i])**(g - 1)*(g*q[i]*log(q[i]) + q[i] - 1)*(where(j == t[i], 1, 0) - p[i, j])/n", {})}
PARAMS = {"g": 3.5}
EXTREME = {"z": [5]}


def reference(torch, z, t, g=2.0):
    l = torch.nn.functional.cross_entropy(z, t, reduction="none")
    return ((1 - torch.exp(-l)) ** g * l).mean()
