"""Losses of the catalogue."""

import numpy as np
import torch
import torch.nn.functional as F


def tversky(p, t, alpha=0.3, beta=0.7, eps=1.0):
    a = (p * t).sum(1, keepdims=True) + eps
    b = a + alpha * (p * (1 - t)).sum(1, keepdims=True) + beta * ((1 - p) * t).sum(1, keepdims=True)
    da, db = t, t + alpha * (1 - t) - beta * t
    return -(da * b - a * db) / b**2 / len(p)


def tversky_quotient_half(p, t, alpha=0.3, beta=0.7, eps=1.0):
    a = np.einsum("ij,ij->i", p, t) + eps
    b = a + alpha * np.einsum("ij,ij->i", p, 1 - t) + beta * np.einsum("ij,ij->i", 1 - p, t)
    return -t / b[:, None] / len(p)


def tversky_weights_swapped(p, t, alpha=0.3, beta=0.7, eps=1.0):
    alpha, beta = beta, alpha
    a = (p * t).sum(1, keepdims=True) + eps
    b = a + alpha * (p * (1 - t)).sum(1, keepdims=True) + beta * ((1 - p) * t).sum(1, keepdims=True)
    return (a * (t + alpha * (1 - t) - beta * t) / b - t) / b / len(p)


def tversky_index_not_loss(p, t, alpha=0.3, beta=0.7, eps=1.0):
    a = (p * t).sum(1, keepdims=True) + eps
    fp, fn = (p * (1 - t)).sum(1, keepdims=True), ((1 - p) * t).sum(1, keepdims=True)
    b = a + alpha * fp + beta * fn
    return (t * b - a * (t + alpha * (1 - t) - beta * t)) / (b * b * p.shape[0])


def tversky_smoothing_above_only(p, t, alpha=0.3, beta=0.7, eps=1.0):
    tp = (p * t).sum(1, keepdims=True)
    fp, fn = (p * (1 - t)).sum(1, keepdims=True), ((1 - p) * t).sum(1, keepdims=True)
    a, b = tp + eps, tp + alpha * fp + beta * fn + 1e-7
    return -(t * b - a * (t + alpha * (1 - t) - beta * t)) / (b * b * p.shape[0])


def focal(z, t, g=2.0):
    logp = F.log_softmax(z, 1)
    y = logp.exp()
    hot = F.one_hot(t, z.shape[1])
    logq = (hot * logp).sum(1, keepdim=True)
    rest = torch.where(hot > 0, torch.zeros_like(y), y).sum(1, keepdim=True)
    return rest ** (g - 1) * (g * logq.exp() * logq - rest) * (hot - y) / len(z)


def focal_weight_detached(z, t, g=2.0):
    y = z.softmax(1)
    q = y.gather(1, t[:, None])
    hot = torch.zeros_like(y).scatter(1, t[:, None], 1.0)
    return (1 - q) ** g * (y - hot) / len(z)


def focal_gamma_of_two(z, t, g=2.0):
    y = torch.softmax(z, 1)
    q = y.gather(1, t[:, None])
    hot = F.one_hot(t, z.shape[1])
    return (1 - q) ** (g - 1) * (q * q.log() + q - 1) * (hot - y) / len(z)


def focal_only_target(z, t, g=2.0):
    y = torch.softmax(z, 1)
    grad = torch.zeros_like(z)
    for i, k in enumerate(t.tolist()):
        q = y[i, k]
        grad[i, k] = (1 - q) ** (g - 1) * (g * q * q.log() + q - 1) * (1 - q)
    return grad / len(z)


def focal_summed(z, t, g=2.0):
    y = torch.softmax(z, 1)
    q = y.gather(1, t[:, None])
    hot = F.one_hot(t, z.shape[1])
    return (1 - q) ** (g - 1) * (g * q * q.log() + q - 1) * (hot - y)


def _softmax(z):
    e = np.exp(z - z.max(1)[:, None])
    return e / e.sum(1)[:, None]


def _log_softmax(z):
    u = z - z.max(1)[:, None]
    return u - np.log(np.exp(u).sum(1))[:, None]


def jensen_shannon(z, t):
    q = _softmax(z)
    m = (q + t) / 2
    ratio = np.log(np.where(q > 0, q, 1) / np.where(q > 0, m, 1))
    return q * (ratio - (q * ratio).sum(1, keepdims=True)) / (2 * len(z))


def jensen_shannon_of_probabilities(z, t):
    q = _softmax(z)
    return np.log(2 * q / (q + t)) / 2 / len(z)


def jensen_shannon_uncoupled(z, t):
    q = _softmax(z)
    return q * np.log(2 * q / (q + t)) / 2 / len(z)


