"""conv2d

x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s +
    1]

Formula
    y: Sum(x[n, c, s*p + u - pad, s*q + v - pad]*W[o, c, u, v], c, u, v) + bias[o]

Gradient
    dx[n, c, i, j] = Sum(W[o, c, i + pad - s*p, j + pad - s*q]*dy[n, o, p, q], p, o, q)
    dW[o, c, u, v] = Sum(dy[n, o, p, q]*x[n, c, s*p + u - pad, s*q + v - pad], p, n, q)
    dbias[o] = Sum(dy[n, o, p, q], p, n, q)

Written by symgrad for NumPy.
"""

from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """The gradients, named by input."""

    x: np.ndarray
    W: np.ndarray
    bias: np.ndarray


@np.errstate(all="ignore")
def forward(x, W, bias, *, s=1, pad=0):
    """x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w -
    t)//s + 1], and what backward needs.
    """
    x, W, bias, dtype = _inputs(x, W, bias)
    h = x.shape[2]
    r = W.shape[2]
    w = x.shape[3]
    t = W.shape[3]
    x_windows = _windows(x, 2, -pad, s, (2 * pad + h - r) // s + 1, r, 1)
    x_windows_2 = _windows(x_windows, 3, -pad, s, (2 * pad + w - t) // s + 1, t, 1)
    total = np.einsum("nipqjk,oijk->nopq", x_windows_2, W, optimize=True)
    y = bias[:, None, None] + total
    return y.astype(dtype, copy=False), (x, W, s, pad)


@np.errstate(all="ignore")
def backward(dy, saved):
    """dy[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s + 1] -> dx[n, c, i, j], dW[o, c, u,
    v], dbias[o]
    """
    x, W, s, pad = saved
    dy, dtype = _floats(dy=dy)
    _sizes(
        "dy",
        dy,
        "[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s + 1]",
        x.shape[0],
        W.shape[0],
        None,
        None,
    )
    h = x.shape[2]
    w = x.shape[3]
    r = W.shape[2]
    t = W.shape[3]
    folded = _folded(np.einsum("nijk,iclm->njkcml", dy, W, optimize=True), 1, -pad, s, h, 1)
    folded_2 = _folded(folded, 2, -pad, s, w, 1)
    dx = folded_2.transpose(0, 3, 1, 2)
    x_windows = _windows(x, 2, -pad, s, (2 * pad + h - r) // s + 1, r, 1)
    x_windows_2 = _windows(x_windows, 3, -pad, s, (2 * pad + w - t) // s + 1, t, 1)
    dW = np.einsum("iojk,icjkuv->ocuv", dy, x_windows_2, optimize=True)
    dbias = dy.sum(axis=(0, 2, -1))
    return Gradients(
        dx.astype(dtype, copy=False), dW.astype(dtype, copy=False), dbias.astype(dtype, copy=False)
    )


@np.errstate(all="ignore")
def check_inputs(x, W, bias, *, s=1, pad=0):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    _inputs(x, W, bias)


def _inputs(x, W, bias):
    """Checked: x[b, ci, h, w], W[co, ci, r, t], bias[co]; and the dtype of the results."""
    x, W, bias, dtype = _floats(x=x, W=W, bias=bias)
    _, ci, _, _ = _sizes("x", x, "[b, ci, h, w]", None, None, None, None)
    co, _, _, _ = _sizes("W", W, "[co, ci, r, t]", None, ci, None, None)
    _sizes("bias", bias, "[co]", co)
    return x, W, bias, dtype


def _reach(x, axis, start, stop):
    """x[start:stop] along an axis, 0 outside of the array."""
    before, after = max(-start, 0), max(stop - x.shape[axis], 0)
    if before or after:
        x = np.pad(x, [(before, after) if k == axis else (0, 0) for k in range(x.ndim)])
    return x[(slice(None),) * axis + (slice(start + before, stop + before),)]


def _windows(x, axis, start, step, count, size, dilation):
    """Entry [.., p, .., u] reads the axis of x at start + step*p + dilation*u, 0 outside."""
    if count < 1:
        raise ValueError(f"an axis of size {x.shape[axis]} holds no window of size {size}")
    axis, length = axis % x.ndim, dilation * (size - 1) + 1
    x = _reach(x, axis, start, start + step * (count - 1) + length)
    views = np.lib.stride_tricks.sliding_window_view(x, length, axis)
    return views[(slice(None),) * axis + (slice(None, None, step),)][..., ::dilation]


def _folded(x, axis, start, step, extent, dilation):
    """Adds entry [.., p, .., u] at start + step*p + dilation*u of an axis; drops what is outside."""
    axis %= x.ndim
    reach, low = step * (x.shape[axis] - 1) + 1, min(start, 0)
    stop = start + reach + dilation * (x.shape[-1] - 1)
    before = (slice(None),) * axis
    size = max(stop, extent) - low
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 : -1]), x.dtype)
    for u in range(x.shape[-1]):
        first = start - low + dilation * u
        out[(*before, slice(first, first + reach, step))] += x[..., u]
    return out[(*before, slice(-low, extent - low))]


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
