"""conv2d

x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s +
    1]

Formula
    y: Sum(x[n, c, s*p + u - pad, s*q + v - pad]*W[o, c, u, v], c, u, v) + bias[o]

Gradient
    dx[n, c, i, j] = Sum(W[o, c, i + pad - s*p, j + pad - s*q]*dy[n, o, p, q], o, p, q)
    dW[o, c, u, v] = Sum(dy[n, o, p, q]*x[n, c, s*p + u - pad, s*q + v - pad], n, p, q)
    dbias[o] = Sum(dy[n, o, p, q], n, p, q)

Written by symgrad for torch.
"""

import functools

import torch


def conv2d(x, W, bias, *, s=1, pad=0):
    """x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w -
    t)//s + 1]
    """
    x, W, bias, dtype = _inputs(x, W, bias)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(x.device.type, enabled=False):
        y = kernel.apply(x, W, bias, s, pad)
    return y.to(dtype)


class Conv2d(torch.nn.Module):
    """conv2d as a Module; the parameters are arguments of the constructor."""

    def __init__(self, *, s=1, pad=0):
        super().__init__()
        self.options = {"s": s, "pad": pad}

    def forward(self, x, W, bias):
        """x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w -
        t)//s + 1]
        """
        return conv2d(x, W, bias, **self.options)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, W, bias, s, pad):
        return _values(x, W, bias, s, pad)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:3])
        ctx.save_for_forward(*inputs[:3])
        ctx.parameters = inputs[3:]

    @staticmethod
    def backward(ctx, dy):
        with torch.autocast(dy.device.type, enabled=False):
            dx, dW, dbias = _gradients(dy, *ctx.saved_tensors, *ctx.parameters)
        return dx, dW, dbias, None, None


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:3])
        )
        return _tangents(*tangents, *ctx.saved_tensors, *ctx.parameters)


def _values(x, W, bias, s, pad):
    """x[b, ci, h, w], W[co, ci, r, t], bias[co] -> y[b, co, (2*pad + h - r)//s + 1, (2*pad + w -
    t)//s + 1]
    """
    h = x.shape[2]
    r = W.shape[2]
    w = x.shape[3]
    t = W.shape[3]
    x_windows = _windows(
        x,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    total = torch.einsum("nipqjk,oijk->nopq", x_windows, W)
    y = bias[:, None, None] + total
    return y


def _gradients(dy, x, W, bias, s, pad):
    """dy[b, co, (2*pad + h - r)//s + 1, (2*pad + w - t)//s + 1] -> dx, dW, dbias"""
    h = x.shape[2]
    w = x.shape[3]
    r = W.shape[2]
    t = W.shape[3]
    folded = _folded(torch.einsum("nijk,iclm->njkcml", dy, W), 1, -pad, s, h, 1)
    folded_2 = _folded(folded, 2, -pad, s, w, 1)
    dx = folded_2.permute(0, 3, 1, 2)
    x_windows_2 = _windows(
        x,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    dW = torch.einsum("iojk,icjkuv->ocuv", dy, x_windows_2)
    dbias = dy.sum(dim=(0, 2, -1))
    return dx, dW, dbias


def _tangents(x_dot, W_dot, bias_dot, x, W, bias, s, pad):
    """x_dot, W_dot, bias_dot -> y_dot"""
    h = x.shape[2]
    r = W.shape[2]
    w = x.shape[3]
    t = W.shape[3]
    x_windows_2 = _windows(
        x,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    x_dot_windows = _windows(
        x_dot,
        (2, -pad, s, 1, (2 * pad + h - r) // s + 1, r),
        (3, -pad, s, 1, (2 * pad + w - t) // s + 1, t),
    )
    total_dot = (
        torch.einsum("nipqjk,oijk->npqo", x_windows_2, W_dot)
        + torch.einsum("nipqjk,oijk->npqo", x_dot_windows, W)
    ).permute(0, 3, 1, 2)
    y_dot = bias_dot[:, None, None] + total_dot
    return y_dot


def _inputs(x, W, bias):
    """Checked: x[b, ci, h, w], W[co, ci, r, t], bias[co]; and the dtype of the results."""
    x, W, bias, dtype = _floats(x=x, W=W, bias=bias)
    _, ci, _, _ = _sizes("x", x, "[b, ci, h, w]", None, None, None, None)
    co, _, _, _ = _sizes("W", W, "[co, ci, r, t]", None, ci, None, None)
    _sizes("bias", bias, "[co]", co)
    return x, W, bias, dtype


def _reach(x, *spans):
    """x[start:stop] along axes, 0 outside of the array; each span is axis, start, stop."""
    pads, sizes = [0] * (2 * x.ndim), x.shape
    for axis, start, stop in spans:
        last = 2 * (x.ndim - 1 - axis)
        pads[last : last + 2] = max(-start, 0), max(stop - sizes[axis], 0)
    if any(pads):
        x = torch.nn.functional.pad(x, pads)
    for axis, start, stop in spans:
        x = x.narrow(axis, max(start, 0), stop - start)
    return x


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
    for (axis, *_), (_, _, step, dilation, _, size) in zip(spans, windows):
        x = x.unfold(axis, dilation * (size - 1) + 1, step)[..., ::dilation]
    return x


def _folded(x, axis, start, step, extent, dilation):
    """Adds entry [.., p, .., u] at start + step*p + dilation*u of an axis; drops what is outside."""
    axis, low = axis % x.ndim, min(start, 0)
    count, size = x.shape[axis], x.shape[-1]
    stop = start + step * (count - 1) + dilation * (size - 1) + 1
    slide = torch.arange(count, device=x.device)[:, None] * step
    positions = slide + torch.arange(size, device=x.device) * dilation + (start - low)
    x = x.movedim(-1, axis + 1).flatten(axis, axis + 1)
    zeros = x.new_zeros((*x.shape[:axis], max(stop, extent) - low, *x.shape[axis + 1 :]))
    return zeros.index_add(axis, positions.flatten(), x).narrow(axis, -low, extent)


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
