"""layer_norm

x[..., d], g[d], b[d] -> y[..., d]

Formula
    m: mean(x[..., k], k)
    s: 1/sqrt(var(x[..., k], k) + eps)
    u: (x[..., k] - m[...])*s[...]
    y: u[..., k]*g[k] + b[k]

Gradient
    dx[..., k] = s[...]*(dy[..., k]*g[k] - (Sum(dy[..., i]*g[i], i) + u[..., k]*Sum(dy[...,
        i]*g[i]*u[..., i], i))/d)
    dg[k] = Sum(dy[..., k]*u[..., k], ...)
    db[k] = Sum(dy[..., k], ...)
    where m[...] = Sum(x[..., i], i)/d
    where s[...] = 1/sqrt(Sum((x[..., i] - Sum(x[..., i], i)/d)**2, i)/d + eps)
    where u[..., k] = s[...]*(x[..., k] - m[...])

Written by symgrad for NumPy.
"""

import math
from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """The gradients, named by input."""

    x: np.ndarray
    g: np.ndarray
    b: np.ndarray


@np.errstate(all="ignore")
def forward(x, g, b, *, eps=1e-05):
    """x[..., d], g[d], b[d] -> y[..., d], and what backward needs."""
    x, g, b, dtype = _inputs(x, g, b)
    d = x.shape[-1]
    m = x.sum(axis=-1) / d
    diff = x - m[..., None]
    s = 1 / _hypot(_norm(diff, axis=-1) * math.sqrt(1 / d), math.sqrt(eps))
    u = s[..., None] * diff
    y = b + g * u
    return y.astype(dtype, copy=False), (g, s, u)


@np.errstate(all="ignore")
def backward(dy, saved):
    """dy[..., d] -> dx[..., k], dg[k], db[k]"""
    g, s, u = saved
    dy, dtype = _floats(dy=dy)
    _sizes("dy", dy, "[..., d]", *s.shape, g.shape[0])
    d = g.shape[0]
    product_2 = dy * u
    dx = s[..., None] * (g * dy - ((dy @ g)[..., None] + (product_2 @ g)[..., None] * u) / d)
    dg = product_2.reshape(-1, product_2.shape[-1]).sum(axis=0)
    db = dy.reshape(-1, dy.shape[-1]).sum(axis=0)
    return Gradients(
        dx.astype(dtype, copy=False), dg.astype(dtype, copy=False), db.astype(dtype, copy=False)
    )


@np.errstate(all="ignore")
def check_inputs(x, g, b, *, eps=1e-05):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    x, g, b, dtype = _inputs(x, g, b)
    _demand(0 < eps, "eps > 0 (eps is positive)")


def _inputs(x, g, b):
    """Checked: x[..., d], g[d], b[d]; and the dtype of the results."""
    x, g, b, dtype = _floats(x=x, g=g, b=b)
    *_, d = _sizes("x", x, "[..., d]", ..., None)
    _sizes("g", g, "[d]", d)
    _sizes("b", b, "[d]", d)
    return x, g, b, dtype


def _norm(x, axis):
    """The 2-norm, without overflow: in double precision, or scaled by a power of two."""
    if x.dtype == np.float32:
        return np.sqrt(np.square(x, dtype=np.float64).sum(axis=axis)).astype(x.dtype)
    top = np.abs(x).max(axis=axis, keepdims=True, initial=0)
    scale = np.ldexp(np.ones_like(x, shape=top.shape), np.frexp(top)[1] - 1)
    scale = np.where((top > 0) & (top < np.inf), scale, 1)
    return np.sqrt(((x / scale) ** 2).sum(axis=axis)) * scale.squeeze(axis=axis)


def _hypot(x, y):
    """sqrt(x**2 + y**2) without overflow."""
    x, y = abs(x), abs(y)
    top = np.maximum(np.maximum(x, y), np.finfo(x.dtype).tiny)
    low = np.minimum(x, y) / top
    return np.where(top < np.inf, top * np.sqrt(1 + low * low), top)


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


def _demand(condition, text):
    """Raises ValueError where a condition does not hold."""
    if not np.all(condition):
        raise ValueError(f"the data break {text}")