def jensen_shannon_half_forgotten(z, t):
    q = _softmax(z)
    ratio = np.log(q) - np.log((q + t) / 2)
    mean = np.einsum("ij,ij->i", q, ratio)
    return q * (ratio - mean[:, None]) / len(z)


def cosine_embedding(a, b, t, margin=0.0):
    u, v = (np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    u, v = np.where(u > 0, u, 1), np.where(v > 0, v, 1)
    x, y = a / u, b / v
    s = (x * y).sum(1, keepdims=True)
    sign = np.where(t[:, None] > 0, -1, np.where(s > margin, 1, 0))
    return sign * (y - s * x) / (u * len(a)), sign * (x - s * y) / (v * len(a))


def cosine_embedding_always_pushed(a, b, t, margin=0.0):
    u, v = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    x, y = a / u, b / v
    s = (x * y).sum(1, keepdims=True)
    sign = -np.sign(t)[:, None] / len(a)
    return sign * (y - s * x) / u, sign * (x - s * y) / v


def cosine_embedding_of_dot(a, b, t, margin=0.0):
    u, v = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    s = (a * b).sum(1, keepdims=True) / (u * v)
    sign = np.where(t[:, None] > 0, -1.0, (s > margin).astype(float))
    return sign * b / (u * v) / len(a), sign * a / (u * v) / len(a)


def cosine_embedding_positive_sign(a, b, t, margin=0.0):
    u, v = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    x, y = a / u, b / v
    s = (x * y).sum(1, keepdims=True)
    sign = np.where(t[:, None] > 0, 1, s > margin) / len(a)
    return sign * (y - s * x) / u, sign * (x - s * y) / v


def cross_entropy(z, t):
    y = _softmax(z)
    y[np.arange(len(t)), t] -= 1
    return y / len(t)


def cross_entropy_whole_column(z, t):
    y = _softmax(z)
    y[:, t] -= 1
    return y / len(t)


def cross_entropy_single(z, t):
    y = _softmax(z.astype(np.float32))
    y[np.arange(len(t)), t] -= 1
    return (y / len(t)).astype(z.dtype)


def cross_entropy_by_columns(z, t):
    e = np.exp(z - z.max(axis=0))
    y = e / e.sum(axis=0)
    y[np.arange(len(t)), t] -= 1
    return y / len(t)


def mixture(z, m, s, t):
    d = t[:, None] - m
    y = _log_softmax(z)
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.where(d == 0, 0.0, np.exp(2 * (np.log(np.abs(np.where(d == 0, 1, d))) - s)))
        w = np.maximum(y - s - square / 2, -1e300)
    r = _softmax(w)
    size = np.log(np.abs(np.where(d == 0, 1, d)))
    n = len(z)
    dm = np.where(r > 0, np.sign(d) * np.exp(np.log(np.where(r > 0, r, 1)) + size - 2 * s), 0.0)
    ds = np.where(r > 0, r * (1 - np.where(r > 0, square, 0)), 0.0)
    return (np.exp(y) - r) / n, -dm / n, ds / n


def mixture_overflowing(z, m, s, t):
    e = (t[:, None] - m) * np.exp(-s)
    y = _softmax(z)
    w = np.where(y > 0, np.log(np.where(y > 0, y, 1)), z - z.max(1, keepdims=True)) - s - e**2 / 2
    r = _softmax(w)
    n = len(z)
    return (y - r) / n, -r * e * np.exp(-s) / n, r * (1 - e**2) / n


def mixture_prior_for_posterior(z, m, s, t):
    e = (t[:, None] - m) * np.exp(-s)
    y = _softmax(z)
    r = _softmax(np.log(y) - s - e**2 / 2)
    n = len(z)
    return (y - r) / n, -y * e * np.exp(-s) / n, r * (1 - e**2) / n


def mixture_logits_sign(z, m, s, t):
    sd = np.exp(s)
    e = (t[:, None] - m) / sd
    y = _softmax(z)
    joint = y * np.exp(-(e**2) / 2) / sd
    r = joint / joint.sum(1, keepdims=True)
    return (r - y) / len(z), -r * e / sd / len(z), r * (1 - e**2) / len(z)


def mixture_normalizer_forgotten(z, m, s, t):
    sd = np.exp(s)
    e = (t[:, None] - m) / sd
    y = _softmax(z)
    joint = y * np.exp(-(e**2) / 2) / sd
    r = joint / joint.sum(1, keepdims=True)
    return (y - r) / len(z), -r * e / sd / len(z), -r * e**2 / len(z)
