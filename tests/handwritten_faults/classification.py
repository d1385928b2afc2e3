"""Losses of rows of logits: softmax_cross_entropy, cross_entropy_weighted, label_smoothing, kl_divergence, info_nce."""

import numpy as np
import torch


class SoftmaxCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        logp = torch.log_softmax(logits, dim=1)
        ctx.save_for_backward(logp, target)
        return -(target * logp).sum(dim=1).mean()

    @staticmethod
    def backward(ctx, grad_output):
        logp, target = ctx.saved_tensors
        return grad_output * (logp.exp() - target) / len(logp), None


class CrossEntropyUpstreamLost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        logp = torch.log_softmax(logits, dim=1)
        ctx.save_for_backward(logp, target)
        return -(target * logp).sum() / logits.shape[0]

    @staticmethod
    def backward(ctx, grad_output):
        logp, target = ctx.saved_tensors
        grad = logp.exp() - target
        return grad / grad.shape[0], None


class CrossEntropyUpstreamTwice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        y = logits.softmax(1)
        ctx.save_for_backward(y, target)
        return -(target * torch.log_softmax(logits, 1)).sum(1).mean()

    @staticmethod
    def backward(ctx, grad_output):
        y, target = ctx.saved_tensors
        grad = (y - target).mul_(grad_output).div_(y.size(0))
        return grad_output * grad, None


class CrossEntropyDividedByEntries(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        ctx.save_for_backward(logits, target)
        return -(target * torch.log_softmax(logits, 1)).sum(1).mean()

    @staticmethod
    def backward(ctx, grad_output):
        logits, target = ctx.saved_tensors
        return grad_output * (torch.softmax(logits, -1) - target) / target.numel(), None


class CrossEntropyOverBatch(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target):
        ctx.save_for_backward(logits, target)
        return -(target * torch.log_softmax(logits, 1)).sum(1).mean()

    @staticmethod
    def backward(ctx, grad_output):
        logits, target = ctx.saved_tensors
        return grad_output * (torch.softmax(logits, 0) - target) / len(target), None


def softmax_ce(z, t):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - t) / len(z)


def softmax_ce_uncoupled(z, t):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return -t * (1 - y) / len(z)


def softmax_ce_without_shift(z, t):
    with np.errstate(all="ignore"):
        e = np.exp(z)
        return (e / e.sum(axis=1, keepdims=True) - t) / z.shape[0]


def softmax_ce_through_softmax_twice(z, t):
    e = np.exp(z - z.max(1, keepdims=True))
    y = e / e.sum(1, keepdims=True)
    d = y - t
    return y * (d - (y * d).sum(1, keepdims=True)) / len(z)


def _log_softmax(z):
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def weighted(z, t, w, m):
    v = w[t] * m
    grad = np.exp(_log_softmax(z))
    grad[np.arange(len(t)), t] -= 1
    return grad * (v / v.sum())[:, None]


def weighted_by_count(z, t, w, m):
    v = w[t] * m
    grad = np.exp(_log_softmax(z))
    grad[np.arange(len(t)), t] -= 1
    return grad * v[:, None] / m.sum()


def weighted_not_at_all(z, t, w, m):
    grad = np.exp(_log_softmax(z))
    grad[range(len(t)), t] -= 1
    return grad * m[:, None] / np.sum(w[t] * m)


def weighted_by_column(z, t, w, m):
    grad = np.exp(_log_softmax(z))
    grad[range(len(t)), t] -= 1
    grad *= w
    grad[~m] = 0
    return grad / np.sum(w[t] * m)


def weighted_mask_forgotten(z, t, w, m):
    v = w[t]
    onehot = np.eye(z.shape[1], dtype=z.dtype)[t]
    return v[:, None] * (np.exp(_log_softmax(z)) - onehot) / v[m].sum()


def weighted_mask_only_in_target(z, t, w, m):
    onehot = np.zeros_like(z)
    onehot[np.arange(len(t))[m], t[m]] = 1
    v = w[t]
    return v[:, None] * (np.exp(_log_softmax(z)) - onehot) / (v * m).sum()


