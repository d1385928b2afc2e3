"""Composition in torch."""

CLOSED = {
    "a": ("k[i]*(event[i] - exp(u[i]))/n", {}),
    "b": ("(u[i]*(exp(u[i]) - event[i]) - event[i])/n", {}),
}


def reference(torch, a, b, time, event):
    u = torch.exp(b) * (torch.log(time) - a)
    return (torch.exp(u) - event * (u + b - torch.log(time))).mean()
