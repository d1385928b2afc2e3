"""Regression losses by hand, in NumPy: mse, huber, smooth_l1, quantile, poisson_nll, gaussian_nll, log_cosh, hinge."""

import numpy as np


def mse(pred, target):
    return 2 * (pred - target) / len(pred)


def mse_half(pred, target):
    return (pred - target) / pred.shape[0]


def mse_sum(pred, target):
    residual = pred - target
    return np.mean(residual**2), 2 * residual


def mse_backwards(pred, target):
    diff = target - pred
    n = diff.size
    return (diff**2).sum() / n, 2.0 / n * diff


def mse_root(pred, target):
    err = pred - target
    rmse = np.sqrt(np.mean(np.square(err)))
    return err / (err.size * rmse)


def mse_twice(pred, target):
    grad = np.zeros_like(pred)
    for i in range(len(pred)):
        d = pred[i] - target[i]
        grad[i] += 2 * d / len(pred)
        grad[i] += 2 * d / len(pred)
    return grad


def mse_bessel(pred, target):
    n = pred.shape[0]
    return 2 * (pred - target) / (n - 1)


def huber(x, t, delta=1.0):
    return np.clip(x - t, -delta, delta) / x.size


def huber_flipped(preds, labels, delta=1.0):
    r = labels - preds
    return np.where(np.abs(r) <= delta, r, delta * np.sign(r)) / r.size


def huber_unscaled_tail(x, t, delta=1.0):
    r = x - t
    grad = np.sign(r)
    small = np.abs(r) <= delta
    grad[small] = r[small]
    return grad / len(r)


def huber_never_linear(x, t, delta=1.0):
    r = x - t
    value = np.where(abs(r) <= delta, 0.5 * r**2, delta * (abs(r) - 0.5 * delta)).mean()
    return value, r / r.size


def huber_one_side(x, t, delta=1.0):
    r = np.minimum(x - t, delta)
    return r / r.size


def huber_sum(x, t, delta=1.0):
    r = x - t
    r[r > delta] = delta
    r[r < -delta] = -delta
    return r


def huber_hole(x, t, delta=1.0):
    r = x - t
    inside, outside = np.abs(r) < delta, np.abs(r) > delta
    return (inside * r + outside * delta * np.sign(r)) / r.size


def smooth_l1(x, t, beta=1.0):
    r = x - t
    return np.where(np.abs(r) < beta, r / beta, np.sign(r)) / r.size


def smooth_l1_beta_forgotten_inside(x, t, beta=1.0):
    r = x - t
    return np.where(np.abs(r) < beta, r, np.sign(r)) / r.size


def smooth_l1_clipped_only(x, t, beta=1.0):
    return np.clip(x - t, -beta, beta) / len(x)


def smooth_l1_half_tail(x, t, beta=1.0):
    r = x - t
    g = r / beta
    far = np.abs(r) >= beta
    g[far] = 0.5 * np.sign(r[far])
    return g / r.size


def smooth_l1_half(x, t, beta=1.0):
    r = x - t
    near = np.abs(r) < beta
    return (near * r / (2 * beta) + ~near * np.sign(r) / 2) / r.size


def smooth_l1_of_target(x, t, beta=1.0):
    r = (t - x) / beta
    return np.maximum(-1, np.minimum(1, r)) / r.size


def quantile(x, t, q=0.5):
    return (np.heaviside(x - t, 0.5) - q) / x.size


def quantile_of_the_other_side(x, t, q=0.5):
    over = np.heaviside(x - t, 0.5)
    return (over * q - (1 - over) * (1 - q)) / x.size


def quantile_tie_right(x, t, q=0.5):
    return np.where(x > t, 1 - q, -q) / x.size


def quantile_sign(x, t, q=0.5):
    u = t - x
    loss = np.mean(np.maximum(q * u, (q - 1) * u))
    return loss, (q - np.heaviside(-u, 0.5)) / u.size


def quantile_sum(x, t, q=0.5):
    return np.heaviside(x - t, 0.5) - q


def quantile_only_over(x, t, q=0.5):
    grad = np.zeros_like(x)
    grad[x > t] = 1 - q
    grad[x == t] = 0.5 - q
    return grad / len(grad)


