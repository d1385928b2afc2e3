"""conv2d

x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s +
    1]

Formula
    y: Sum(x[n, c, s*p + u - pad, s*q + v - pad]*W[o, c, u, v], c, u, v) + bias[o]

Gradient
    dx[n, c, i, j] = Sum(W[o, c, i + pad - s*p, j + pad - s*q]*dy[n, o, p, q], o, p, q)
    dW[o, c, u, v] = Sum(dy[n, o, p, q]*x[n, c, s*p + u - pad, s*q + v - pad], n, p, q)
    dbias[o] = Sum(dy[n, o, p, q], n, p, q)

Written by symgrad for NumPy.
"""

import math
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
    x_windows = _windows(
        x,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    total = _contracted("nipqjk,oijk->nopq", x_windows, W)
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
    folded = _folded(_contracted("nijk,iclm->njkcml", dy, W), 1, -pad, s, h, 1)
    folded_2 = _folded(folded, 2, -pad, s, w, 1)
    dx = folded_2.transpose(0, 3, 1, 2)
    x_windows = _windows(
        x,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    dW = _contracted("iojk,icjkuv->ocuv", dy, x_windows)
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


def _reach(x, *spans):
    """x[start:stop] along axes, 0 outside of the array; each span is axis, start, stop."""
    shape, inside, at = list(x.shape), [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for axis, start, stop in spans:
        before, after = max(-start, 0), max(stop - x.shape[axis], 0)
        shape[axis] += before + after
        inside[axis] = slice(before, before + x.shape[axis])
        at[axis] = slice(start + before, stop + before)
    if shape != list(x.shape):
        whole = np.zeros(shape, x.dtype)
        whole[tuple(inside)] = x
        x = whole
    return x[tuple(at)]


def _contracted(spec, a, b):
    """np.einsum of two arrays as one product of matrices, or one for each of the leading axes."""
    inputs, out = spec.split("->")
    left, right = inputs.split(",")
    if "..." in spec:
        count = max(x.ndim - len(t) + 3 for x, t in ((a, left), (b, right)) if "..." in t)
        left, right, out = (t.replace("...", "0123456789"[:count]) for t in (left, right, out))
    if out[:1] not in left:
        left, right, a, b = right, left, b, a
    size = dict(zip(left + right, a.shape + b.shape))
    shared = [i for i in out if i in left and i in right]
    over = [i for i in left if i in right and i not in out]
    own, new = ([i for i in out if i in t and i not in shared] for t in (left, right))
    lead = own[: sum(out.startswith("".join(own[: k + 1])) for k in range(len(own)))]
    rest = own[len(lead) :]
    if not lead or not rest:
        lead, rest = [], own

    def matrix(x, stored, names, rows, columns):
        flip = rows and columns and size[rows[-1]] > size[columns[-1]]
        groups = [columns, rows] if flip else [rows, columns]
        order = [stored.index(i) for i in names + sum(groups, [])]
        shape = [size[i] for i in names] + [math.prod(size[i] for i in g) for g in groups]
        x = x.transpose(order).reshape(shape)
        return x.swapaxes(-1, -2) if flip else x

    c = matrix(b, right, shared, new, over) @ matrix(a, left, lead + shared, over, rest)
    order = lead + shared + new + rest
    return c.reshape([size[i] for i in order]).transpose([order.index(i) for i in out])


def _windows(x, *windows):
    """Entry [.., p, .., u] reads an axis of x at start + step*p + dilation*u, 0 outside.

    Each window is axis, start, step, dilation, count of p, count of u; the axes u come last.
    """
    spans = []
    for axis, start, step, dilation, count, size in windows:
        if count < 1:
            raise ValueError(f"an axis of size {x.shape[axis]} holds no window of size {size}")
        stop = start + step * (count - 1) + dilation * (size - 1) + 1
        spans.append((axis % x.ndim, start, stop))
    x = _reach(x, *spans)
    lengths = [dilation * (size - 1) + 1 for *_, dilation, _, size in windows]
    axes = [axis for axis, *_ in spans]
    views = np.lib.stride_tricks.sliding_window_view(x, lengths, axes)
    at = [slice(None)] * x.ndim + [slice(None, None, w[3]) for w in windows]
    for axis, w in zip(axes, windows):
        at[axis] = slice(None, None, w[2])
    return views[tuple(at)]


def _folded(x, axis, start, step, extent, dilation):
    """Adds entry [.., p, .., u] at start + step*p + dilation*u of an axis; drops what is outside."""
    axis %= x.ndim
    if x.shape[axis] < x.shape[-1]:  # slice by slice of the shorter one
        x, step, dilation = x.swapaxes(axis, -1), dilation, step
    reach, low = step * (x.shape[axis] - 1) + 1, min(start, 0)
    stop = start + reach + dilation * (x.shape[-1] - 1)
    before = (slice(None),) * axis
    shape = [*x.shape[:axis], max(stop, extent) - low, *x.shape[axis + 1 : -1]]
    order = sorted(range(x.ndim - 1), key=lambda k: -x.strides[k])  # laid out as x is
    out = np.zeros([shape[k] for k in order], x.dtype).transpose(np.argsort(order))
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
