"""Composition with a masked logsumexp."""

CLOSED = {"risk": ("(Sum(where(time[i] >= time[j], event[j]*exp(risk[i] - L[j]), 0), j) - event[i])/m", {})}
EXTREME = {"risk": [50]}


def reference(torch, risk, time, event):
    later = time[None] >= time[:, None]
    total = torch.where(later, risk[None], -torch.inf).logsumexp(1)
    return (event * (total - risk)).sum() / event.sum()
