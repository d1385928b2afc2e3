"""embedding

T[v, d], t[...] -> y[..., d]

Formula
    y: T[t[...], k]

Gradient
    dT[i, k] = Sum(where(i == t[...], dy[..., k], 0), ...)

Written by symgrad for torch.
"""

import functools
import math

import torch


def embedding(T, t):
    """T[v, d], t[...] -> y[..., d]"""
    T, t, dtype = _inputs(T, t)
    v = T.shape[0]
    _in_range("t", t, 0, v - 1, "axis v of T")
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(T.device.type, enabled=False):
        y = kernel.apply(T, t)
    return y.to(dtype)


class Embedding(torch.nn.Module):
    """embedding as a Module; the parameters are arguments of the constructor."""

    def forward(self, T, t):
        """T[v, d], t[...] -> y[..., d]"""
        return embedding(T, t)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(T, t):
        return _values(T, t)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])

    @staticmethod
    def backward(ctx, dy):
        with torch.autocast(dy.device.type, enabled=False):
            dT = _gradients(dy, *ctx.saved_tensors)
        return dT, None


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:2])
        )
        return _tangents(*tangents, *ctx.saved_tensors)


def _values(T, t):
    """T[v, d], t[...] -> y[..., d]"""
    y = T[t]
    return y


def _gradients(dy, T, t):
    """dy[..., d] -> dT"""
    v = T.shape[0]
    dT = _scattered(dy, 0, 1, (v, t[..., None]))
    return dT


def _tangents(T_dot, t_dot, T, t):
    """T_dot, t_dot -> y_dot"""
    y_dot = T_dot[t]
    return y_dot


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
    lead, own, last = x.shape[:first], x.shape[first : x.ndim - after], x.shape[x.ndim - after :]
    rows, width = math.prod(lead), math.prod(last)
    sizes = [size for size, _ in targets]
    at = torch.arange(rows, device=x.device).reshape(*lead, *[1] * len(own), *[1] * after)
    for size, position in targets:
        at = at * size + position
    at = at.expand(*lead, *own, *[1] * after).reshape(-1, 1).expand(-1, width)
    zeros = x.new_zeros((rows * math.prod(sizes), width))
    return zeros.scatter_add(0, at, x.reshape(-1, width)).reshape(*lead, *sizes, *last)


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


def _integers(name, tensor):
    """An integer input."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex or tensor.dtype == torch.bool:
        raise TypeError(f"{name} must be a tensor of integers, got {tensor.dtype}")
    return tensor.long()


def _in_range(name, tensor, low, high, axis):
    """Raises IndexError where an integer lies outside of the axis that it subscripts.

    Not under torch.compile, torch.func transforms or on meta tensors: there are no values to see.
    """
    if torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return
    if tensor.numel() and not tensor.is_meta:
        smallest, largest = (int(v) for v in torch.aminmax(tensor))
        if smallest < low or largest > high:
            bad = smallest if smallest < low else largest
            raise IndexError(f"{name} holds {bad}, outside of {low} to {high} ({axis})")


def _sizes(name, tensor, expected, *sizes):
    """The shape of a tensor; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(tensor.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape
