"""The objective of the graphical lasso."""

CLOSED = {"P": ("S.T - inv(P).T + lam*sign(P)", {}, "[]")}


def reference(torch, P, S, lam=0.1):
    return -torch.logdet(P) + torch.trace(S @ P) + lam * P.abs().sum()