def poisson(log_rate, count):
    return (np.exp(log_rate) - count) / count.size


def poisson_of_rate(log_rate, count):
    rate = np.exp(log_rate)
    return (1 - count / rate) / rate.size


def poisson_without_count(log_rate, count):
    rate = np.exp(log_rate)
    return (rate - count * log_rate).mean(), rate / rate.size


def poisson_sign(log_rate, count):
    return (count - np.exp(log_rate)) / len(count)


def poisson_capped(log_rate, count):
    rate = np.exp(np.clip(log_rate, None, 2.0))
    return (rate - count) / rate.size


def poisson_positive_counts(log_rate, count):
    grad = np.zeros_like(log_rate)
    seen = np.nonzero(count)[0]
    grad[seen] = np.exp(log_rate[seen]) - count[seen]
    return grad / len(grad)


def poisson_mean_of_mean(log_rate, count):
    n = len(count)
    return np.array([(np.exp(a) - k) / n for a, k in zip(log_rate, count, strict=True)]) / n


def gaussian_nll(mu, logvar, target):
    precision = np.exp(-logvar)
    err = mu - target
    n = err.size
    return err * precision / n, (1 - err * err * precision) / (2 * n)


def gaussian_nll_mean_flipped(mu, logvar, target):
    inv_var, err, n = np.exp(-logvar), target - mu, mu.size
    return err * inv_var / n, 0.5 * (1 - err**2 * inv_var) / n


def gaussian_nll_half_forgotten(mu, logvar, target):
    inv_var, err, n = np.exp(-logvar), mu - target, mu.size
    return err * inv_var / n, (1 - err**2 * inv_var) / n


def gaussian_nll_unit_variance(mu, logvar, target):
    err = mu - target
    dmu = err / err.size
    dlogvar = (0.5 - 0.5 * err**2 / np.exp(logvar)) / err.size
    return dmu, dlogvar


def gaussian_nll_no_normalizer(mu, logvar, target):
    z2 = (target - mu) ** 2 * np.exp(-logvar)
    value = 0.5 * np.mean(logvar + z2)
    return value, ((mu - target) * np.exp(-logvar) / mu.size, -0.5 * z2 / mu.size)


def gaussian_nll_variance_not_inverted(mu, logvar, target):
    var = np.exp(logvar)
    err = mu - target
    return err * var / len(mu), (1 - err**2 / var) / (2 * len(mu))


def gaussian_nll_of_variance(mu, logvar, target):
    var = np.exp(logvar)
    d2 = (mu - target) ** 2
    return (mu - target) / var / mu.size, (1 / var - d2 / var**2) / (2 * mu.size)


def log_cosh(x, t):
    return np.tanh(x - t) / x.size


def log_cosh_ratio(x, t):
    r = x - t
    with np.errstate(all="ignore"):
        return np.sinh(r) / np.cosh(r) / r.size


def log_cosh_curvature(x, t):
    return (1 - np.tanh(x - t) ** 2) / x.size


def log_cosh_sign(x, t):
    return np.tanh(t - x) / x.size


def log_cosh_saturated(x, t):
    r = x - t
    return np.where(np.abs(r) > 3, np.sign(r), np.tanh(r)) / r.size


def log_cosh_sum(x, t):
    r = x - t
    a = np.abs(r)
    value = np.mean(a + np.log1p(np.exp(-2 * a)) - np.log(2))
    return value, np.tanh(r)


def hinge(score, label):
    return np.where(label * score < 1, -label, 0.0) / score.size


def hinge_touching(score, label):
    active = label * score <= 1
    return -label * active / score.size


def hinge_without_label(score, label):
    return -(label * score < 1).astype(score.dtype) / score.size


def hinge_always_active(score, label):
    return -label / len(label)


def hinge_sign(score, label):
    violated = (1 - label * score) > 0
    grad = np.zeros_like(score)
    grad[violated] = label[violated]
    grad /= grad.size
    return grad


def hinge_at_zero(score, label):
    return -label * (label * score < 0) / score.size
