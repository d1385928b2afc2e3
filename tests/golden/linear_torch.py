"""linear

x[..., d], W[m, d], b[m] -> y[..., m]

Formula
    y: Sum(x[..., k]*W[o, k], k) + b[o]

Gradient
    dx[..., k] = Sum(W[o, k]*dy[..., o], o)
    dW[o, k] = Sum(dy[..., o]*x[..., k], ...)
    db[o] = Sum(dy[..., o], ...)

Written by symgrad for torch.
"""

import functools

import torch


def linear(x, W, b):
    """x[..., d], W[m, d], b[m] -> y[..., m]"""
    x, W, b, dtype = _inputs(x, W, b)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(x.device.type, enabled=False):
        y = kernel.apply(x, W, b)
    return y.to(dtype)


class Linear(torch.nn.Module):
    """linear as a Module; the parameters are arguments of the constructor."""

    def forward(self, x, W, b):
        """x[..., d], W[m, d], b[m] -> y[..., m]"""
        return linear(x, W, b)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, W, b):
        return _values(x, W, b)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:3])
        ctx.save_for_forward(*inputs[:3])

    @staticmethod
    def backward(ctx, dy):
        with torch.autocast(dy.device.type, enabled=False):
            dx, dW, db = _gradients(dy, *ctx.saved_tensors)
        return dx, dW, db


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:3])
        )
        return _tangents(*tangents, *ctx.saved_tensors)


def _values(x, W, b):
    """x[..., d], W[m, d], b[m] -> y[..., m]"""
    total = x @ W.T
    y = b + total
    return y


def _gradients(dy, x, W, b):
    """dy[..., m] -> dx, dW, db"""
    dx = dy @ W
    dy_flat = dy.reshape(-1, dy.shape[-1])
    dW = dy_flat.T @ x.reshape(-1, x.shape[-1])
    db = dy_flat.sum(dim=0)
    return dx, dW, db


def _tangents(x_dot, W_dot, b_dot, x, W, b):
    """x_dot, W_dot, b_dot -> y_dot"""
    total_dot = x @ W_dot.T + x_dot @ W.T
    y_dot = b_dot + total_dot
    return y_dot


def _inputs(x, W, b):
    """Checked: x[..., d], W[m, d], b[m]; and the dtype of the results."""
    x, W, b, dtype = _floats(x=x, W=W, b=b)
    *_, d = _sizes("x", x, "[..., d]", ..., None)
    m, _ = _sizes("W", W, "[m, d]", None, d)
    _sizes("b", b, "[m]", m)
    return x, W, b, dtype


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
