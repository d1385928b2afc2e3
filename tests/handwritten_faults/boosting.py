"""Gradient and Hessian as XGBoost objectives return them: our own formulas of this folder, and two of the catalogue."""

import numpy as np


def fair(preds, labels, c=2.0):
    r = preds - labels
    a = np.abs(r) + c
    return c * r / a, c * c / (a * a)


def fair_residual_flipped(preds, labels, c=2.0):
    x = labels - preds
    den = np.abs(x) + c
    return c * x / den, c**2 / den**2


def fair_hessian_not_squared(preds, labels, c=2.0):
    x = preds - labels
    den = np.abs(x) + c
    return c * x / den, c / den


def fair_hessian_doubled(preds, labels, c=2.0):
    x = preds - labels
    den = np.abs(x) + c
    return c * x / den, 2 * c**2 / den**2


def fair_constant_forgotten(preds, labels, c=2.0):
    x = preds - labels
    den = np.abs(x) + c
    return x / den, c / den**2


def fair_averaged(preds, labels, c=2.0):
    x = preds - labels
    den = np.abs(x) + c
    return c * x / den / x.size, c**2 / den**2 / x.size


def pseudo_huber(preds, labels, delta=1.0):
    d = preds - labels
    scale = 1 + (d / delta) ** 2
    root = np.sqrt(scale)
    return d / root, 1 / (scale * root)


def pseudo_huber_root_forgotten(preds, labels, delta=1.0):
    d = preds - labels
    scale = 1 + (d / delta) ** 2
    return d / scale, 1 / (scale * np.sqrt(scale))


def pseudo_huber_hessian_one_root(preds, labels, delta=1.0):
    d = preds - labels
    scale = 1 + (d / delta) ** 2
    return d / np.sqrt(scale), 1 / scale


def pseudo_huber_delta_forgotten(preds, labels, delta=1.0):
    d = preds - labels
    scale = 1 + d**2
    return d / np.sqrt(scale), scale**-1.5


def pseudo_huber_signed(preds, labels, delta=1.0):
    d = labels - preds
    scale = 1 + (d / delta) ** 2
    return d / np.sqrt(scale), 1 / (scale * np.sqrt(scale))


def pseudo_huber_hessian_sign(preds, labels, delta=1.0):
    d = preds - labels
    scale = 1 + (d / delta) ** 2
    return d / np.sqrt(scale), -1 / (scale * np.sqrt(scale))


def squared_log(predt, y):
    lp = np.log1p(predt)
    return (lp - np.log1p(y)) / (predt + 1), (1 - lp + np.log1p(y)) / (predt + 1) ** 2


def squared_log_one_plus_y(predt, y):
    g = (np.log1p(predt) - np.log1p(y)) / (1 + predt)
    return g * (1 + predt) / (1 + y), (1 - np.log1p(predt) + np.log1p(y)) / (predt + 1) ** 2


def squared_log_chain_forgotten(predt, y):
    return np.log1p(predt) - np.log1p(y), (1 - np.log1p(predt) + np.log1p(y)) / (1 + predt) ** 2


def squared_log_doubled(predt, y):
    g = (np.log1p(predt) - np.log1p(y)) / (predt + 1)
    h = (1 - np.log1p(predt) + np.log1p(y)) / (predt + 1) ** 2
    return 2 * g, 2 * h


def squared_log_gauss_newton(predt, y):
    return (np.log1p(predt) - np.log1p(y)) / (predt + 1), 1 / (predt + 1) ** 2


def squared_log_without_shift(predt, y):
    g = (np.log1p(predt) - np.log1p(y)) / predt
    return g, (1 - np.log1p(predt) + np.log1p(y)) / (predt + 1) ** 2


def tweedie(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    return b - a, (2 - rho) * b - (1 - rho) * a


def tweedie_hessian_without_chain(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    return b - a, (2 - rho) * b


def tweedie_hessian_sign_inside(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    return b - a, (2 - rho) * b + (1 - rho) * a


def tweedie_as_gamma(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    return b - a / (1 - rho), (2 - rho) * b - (1 - rho) * a


def tweedie_zeros_skipped(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    seen = y > 0
    return np.where(seen, b - a, 0), np.where(seen, (2 - rho) * b - (1 - rho) * a, 0)


def tweedie_sign(score, y, rho=1.5):
    a, b = y * np.exp((1 - rho) * score), np.exp((2 - rho) * score)
    return a - b, (2 - rho) * b - (1 - rho) * a


def ranking(s, margin_of):
    d = s[:, None] - s[None, :]
    lam = -margin_of * _probability(-d)
    return lam.sum(axis=1) - lam.sum(axis=0)


def ranking_only_winners(s, margin_of):
    d = s[:, None] - s[None, :]
    lam = -margin_of / (1 + np.exp(d))
    return lam.sum(axis=1)


def ranking_added(s, margin_of):
    d = s[:, None] - s[None, :]
    lam = -margin_of / (1 + np.exp(d))
    return lam.sum(1) + lam.sum(0)


def ranking_axes_swapped(s, margin_of):
    grad = np.zeros_like(s)
    for i in range(len(s)):
        for j in range(len(s)):
            lam = margin_of[i, j] / (1 + np.exp(s[i] - s[j]))
            grad[i] += lam
            grad[j] -= lam
    return grad


def ranking_unweighted(s, margin_of):
    lam = -1.0 / (1 + np.exp(s[:, None] - s[None, :]))
    return lam.sum(axis=1) - lam.sum(axis=0)


def ranking_sigmoid_of_difference(s, margin_of):
    lam = -margin_of / (1 + np.exp(s[None, :] - s[:, None]))
    return lam.sum(axis=1) - lam.sum(axis=0)


def _probability(a):
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))


def logistic(X, w, t):
    p, q = _probability(X @ w), _probability(-(X @ w))
    return X.T @ (p - t) / len(t), (X**2).T @ (p * q) / len(t)


def logistic_hessian_not_squared(X, w, t):
    p = _probability(X @ w)
    return X.T @ (p - t) / len(t), X.T @ (p * (1 - p)) / len(t)


def logistic_hessian_without_variance(X, w, t):
    p = _probability(X @ w)
    return X.T @ (p - t) / len(t), (X**2).sum(axis=0) / len(t)


def logistic_hessian_sum(X, w, t):
    p = _probability(X @ w)
    return X.T @ (p - t) / len(t), np.einsum("ij,i->j", X * X, p * (1 - p))


def logistic_sum(X, w, t):
    p = _probability(X @ w)
    return X.T @ (p - t), (X**2).T @ (p * (1 - p))


def logistic_with_variance(X, w, t):
    p = _probability(X @ w)
    v = p * (1 - p)
    return X.T @ ((p - t) * v) / len(t), (X**2).T @ v / len(t)


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softprob(z, t):
    y = _softmax(z)
    return (y - t) / len(z), y * (1 - y) / len(z)


def softprob_hessian_doubled(z, t):
    y = _softmax(z)
    return (y - t) / len(z), np.maximum(2.0 * y * (1.0 - y), 1e-16) / len(z)


def softprob_hessian_without_complement(z, t):
    y = _softmax(z)
    return (y - t) / len(z), y / len(z)


def softprob_not_averaged(z, t):
    y = _softmax(z)
    return y - t, y * (1 - y)


def softprob_hessian_of_targets(z, t):
    y = _softmax(z)
    return (y - t) / len(z), y * (1 - t) / len(z)
