"""mlp

x[n, d], W[h, d], b[h], U[c, h], t[n, c] -> loss[n]

Formula
    a: relu(Sum(x[i, l]*W[k, l], l) + b[k])
    z: Sum(a[i, k]*U[j, k], k)
    loss: -Sum(t[i, j]*log(softmax(z[i, j], j)), j)

Gradient of the mean
    dW[k, l] = Sum(dpre[i, k]*x[i, l], i)
    db[k] = Sum(dpre[i, k], i)
    dU[j, k] = Sum(a[i, k]*(softmax(z[i, j], j) - t[i, j]), i)/n
    where a[i, k] = relu(b[k] + Sum(W[k, l]*x[i, l], l))
    where z[i, j] = Sum(U[j, k]*a[i, k], k)
    where dz[i, j] = (softmax(z[i, j], j) - t[i, j])/n
    where dpre[i, k] = where(b[k] + Sum(W[k, l]*x[i, l], l) > 0, Sum(U[j, k]*dz[i, j], j), 0)

Facts assumed (check_inputs looks whether data satisfy them)
    Sum(t[i, j], j) == 1 (t is a simplex)

Kinks and the derivative taken there
    relu at b[k] + Sum(W[k, j]*x[i, j], j) == 0: 0

Written by symgrad for NumPy.
"""

from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """The gradients, named by input."""

    W: np.ndarray
    b: np.ndarray
    U: np.ndarray


@np.errstate(all="ignore")
def loss(x, W, b, U, t, *, reduction="mean"):
    """x[n, d], W[h, d], b[h], U[c, h], t[n, c] -> loss[n], reduced."""
    x, W, b, U, t, dtype = _inputs(x, W, b, U, t)
    total = x @ W.T
    pre = b + total
    a = np.maximum(pre, 0)
    z = a @ U.T
    logp = _log_softmax(z, axis=-1)
    loss = -(logp * t).sum(axis=-1)
    return _reduced(loss, reduction).astype(dtype, copy=False)


@np.errstate(all="ignore")
def value_and_grad(x, W, b, U, t, *, reduction="mean"):
    """x[n, d], W[h, d], b[h], U[c, h], t[n, c] -> the reduced loss and its gradient."""
    x, W, b, U, t, dtype = _inputs(x, W, b, U, t)
    n = x.shape[0]
    scale = _scale(reduction, n)
    total = x @ W.T
    pre = b + total
    a = np.maximum(pre, 0)
    z = a @ U.T
    logp = _log_softmax(z, axis=-1)
    loss = -(logp * t).sum(axis=-1)
    softmax = _softmax(z, axis=-1)
    dz = (softmax * (1 - t) - t * _complement(softmax, axis=-1)) * scale
    dpre = np.where(0 < pre, dz @ U, 0)
    dW = dpre.T @ x
    db = dpre.sum(axis=0)
    dU = dz.T @ a
    return (
        _reduced(loss, reduction).astype(dtype, copy=False),
        Gradients(
            dW.astype(dtype, copy=False), db.astype(dtype, copy=False), dU.astype(dtype, copy=False)
        ),
    )


def grad(x, W, b, U, t, *, reduction="mean"):
    """x[n, d], W[h, d], b[h], U[c, h], t[n, c] -> dW[k, l], db[k], dU[j, k]"""
    return value_and_grad(x, W, b, U, t, reduction=reduction)[1]


@np.errstate(all="ignore")
def check_inputs(x, W, b, U, t):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    x, W, b, U, t, dtype = _inputs(x, W, b, U, t)
    tolerance = _tolerance(dtype)
    _demand(-t <= tolerance, "t[i, j] >= 0 (t is a simplex)")
    _demand((t - 1) <= tolerance, "t[i, j] <= 1 (t is a simplex)")
    _demand(np.abs(t.sum(axis=-1) - 1) <= tolerance, "Sum(t[i, j], j) == 1 (t is a simplex)")


def _inputs(x, W, b, U, t):
    """Checked: x[n, d], W[h, d], b[h], U[c, h], t[n, c]; and the dtype of the results."""
    x, W, b, U, t, dtype = _floats(x=x, W=W, b=b, U=U, t=t)
    n, d = _sizes("x", x, "[n, d]", None, None)
    h, _ = _sizes("W", W, "[h, d]", None, d)
    _sizes("b", b, "[h]", h)
    c, _ = _sizes("U", U, "[c, h]", None, h)
    _sizes("t", t, "[n, c]", n, c)
    return x, W, b, U, t, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    e = np.exp(x - top)
    return e / np.maximum(e.sum(axis=axis, keepdims=True), 1)


def _log_rest(x, axis, keepdims=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    lower = x < top
    others = (np.exp(x - top) * lower).sum(axis=axis, keepdims=keepdims)
    return np.log1p(others + ((~lower).sum(axis=axis, keepdims=keepdims) - 1).astype(x.dtype))


def _log_softmax(x, axis):
    """x - log(sum(exp(x))), shifted by the maximum first: exact where one element is nearly all."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    return x - top - _log_rest(x, axis, keepdims=True)


def _complement(y, axis):
    """1 - y for weights that sum to 1: the sum of the others where one is more than a half."""
    small = y <= 0.5
    return (1 - y) * small + (y * small).sum(axis=axis, keepdims=True) * ~small


def _floats(**inputs):
    """Real inputs as arrays of one dtype, and that of the results: half is computed in float32."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise TypeError(f"{name} must be an array of floating dtype, got {array.dtype}")
    weak = [value if type(value) is float else arrays[name] for name, value in inputs.items()]
    dtype = np.result_type(*weak)
    compute = np.promote_types(dtype, np.float32)
    return *(array.astype(compute, copy=False) for array in arrays.values()), dtype


def _sizes(name, array, expected, *sizes):
    """The shape of an array; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(array.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape


def _reduced(values, reduction):
    """The mean, the sum, or the values themselves."""
    if reduction == "mean":
        return values.sum() / values.size
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _scale(reduction, count):
    """The weight of one element of the batch in the reduced loss."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"a gradient needs reduction 'mean' or 'sum', got {reduction!r}")
    return 1 / max(count, 1) if reduction == "mean" else 1


def _demand(condition, text):
    """Raises ValueError where a condition does not hold."""
    if not np.all(condition):
        raise ValueError(f"the data break {text}")


def _tolerance(dtype):
    """How far data may miss a fact: rounding is no violation."""
    return {2: 1e-2, 4: 1e-4}.get(dtype.itemsize, 1e-6)
