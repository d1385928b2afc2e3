"""torch's logsigmoid."""

S = "sigmoid(-Sum(u[i, l]*(p[i, l] - q[i, l]), l))"
CLOSED = {
    "u": (f"(2*lam*u[i, k] - {S}*(p[i, k] - q[i, k]))/n", {}),
    "p": (f"(2*lam*p[i, k] - {S}*u[i, k])/n", {}),
    "q": (f"(2*lam*q[i, k] + {S}*u[i, k])/n", {}),
}
PARAMS = {"lam": 0.3}
EXTREME = {"u": [100]}


def reference(torch, u, p, q, lam=0.01):
    s = (u * (p - q)).sum(1)
    return (-torch.nn.functional.logsigmoid(s) + lam * (u**2 + p**2 + q**2).sum(1)).mean()