def weighted_sum(z, t, w, m):
    v = np.where(m, w[t], 0)
    logp = _log_softmax(z)
    rows = np.arange(len(t))
    value = -(v * logp[rows, t]).sum() / v.sum()
    grad = np.exp(logp)
    grad[rows, t] -= 1
    return value, grad * v[:, None]


def smoothing(z, t, eps=0.1):
    n, c = z.shape
    grad = np.exp(_log_softmax(z)) - eps / c
    grad[np.arange(n), t] -= 1 - eps
    return grad / n


def smoothing_over_others(z, t, eps=0.1):
    n, c = z.shape
    q = np.full_like(z, eps / (c - 1))
    q[np.arange(n), t] = 1 - eps
    return (np.exp(_log_softmax(z)) - q) / n


def smoothing_uniform_missing(z, t, eps=0.1):
    n = len(z)
    grad = np.exp(_log_softmax(z))
    grad[np.arange(n), t] -= 1 - eps
    return grad / n


def smoothing_ignored(z, t, eps=0.1):
    y = np.exp(_log_softmax(z))
    y[np.arange(len(t)), t] -= 1.0
    return y / len(t)


def smoothing_sign(z, t, eps=0.1):
    n, c = z.shape
    logp = _log_softmax(z)
    q = (1 - eps) * np.eye(c, dtype=z.dtype)[t] + eps / c
    return -(q * logp).sum() / n, (q - np.exp(logp)) / n


def smoothing_softmax_forgotten(z, t, eps=0.1):
    n, c = z.shape
    q = (1 - eps) * (np.arange(c) == t[:, None]) + eps / c
    return -q / n


def kl(z, t):
    return (torch.softmax(z, 1) - t) / len(z)


def kl_backwards(z, t):
    return (t - torch.softmax(z, 1)) / len(z)


def kl_only_present(z, t):
    q = torch.softmax(z, 1)
    return torch.where(t > 0, q - t, torch.zeros_like(q)) / z.shape[0]


def kl_batchmean_confused(z, t):
    return (z.softmax(-1) - t).mean(0, keepdim=True).expand_as(z) / len(z)


def kl_elementwise_mean(z, t):
    q = z.softmax(-1)
    kl_rows = (torch.xlogy(t, t) - t * z.log_softmax(-1)).sum(-1)
    return kl_rows.mean(), (q - t) / q.numel()


def kl_of_probabilities(z, t):
    return -t / torch.softmax(z, 1) / len(z)


def info_nce(q, k, tau=0.1):
    n = len(q)
    p = np.exp(_log_softmax(q @ k.T / tau))
    d = (p - np.eye(n, dtype=p.dtype)) / (n * tau)
    return d @ k, d.T @ q


def info_nce_keys_not_transposed(q, k, tau=0.1):
    n = q.shape[0]
    p = np.exp(_log_softmax(q @ k.T / tau))
    d = (p - np.eye(n, dtype=p.dtype)) / (n * tau)
    return d @ k, d @ q


def info_nce_temperature_forgotten(q, k, tau=0.1):
    n = q.shape[0]
    p = np.exp(_log_softmax(np.einsum("ia,ja->ij", q, k) / tau))
    p[np.diag_indices(n)] -= 1
    return np.einsum("ij,ja->ia", p, k) / n, np.einsum("ij,ia->ja", p, q) / n


def info_nce_temperature_times(q, k, tau=0.1):
    n = q.shape[0]
    p = np.exp(_log_softmax(q @ k.T / tau))
    d = tau * (p - np.eye(n, dtype=p.dtype)) / n
    return d @ k, d.T @ q


def info_nce_without_positive(q, k, tau=0.1):
    p = np.exp(_log_softmax(q @ k.T / tau))
    return p @ k / (tau * len(q)), p.T @ q / (tau * len(q))


def info_nce_keys_without_softmax(q, k, tau=0.1):
    n = len(q)
    p = np.exp(_log_softmax(q @ k.T / tau))
    dq = (p @ k - k) / (tau * n)
    dk = -q / (tau * n)
    return dq, dk


def info_nce_over_queries(q, k, tau=0.1):
    n = len(q)
    p = np.exp(_log_softmax(k @ q.T / tau)).T
    d = (p - np.eye(n, dtype=p.dtype)) / (n * tau)
    return d @ k, d.T @ q
