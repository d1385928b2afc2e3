"""attention

Q[b, t, d], K[b, t, d], V[b, t, e] -> y[b, t, e]

Formula
    S: Sum(Q[n, i, k]*K[n, j, k], k)/sqrt(d)
    P: softmax(Piecewise((S[n, i, j], j <= i), (-oo, True)), j)
    y: Sum(P[n, i, j]*V[n, j, a], j)

Gradient
    dQ[n, i, k] = Sum(K[n, j, k]*dS[n, i, j], j)/sqrt(d)
    dK[n, j, k] = Sum(Q[n, i, k]*dS[n, i, j], i)/sqrt(d)
    dV[n, i, a] = Sum(P[n, j, i]*dy[n, j, a], j)
    where S[n, i, j] = Sum(K[n, j, k]*Q[n, i, k], k)/sqrt(d)
    where P[n, i, j] = softmax(where(j <= i, S[n, i, j], -oo), j)
    where y[n, i, a] = Sum(P[n, i, j]*V[n, j, a], j)
    where dS[n, i, j] = P[n, i, j]*(Sum(V[n, j, a]*dy[n, i, a], a) - Sum(dy[n, i, a]*y[n, i, a], a))

Written by symgrad for NumPy.
"""

import math
from typing import NamedTuple

import numpy as np


class Gradients(NamedTuple):
    """The gradients, named by input."""

    Q: np.ndarray
    K: np.ndarray
    V: np.ndarray


@np.errstate(all="ignore")
def forward(Q, K, V):
    """Q[b, t, d], K[b, t, d], V[b, t, e] -> y[b, t, e], and what backward needs."""
    Q, K, V, dtype = _inputs(Q, K, V)
    d = Q.shape[2]
    t = Q.shape[1]
    S = Q @ K.swapaxes(-1, -2) / math.sqrt(d)
    mask_2 = np.arange(t) <= np.arange(t)[:, None]
    P = _softmax(np.where(mask_2, S, -math.inf), axis=-1)
    y = P @ V
    return y.astype(dtype, copy=False), (Q, K, V, P, y)


@np.errstate(all="ignore")
def backward(dy, saved):
    """dy[b, t, e] -> dQ[n, i, k], dK[n, j, k], dV[n, i, a]"""
    Q, K, V, P, y = saved
    dy, dtype = _floats(dy=dy)
    _sizes("dy", dy, "[b, t, e]", Q.shape[0], Q.shape[1], V.shape[2])
    d = Q.shape[2]
    dS = P * (dy @ V.swapaxes(-1, -2) - (dy * y).sum(axis=-1)[:, :, None])
    dQ = dS @ K / math.sqrt(d)
    dK = dS.swapaxes(-1, -2) @ Q / math.sqrt(d)
    dV = P.swapaxes(-1, -2) @ dy
    return Gradients(
        dQ.astype(dtype, copy=False), dK.astype(dtype, copy=False), dV.astype(dtype, copy=False)
    )


@np.errstate(all="ignore")
def check_inputs(Q, K, V):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    _inputs(Q, K, V)


def _inputs(Q, K, V):
    """Checked: Q[b, t, d], K[b, t, d], V[b, t, e]; and the dtype of the results."""
    Q, K, V, dtype = _floats(Q=Q, K=K, V=V)
    b, t, d = _sizes("Q", Q, "[b, t, d]", None, None, None)
    _sizes("K", K, "[b, t, d]", b, t, d)
    _sizes("V", V, "[b, t, e]", b, t, None)
    return Q, K, V, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    e = np.exp(x - top)
    return e / np.maximum(e.sum(axis=axis, keepdims=True), 1)


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
