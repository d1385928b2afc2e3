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

Written by symgrad for torch.
"""

import functools
import math

import torch


def attention(Q, K, V):
    """Q[b, t, d], K[b, t, d], V[b, t, e] -> y[b, t, e]"""
    Q, K, V, dtype = _inputs(Q, K, V)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(Q.device.type, enabled=False):
        y = kernel.apply(Q, K, V)
    return y.to(dtype)


class Attention(torch.nn.Module):
    """attention as a Module; the parameters are arguments of the constructor."""

    def forward(self, Q, K, V):
        """Q[b, t, d], K[b, t, d], V[b, t, e] -> y[b, t, e]"""
        return attention(Q, K, V)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(Q, K, V):
        return _values(Q, K, V)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:3])
        ctx.save_for_forward(*inputs[:3])

    @staticmethod
    def backward(ctx, dy):
        with torch.autocast(dy.device.type, enabled=False):
            dQ, dK, dV = _gradients(dy, *ctx.saved_tensors)
        return dQ, dK, dV


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:3])
        )
        return _tangents(*tangents, *ctx.saved_tensors)


def _values(Q, K, V):
    """Q[b, t, d], K[b, t, d], V[b, t, e] -> y[b, t, e]"""
    d = Q.shape[2]
    t = Q.shape[1]
    S = Q @ K.mT / math.sqrt(d)
    mask_2 = torch.arange(t, device=Q.device) <= torch.arange(t, device=Q.device)[:, None]
    P = _softmax(torch.where(mask_2, S, -math.inf), axis=-1)
    y = P @ V
    return y


def _gradients(dy, Q, K, V):
    """dy[b, t, e] -> dQ, dK, dV"""
    d = Q.shape[2]
    t = Q.shape[1]
    S = Q @ K.mT / math.sqrt(d)
    mask_2 = torch.arange(t, device=Q.device) <= torch.arange(t, device=Q.device)[:, None]
    P = _softmax(torch.where(mask_2, S, -math.inf), axis=-1)
    y = P @ V
    dS = P * (dy @ V.mT - (dy * y).sum(dim=-1)[:, :, None])
    dQ = dS @ K / math.sqrt(d)
    dK = dS.mT @ Q / math.sqrt(d)
    dV = P.mT @ dy
    return dQ, dK, dV


def _tangents(Q_dot, K_dot, V_dot, Q, K, V):
    """Q_dot, K_dot, V_dot -> y_dot"""
    d = Q.shape[2]
    t = Q.shape[1]
    S = Q @ K.mT / math.sqrt(d)
    mask_2 = torch.arange(t, device=Q.device) <= torch.arange(t, device=Q.device)[:, None]
    P = _softmax(torch.where(mask_2, S, -math.inf), axis=-1)
    S_dot = (Q @ K_dot.mT + Q_dot @ K.mT) / math.sqrt(d)
    lse_dot = (S_dot * _softmax(torch.where(mask_2, S, -math.inf), axis=-1)).sum(dim=-1)
    P_dot = _softmax(torch.where(mask_2, S, -math.inf), axis=-1) * (
        torch.where(mask_2, S_dot, 0) - lse_dot[:, :, None]
    )
    y_dot = P_dot @ V + P @ V_dot
    return y_dot


def _inputs(Q, K, V):
    """Checked: Q[b, t, d], K[b, t, d], V[b, t, e]; and the dtype of the results."""
    Q, K, V, dtype = _floats(Q=Q, K=K, V=V)
    b, t, d = _sizes("Q", Q, "[b, t, d]", None, None, None)
    _sizes("K", K, "[b, t, d]", b, t, d)
    _sizes("V", V, "[b, t, e]", b, t, None)
    return Q, K, V, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = x.detach().amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = torch.exp(x - top)
    return e / e.sum(dim=axis, keepdim=True).clamp(min=1)


def _floats(**inputs):
    """Real inputs in one dtype, and that of the results: half is computed in float32."""
    for name, tensor in inputs.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
        if not tensor.dtype.is_floating_point:
            raise TypeError(f"{name} must be a tensor of floating dtype, got {tensor.dtype}")
    tensors = inputs.values()
    dtypes = [t.dtype for t in tensors if t.ndim] or [t.dtype for t in tensors]
    dtype = functools.reduce(torch.promote_types, dtypes)
    compute = torch.promote_types(dtype, torch.float32)
    return *(t.to(compute) for t in tensors), dtype


def _sizes(name, tensor, expected, *sizes):
    """The shape of a tensor; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(tensor.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape
