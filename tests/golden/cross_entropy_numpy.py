"""cross_entropy

z[n, c], t[n] -> loss[n]

Formula
    loss: logsumexp(z[i, j], j) - z[i, t[i]]

Gradient of the mean
    dz[i, j] = (softmax(z[i, j], j) - where(j == t[i], 1, 0))/n

Written by symgrad for NumPy.
"""

import numpy as np


@np.errstate(all="ignore")
def loss(z, t, *, reduction="mean"):
    """z[n, c], t[n] -> loss[n], reduced."""
    z, t, dtype = _inputs(z, t)
    n, c = z.shape
    _in_range("t", t, 0, c - 1, "axis c of z")
    loss = -(z[np.arange(n), t] - _top(z, axis=-1) - _log_rest(z, axis=-1))
    return _reduced(loss, reduction).astype(dtype, copy=False)


@np.errstate(all="ignore")
def value_and_grad(z, t, *, reduction="mean"):
    """z[n, c], t[n] -> the reduced loss and its gradient."""
    z, t, dtype = _inputs(z, t)
    n, c = z.shape
    _in_range("t", t, 0, c - 1, "axis c of z")
    scale = _scale(reduction, n)
    loss = -(z[np.arange(n), t] - _top(z, axis=-1) - _log_rest(z, axis=-1))
    mask = np.arange(c) == t[:, None]
    softmax = _softmax(z, axis=-1)
    dz = (
        softmax * (1 - mask.astype(z.dtype)) - np.where(mask, _complement(softmax, axis=-1), 0)
    ) * scale
    return _reduced(loss, reduction).astype(dtype, copy=False), dz.astype(dtype, copy=False)


def grad(z, t, *, reduction="mean"):
    """z[n, c], t[n] -> dz[i, j]"""
    return value_and_grad(z, t, reduction=reduction)[1]


@np.errstate(all="ignore")
def check_inputs(z, t):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    z, t, dtype = _inputs(z, t)
    c = z.shape[1]
    _demand(0 <= t, "t[i] >= 0 (t is integer(0, c - 1))")
    _demand(t + 1 <= c, "t[i] <= c - 1 (t is integer(0, c - 1))")


def _inputs(z, t):
    """Checked: z[n, c], t[n]; and the dtype of the results."""
    z, dtype = _floats(z=z)
    t = _integers("t", t)
    n, _ = _sizes("z", z, "[n, c]", None, None)
    _sizes("t", t, "[n]", n)
    return z, t, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    e = np.exp(x - top)
    return e / np.maximum(e.sum(axis=axis, keepdims=True), 1)


def _top(x, axis):
    """The maximum, finite where all are -inf."""
    return np.maximum(x.max(axis=axis), np.finfo(x.dtype).min)


def _log_rest(x, axis, keepdims=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    lower = x < top
    others = (np.exp(x - top) * lower).sum(axis=axis, keepdims=keepdims)
    return np.log1p(others + ((~lower).sum(axis=axis, keepdims=keepdims) - 1).astype(x.dtype))


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


def _integers(name, value):
    """An integer input as an array."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got {array.dtype}")
    return array


def _sizes(name, array, expected, *sizes):
    """The shape of an array; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(array.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape


def _in_range(name, array, low, high, axis):
    """Raises IndexError where an integer lies outside of the axis that it subscripts."""
    if array.size and (array.min() < low or array.max() > high):
        bad = array.min() if array.min() < low else array.max()
        raise IndexError(f"{name} holds {bad}, outside of {low} to {high} ({axis})")


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
