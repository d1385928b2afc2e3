"""Composition."""

MAX_CLOSED = {"Q": 140, "K": 200, "V": 90}


def reference(torch, Q, K, V):
    q, f = torch.nn.functional.softplus(Q), torch.nn.functional.softplus(K)
    return q @ (f.mT @ V) / (q * f.sum(1, keepdim=True)).sum(-1, keepdim=True)
