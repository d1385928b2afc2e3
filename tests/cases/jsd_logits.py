"""Composition of kl_div."""

CLOSED = {"z": ("y[i, j]*(log(y[i, j]/m[i, j]) - Sum(y[i, k]*log(y[i, k]/m[i, k]), k))/(2*n)", {})}


def reference(torch, z, t):
    y = torch.softmax(z, 1)
    m = (y + t) / 2
    return ((y * (y.log() - m.log()) + t * (t.log() - m.log())).sum(1) / 2).mean()
