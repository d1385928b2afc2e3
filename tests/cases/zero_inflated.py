"""Composition with lgamma."""

CLOSED = {
    "x": ("(m[i]*where(t[i] == 0, (1 - p[i])*exp(-m[i])/(p[i] + (1 - p[i])*exp(-m[i])), 1) - t[i])/n", {}),
    "l": ("p[i]*where(t[i] == 0, (1 - p[i])*(exp(-m[i]) - 1)/(p[i] + (1 - p[i])*exp(-m[i])), 1)/n", {}),
}


def SAMPLE(rng, x, dims):
    x["t"][::2] = 0


def reference(torch, x, l, t):
    p, m = torch.sigmoid(l), torch.exp(x)
    zero = -torch.log(p + (1 - p) * torch.exp(-m))
    return torch.where(t == 0, zero, -torch.log(1 - p) + m - t * x + torch.lgamma(t.double() + 1)).mean()
