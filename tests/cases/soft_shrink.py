"""torch's softshrink."""

CLOSED = {"x": ("dy[i]*where(Abs(x[i]) > lam, 1, 0)", {})}
MAX_CLOSED = {"x": 75}
PARAMS = {"lam": 1.0}


def reference(torch, x, lam=0.5):
    return torch.nn.functional.softshrink(x, lam)
