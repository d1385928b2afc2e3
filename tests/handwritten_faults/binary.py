"""Losses of probabilities and of single logits, in NumPy: bce, bce_with_logits, focal_binary, dice, dpo."""

import numpy as np


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def bce(p, y):
    return (p - y) / (p * (1 - p)) / p.size


def bce_as_of_logits(p, y):
    return (p - y) / len(p)


def bce_positive_part(p, y):
    return -y / p / p.size


def bce_one_sided(p, y):
    return (p - y) / p / p.size


def bce_joined_wrongly(p, y):
    n = p.shape[0]
    return -(y / p + (1 - y) / (1 - p)) / n


def bce_guarded(p, y, tiny=1e-3):
    value = -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))
    return value, (p - y) / (p * (1 - p) + tiny) / p.size


def bce_sum(p, y):
    return (1 - y) / (1 - p) - y / p


def bce_clipped(p, y):
    p = np.clip(p, 0.05, 0.95)
    return (p - y) / (p * (1 - p)) / p.size


def logits(x, y):
    return (_sigmoid(x) - y) / x.size


def logits_chained_twice(x, y):
    p = _sigmoid(x)
    return (p - y) * p * (1 - p) / x.size


def logits_of_probability(x, y):
    p = _sigmoid(x)
    return (p - y) / (p * (1 - p)) / x.size


def logits_overflowing(x, y):
    with np.errstate(all="ignore"):
        p = np.exp(x) / (1 + np.exp(x))
    return (p - y) / x.size


def logits_positive_only(x, y):
    grad = np.empty_like(x)
    for i, (xi, yi) in enumerate(zip(x, y, strict=True)):
        grad[i] = -yi / (1 + np.exp(xi)) / len(x)
    return grad


def logits_hard_labels(x, y):
    hard = (y > 0.5).astype(x.dtype)
    return (_sigmoid(x) - hard) / x.size


def logits_sign(x, y):
    p = _sigmoid(x)
    value = np.mean(np.logaddexp(0, x) - x * y)
    return value, (y - p) / x.size


def logits_signs_as_labels(x, y):
    s = 2 * y - 1
    return -s * _sigmoid(-s * x) / x.size


def focal(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    logp, logq = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    return (y * q**g * (g * p * logp - q) + (1 - y) * p**g * (p - g * q * logq)) / x.size


def focal_weight_detached(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    return ((1 - y) * p**g * p - y * q**g * q) / x.size


def focal_exponent_forgotten(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    pos = q**g * (p * np.log(p) - q)
    neg = p**g * (p - q * np.log(q))
    return (y * pos + (1 - y) * neg) / x.size


def focal_of_probability(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    dpos = g * q ** (g - 1) * np.log(p) - q**g / p
    dneg = p**g / q - g * p ** (g - 1) * np.log(q)
    return (y * dpos + (1 - y) * dneg) / x.size


def focal_no_negatives(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    return y * q**g * (g * p * -np.logaddexp(0, -x) - q) / x.size


def focal_sign(x, y, g=2.0):
    p, q = _sigmoid(x), _sigmoid(-x)
    logp, logq = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    a = q**g * (q - g * p * logp)
    b = p**g * (g * q * logq - p)
    return (y * a + (1 - y) * b) / x.size


def focal_log_of_rounded(x, y, g=2.0):
    p = 1 / (1 + np.exp(-x))
    with np.errstate(all="ignore"):
        logp, logq = np.log(p), np.log(1 - p)
        pos = (1 - p) ** g * (g * p * logp + p - 1)
        neg = p**g * (p - g * (1 - p) * logq)
    return (y * pos + (1 - y) * neg) / x.size


def dice(p, t, eps=1.0):
    inter = (p * t).sum(axis=1, keepdims=True)
    total = (p + t).sum(axis=1, keepdims=True) + eps
    return ((2 * inter + eps) / total - 2 * t) / total / len(p)


def dice_numerator_only(p, t, eps=1.0):
    denominator = p.sum(1) + t.sum(1) + eps
    return -2 * t / denominator[:, None] / p.shape[0]


def dice_over_everything(p, t, eps=1.0):
    a = np.sum(p * t)
    b = np.sum(p) + np.sum(t)
    return ((2 * a + eps) / (b + eps) - 2 * t) / (b + eps)


def dice_over_batch(p, t, eps=1.0):
    a = np.sum(p * t, axis=0)
    b = np.sum(p, axis=0) + np.sum(t, axis=0)
    return ((2 * a + eps) / (b + eps) - 2 * t) / (p.shape[0] * (b + eps))


def dice_without_smoothing(p, t, eps=1.0):
    a = np.einsum("ij,ij->i", p, t)[:, None]
    b = np.einsum("ij->i", p + t)[:, None]
    return (2 * a / b - 2 * t) / (b * len(p))


def dice_single_denominator(p, t, eps=1.0):
    a = np.einsum("ij,ij->i", p, t)[:, None]
    b = np.einsum("ij->i", p + t)[:, None]
    return ((2 * a + eps) / (b + eps) - 2 * t) / len(p)


def dice_per_entry(p, t, eps=1.0):
    a = (p * t).sum(axis=-1, keepdims=True)
    b = (p + t).sum(axis=-1, keepdims=True) + eps
    return 1 - np.mean((2 * a + eps) / b), ((2 * a + eps) / b - 2 * t) / b / p.size


def dpo(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    margin = beta * (chosen - rejected - ref_chosen + ref_rejected)
    grad = -beta * _sigmoid(-margin) / margin.size
    return grad, -grad


def dpo_beta_inside_only(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    logits = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
    grad = -_sigmoid(-logits) / logits.size
    return grad, -grad


def dpo_same_direction(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    margin = beta * (chosen - rejected - ref_chosen + ref_rejected)
    coefficient = beta / (1 + np.exp(margin)) / len(chosen)
    return -coefficient, -coefficient


def dpo_without_reference(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    grad = -beta * _sigmoid(-beta * (chosen - rejected)) / chosen.size
    return grad, -grad


def dpo_sum(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    margin = beta * (chosen - rejected - ref_chosen + ref_rejected)
    value = np.logaddexp(0, -margin).mean()
    return value, (-beta * _sigmoid(-margin), beta * _sigmoid(-margin))


def dpo_sigmoid_of_margin(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    margin = beta * (chosen - rejected - ref_chosen + ref_rejected)
    grad = -beta * _sigmoid(margin) / margin.size
    return grad, -grad


def dpo_sigmoid_differentiated(chosen, rejected, ref_chosen, ref_rejected, beta=0.1):
    margin = beta * (chosen - rejected - ref_chosen + ref_rejected)
    s = _sigmoid(margin)
    grad = -beta * s * (1 - s) / margin.size
    return grad, -grad
