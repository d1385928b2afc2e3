"""embedding

T[v, d], t[...] -> y[..., d]

Formula
    y: T[t[...], k]

Gradient
    dT[i, k] = Sum(where(i == t[...], dy[..., k], 0), ...)

Written by symgrad for NumPy.
"""

import math

import numpy as np


@np.errstate(all="ignore")
def forward(T, t):
    """T[v, d], t[...] -> y[..., d], and what backward needs."""
    T, t, dtype = _inputs(T, t)
    v = T.shape[0]
    _in_range("t", t, 0, v - 1, "axis v of T")
    y = T[t]
    return y.astype(dtype, copy=False), (t, v)


@np.errstate(all="ignore")
def backward(dy, saved):
    """dy[..., d] -> dT[i, k]"""
    t, v = saved
    dy, dtype = _floats(dy=dy)
    _sizes("dy", dy, "[..., d]", *t.shape, None)
    dT = _scattered(dy, 0, 1, (v, t[..., None]))
    return dT.astype(dtype, copy=False)


@np.errstate(all="ignore")
def check_inputs(T, t):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    T, t, dtype = _inputs(T, t)
    v = T.shape[0]
    _demand(0 <= t, "t[...] >= 0 (t is integer(0, v - 1))")
    _demand(t + 1 <= v, "t[...] <= v - 1 (t is integer(0, v - 1))")


def _inputs(T, t):
    """Checked: T[v, d], t[...]; and the dtype of the results."""
    T, dtype = _floats(T=T)
    t = _integers("t", t)
    _sizes("T", T, "[v, d]", None, None)
    return T, t, dtype


def _scattered(x, first, after, *targets):
    """Adds x at positions: its axes from `first` on, but for `after` last ones, become others.

    Each target is the size of a new axis and the positions there, which broadcast against x.
    """
    first %= max(x.ndim, 1)
    lead, last = x.shape[:first], x.shape[x.ndim - after :]
    rows, width = math.prod(lead), math.prod(last)
    sizes = [size for size, _ in targets]
    at = np.arange(rows).reshape(*lead, *[1] * (x.ndim - first))
    for size, position in targets:
        at = at * size + np.asarray(position, np.intp)
    at = at * width + np.arange(width).reshape(last)
    out = np.zeros(rows * math.prod(sizes) * width, x.dtype)
    np.add.at(out, np.broadcast_to(at, x.shape).ravel(), x.ravel())
    return out.reshape(*lead, *sizes, *last)


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


def _demand(condition, text):
    """Raises ValueError where a condition does not hold."""
    if not np.all(condition):
        raise ValueError(f"the data break {text}")
