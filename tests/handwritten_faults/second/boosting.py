"""Objectives as boosters call them, (preds, dtrain) and (y_true, y_pred), and other Hessians."""

import numpy as np


def gamma(preds, dtrain, k=1.0):
    e = dtrain.get_label() * np.exp(-preds)
    return k * (1 - e), k * e


def gamma_of_mean(preds, dtrain, k=1.0):
    y = dtrain.get_label()
    mu = np.exp(preds)
    grad = k * (1 / mu - y / mu**2)
    return grad, k * y / mu


def gamma_concave(preds, dtrain, k=1.0):
    y = dtrain.get_label()
    mu = np.exp(preds)
    return k - k * y / mu, -k * y / mu


def gamma_shape_left_out(preds, dtrain, k=1.0):
    ratio = dtrain.get_label() / np.exp(preds)
    return 1 - ratio, ratio


def gamma_ratio_minus_one(preds, dtrain, k=1.0):
    ratio = dtrain.get_label() * np.exp(-preds)
    return k * (ratio - 1), k * ratio


def _sech2(r):
    e = np.exp(-2 * np.abs(r))
    return 4 * e / (1 + e) ** 2


def logcosh(preds, dtrain, w, c=1.5):
    r = (preds - dtrain.get_label()) / c
    return w * c * np.tanh(r), w * _sech2(r)


def logcosh_hessian_unweighted(preds, dtrain, w, c=1.5):
    r = (preds - dtrain.get_label()) / c
    return w * c * np.tanh(r), 1 - np.tanh(r) ** 2


def logcosh_unweighted(preds, dtrain, w, c=1.5):
    r = (preds - dtrain.get_label()) / c
    t = np.tanh(r)
    return c * t, 1.0 - t * t


def logcosh_chain_forgotten(preds, dtrain, w, c=1.5):
    x = preds - dtrain.get_label()
    th = np.tanh(x / c)
    return w * c**2 * th, w * c * (1 - th**2)


def logcosh_hessian_is_slope(preds, dtrain, w, c=1.5):
    th = np.tanh((preds - dtrain.get_label()) / c)
    return w * c * th, w * (1 - np.abs(th))


def _sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def binary(y_true, y_pred, a=3.0):
    p, q = _sigmoid(y_pred), _sigmoid(-y_pred)
    weight = np.where(y_true > 0, a, 1.0)
    return np.where(y_true > 0, -a * q, p), weight * p * q


def binary_hessian_unweighted(y_true, y_pred, a=3.0):
    p = 1.0 / (1.0 + np.exp(-y_pred))
    grad = (p - y_true) * (1 + (a - 1) * y_true)
    return grad, p * (1 - p)


def binary_weight_forgotten(y_true, y_pred, a=3.0):
    p = 1.0 / (1.0 + np.exp(-y_pred))
    return p - y_true, p * (1.0 - p)


def binary_arguments_swapped(y_pred, y_true, a=3.0):
    p = 1.0 / (1.0 + np.exp(-y_pred))
    weight = np.where(y_true == 1, a, 1.0)
    return weight * (p - y_true), weight * p * (1 - p)


def binary_weight_squared(y_true, y_pred, a=3.0):
    p = 1.0 / (1.0 + np.exp(-y_pred))
    weight = a ** (2 * y_true)
    return weight * (p - y_true), weight * p * (1 - p)


def binary_label_minus_p(y_true, y_pred, a=3.0):
    prob = 1 / (1 + np.exp(-y_pred))
    weight = y_true * a + (1 - y_true)
    return weight * (y_true - prob), weight * prob * (1 - prob)


def softmax_of_vector(z):
    e = np.exp(z - z.max())
    y = e / e.sum()
    return y, y * (1 - y)


def softmax_of_vector_squared_only(z):
    e = np.exp(z - np.max(z))
    y = e / np.sum(e)
    return y, -(y**2)


def softmax_of_vector_rows(z):
    e = np.exp(z - z.max())
    y = e / e.sum()
    jacobian = np.diag(y) - np.outer(y, y)
    return y, jacobian.sum(axis=1)


def huber(preds, t, delta=1.0):
    d = preds - t
    n = d.size
    return np.clip(d, -delta, delta) / n, np.where(np.abs(d) <= delta, 1.0, 0.0) / n


def huber_hessian_everywhere(preds, t, delta=1.0):
    d = preds - t
    return np.clip(d, -delta, delta) / d.size, np.ones_like(d) / d.size


def huber_hessian_not_averaged(preds, t, delta=1.0):
    d = preds - t
    inside = np.abs(d) <= delta
    return np.where(inside, d, delta * np.sign(d)) / len(d), inside.astype(d.dtype)
