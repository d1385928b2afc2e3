"""Layers as one writes them by hand in NumPy: im2col and one product of matrices, argmax of windows, col2im."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def windows(x: Array, r: int, t: int, s: int) -> Array:
    """x[n, c, h, w] -> [n, c, p, q, r, t]"""
    return np.lib.stride_tricks.sliding_window_view(x, (r, t), (2, 3))[:, :, ::s, ::s]


def added(cols: Array, height: int, width: int, s: int) -> Array:
    """cols[n, c, r, t, p, q] -> x[n, c, height, width], each column added where it was read"""
    n, c, r, t, p, q = cols.shape
    x = np.zeros((n, c, height, width), cols.dtype)
    for u in range(r):
        for v in range(t):
            x[:, :, u : u + s * (p - 1) + 1 : s, v : v + s * (q - 1) + 1 : s] += cols[:, :, u, v]
    return x


def padded(x: Array, pad: int) -> Array:
    """x[n, c, h, w] -> x[n, c, h + 2*pad, w + 2*pad]"""
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


def cut(x: Array, pad: int) -> Array:
    """x[n, c, h, w] -> x[n, c, h - 2*pad, w - 2*pad]"""
    return x[:, :, pad : x.shape[2] - pad, pad : x.shape[3] - pad]


def conv_forward(x: Array, W: Array, b: Array, pad: int) -> tuple[Array, Any]:
    """x[n, c, h, w], W[o, c, r, t], b[o] -> y[n, o, p, q]"""
    o, c, r, t = W.shape
    view = windows(padded(x, pad), r, t, 1)
    n, p, q = x.shape[0], view.shape[2], view.shape[3]
    cols = view.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * r * t, p * q)
    return (W.reshape(o, -1) @ cols).reshape(n, o, p, q) + b[:, None, None], (x, W, cols, pad, p, q)


def conv_backward(dy: Array, saved: Any) -> tuple[Array, Array, Array]:
    """dy[n, o, p, q] -> dx, dW, db"""
    x, W, cols, pad, p, q = saved
    (n, c, h, w), (o, _, r, t) = x.shape, W.shape
    d = dy.reshape(n, o, -1)
    dW = (d @ cols.swapaxes(1, 2)).sum(0).reshape(W.shape)
    dcols = (W.reshape(o, -1).T @ d).reshape(n, c, r, t, p, q)
    return cut(added(dcols, h + 2 * pad, w + 2 * pad, 1), pad), dW, d.sum((0, 2))


def transposed_forward(x: Array, W: Array, b: Array, s: int, pad: int) -> tuple[Array, Any]:
    """x[n, c, h, w], W[c, o, r, t], b[o] -> y[n, o, p, q]"""
    (n, c, h, w), (_, o, r, t) = x.shape, W.shape
    cols = (W.reshape(c, -1).T @ x.reshape(n, c, -1)).reshape(n, o, r, t, h, w)
    y = cut(added(cols, s * (h - 1) + r, s * (w - 1) + t, s), pad)
    return y + b[:, None, None], (x, W, s, pad)


def transposed_backward(dy: Array, saved: Any) -> tuple[Array, Array, Array]:
    """dy[n, o, p, q] -> dx, dW, db"""
    x, W, s, pad = saved
    (n, c, h, w), (_, o, r, t) = x.shape, W.shape
    cols = windows(padded(dy, pad), r, t, s).transpose(0, 1, 4, 5, 2, 3).reshape(n, o * r * t, h * w)
    dx = (W.reshape(c, -1) @ cols).reshape(x.shape)
    return dx, (x.reshape(n, c, -1) @ cols.swapaxes(1, 2)).sum(0).reshape(W.shape), dy.sum((0, 2, 3))


def max_forward(x: Array, k: int, s: int) -> tuple[Array, Any]:
    """x[n, c, h, w] -> y[n, c, p, q]"""
    view = windows(x, k, k, s)
    flat = view.reshape(*view.shape[:4], k * k)
    at = flat.argmax(-1)
    return np.take_along_axis(flat, at[..., None], -1)[..., 0], (at, x.shape, k, s)


def max_backward(dy: Array, saved: Any) -> Array:
    """dy[n, c, p, q] -> dx[n, c, h, w]"""
    at, shape, k, s = saved
    taps = np.arange(k * k).reshape(k, k, 1, 1)
    return added(np.where(at[:, :, None, None] == taps, dy[:, :, None, None], 0), shape[2], shape[3], s)


def mean_forward(x: Array, k: int, s: int) -> tuple[Array, Any]:
    """x[n, c, h, w] -> y[n, c, p, q]"""
    return windows(x, k, k, s).mean((4, 5)), (x.shape, k, s)


def mean_backward(dy: Array, saved: Any) -> Array:
    """dy[n, c, p, q] -> dx[n, c, h, w]"""
    shape, k, s = saved
    taps = np.broadcast_to((dy / (k * k))[:, :, None, None], (*dy.shape[:2], k, k, *dy.shape[2:]))
    return added(taps, shape[2], shape[3], s)
