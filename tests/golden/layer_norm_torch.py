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

Written by symgrad for torch.
"""

import functools
import math

import torch


def layer_norm(x, g, b, *, eps=1e-05):
    """x[..., d], g[d], b[d] -> y[..., d]"""
    x, g, b, dtype = _inputs(x, g, b)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(x.device.type, enabled=False):
        y = kernel.apply(x, g, b, eps)
    return y.to(dtype)


class LayerNorm(torch.nn.Module):
    """layer_norm as a Module; the parameters are arguments of the constructor."""

    def __init__(self, *, eps=1e-05):
        super().__init__()
        self.options = {"eps": eps}

    def forward(self, x, g, b):
        """x[..., d], g[d], b[d] -> y[..., d]"""
        return layer_norm(x, g, b, **self.options)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, g, b, eps):
        return _values(x, g, b, eps)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:3])
        ctx.save_for_forward(*inputs[:3])
        ctx.parameters = inputs[3:]

    @staticmethod
    def backward(ctx, dy):
        with torch.autocast(dy.device.type, enabled=False):
            dx, dg, db = _gradients(dy, *ctx.saved_tensors, *ctx.parameters)
        return dx, dg, db, None


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:3])
        )
        return _tangents(*tangents, *ctx.saved_tensors, *ctx.parameters)


def _values(x, g, b, eps):
    """x[..., d], g[d], b[d] -> y[..., d]"""
    d = x.shape[-1]
    m = x.sum(dim=-1) / d
    diff = x - m[..., None]
    s = 1 / _hypot(_norm(diff, axis=-1) * math.sqrt(1 / d), math.sqrt(eps))
    u = s[..., None] * diff
    y = b + g * u
    return y


def _gradients(dy, x, g, b, eps):
    """dy[..., d] -> dx, dg, db"""
    d = x.shape[-1]
    m = x.sum(dim=-1) / d
    diff = x - m[..., None]
    s = 1 / _hypot(_norm(diff, axis=-1) * math.sqrt(1 / d), math.sqrt(eps))
    u = s[..., None] * diff
    product_2 = dy * u
    dx = s[..., None] * (g * dy - ((dy @ g)[..., None] + (product_2 @ g)[..., None] * u) / d)
    dg = product_2.reshape(-1, product_2.shape[-1]).sum(dim=0)
    db = dy.reshape(-1, dy.shape[-1]).sum(dim=0)
    return dx, dg, db


def _tangents(x_dot, g_dot, b_dot, x, g, b, eps):
    """x_dot, g_dot, b_dot -> y_dot"""
    d = x.shape[-1]
    m = x.sum(dim=-1) / d
    diff = x - m[..., None]
    hypot = _hypot(_norm(diff, axis=-1) * math.sqrt(1 / d), math.sqrt(eps))
    s = 1 / hypot
    u = s[..., None] * diff
    m_dot = x_dot.sum(dim=-1) / d
    diff_dot = x_dot - m_dot[..., None]
    var_dot = 2 * (diff * diff_dot).sum(dim=-1) / d
    s_dot = -(0.5 * var_dot) / hypot / hypot / hypot
    u_dot = s_dot[..., None] * diff + s[..., None] * diff_dot
    y_dot = b_dot + g * u_dot + g_dot * u
    return y_dot


def _inputs(x, g, b):
    """Checked: x[..., d], g[d], b[d]; and the dtype of the results."""
    x, g, b, dtype = _floats(x=x, g=g, b=b)
    *_, d = _sizes("x", x, "[..., d]", ..., None)
    _sizes("g", g, "[d]", d)
    _sizes("b", b, "[d]", d)
    return x, g, b, dtype


def _norm(x, axis):
    """The 2-norm, scaled by a power of two so that no square overflows or vanishes."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    top = x.detach().abs().amax(dim=axis, keepdim=True)
    sane = (top > 0) & (top < torch.inf)
    top = torch.where(sane, torch.exp2(torch.log2(torch.where(sane, top, 1)).floor()), 1)
    total = ((x / top) ** 2).sum(dim=axis, keepdim=True)
    zero = total == 0
    root = torch.where(zero, 0, torch.sqrt(torch.where(zero, 1, total)) * top)
    return root.sum(dim=axis)


def _hypot(x, y):
    """sqrt(x**2 + y**2) without overflow."""
    return torch.hypot(x, y if isinstance(y, torch.Tensor) else torch.full_like(x, y))


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
