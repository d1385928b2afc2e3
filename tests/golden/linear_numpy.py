"""linear

x[..., d], W[m, d], b[m] -> y[..., m]

Formula
    y: Sum(x[..., k]*W[o, k], k) + b[o]

Gradient
    dx[..., k] = Sum(W[o, k]*dy[..., o], o)
    dW[o, k] = Sum(dy[..., o]*x[..., k], ...)
    db[o] = Sum(dy[..., o], ...)

Written by symgrad for NumPy.
"""

from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """The gradients, named by input."""

    x: np.ndarray
    W: np.ndarray
    b: np.ndarray


@np.errstate(all="ignore")
def forward(x, W, b):
    """x[..., d], W[m, d], b[m] -> y[..., m], and what backward needs."""
    x, W, b, dtype = _inputs(x, W, b)
    total = x @ W.T
    y = b + total
    return y.astype(dtype, copy=False), (x, W)


@np.errstate(all="ignore")
def backward(dy, saved):
    """dy[..., m] -> dx[..., k], dW[o, k], db[o]"""
    x, W = saved
    dy, dtype = _floats(dy=dy)
    _sizes("dy", dy, "[..., m]", *x.shape[:-1], W.shape[0])
    dx = dy @ W
    dy_flat = dy.reshape(-1, dy.shape[-1])
    dW = dy_flat.T @ x.reshape(-1, x.shape[-1])
    db = dy_flat.sum(axis=0)
    return Gradients(
        dx.astype(dtype, copy=False), dW.astype(dtype, copy=False), db.astype(dtype, copy=False)
    )


@np.errstate(all="ignore")
def check_inputs(x, W, b):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    _inputs(x, W, b)


def _inputs(x, W, b):
    """Checked: x[..., d], W[m, d], b[m]; and the dtype of the results."""
    x, W, b, dtype = _floats(x=x, W=W, b=b)
    *_, d = _sizes("x", x, "[..., d]", ..., None)
    m, _ = _sizes("W", W, "[m, d]", None, d)
    _sizes("b", b, "[m]", m)
    return x, W, b, dtype


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
