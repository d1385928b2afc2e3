"""cross_entropy

z[n, c], t[n] -> loss[n]

Formula
    loss: logsumexp(z[i, j], j) - z[i, t[i]]

Gradient of the mean
    dz[i, j] = (softmax(z[i, j], j) - where(j == t[i], 1, 0))/n

Written by symgrad for torch.
"""

import functools

import torch


def cross_entropy(z, t, *, reduction="mean"):
    """z[n, c], t[n] -> the loss, reduced"""
    z, t, dtype = _inputs(z, t)
    c = z.shape[1]
    _in_range("t", t, 0, c - 1, "axis c of z")
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(z.device.type, enabled=False):
        loss = kernel.apply(z, t)
    return _reduced(loss, reduction).to(dtype)


class CrossEntropy(torch.nn.Module):
    """cross_entropy as a Module; the parameters are arguments of the constructor."""

    def __init__(self, *, reduction="mean"):
        super().__init__()
        self.options = {"reduction": reduction}

    def forward(self, z, t):
        """z[n, c], t[n] -> loss[n]"""
        return cross_entropy(z, t, **self.options)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z, t):
        return _values(z, t)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])

    @staticmethod
    def backward(ctx, dloss):
        with torch.autocast(dloss.device.type, enabled=False):
            dz = _gradients(dloss, *ctx.saved_tensors)
        return dz, None


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:2])
        )
        return _tangents(*tangents, *ctx.saved_tensors)


def _values(z, t):
    """z[n, c], t[n] -> loss[n]"""
    n = z.shape[0]
    loss = -(z[torch.arange(n, device=z.device), t] - _top(z, axis=-1) - _log_rest(z, axis=-1))
    return loss


def _gradients(dloss, z, t):
    """dloss[n] -> dz"""
    c = z.shape[1]
    mask = torch.arange(c, device=z.device) == t[:, None]
    softmax = _softmax(z, axis=-1)
    dz = dloss[:, None] * (
        softmax * (1 - mask.to(z.dtype)) - torch.where(mask, _complement(softmax, axis=-1), 0)
    )
    return dz


def _tangents(z_dot, t_dot, z, t):
    """z_dot, t_dot -> loss_dot"""
    n = z.shape[0]
    lse_dot = (z_dot * _softmax(z, axis=-1)).sum(dim=-1)
    loss_dot = lse_dot - z_dot[torch.arange(n, device=z.device), t]
    return loss_dot


def _inputs(z, t):
    """Checked: z[n, c], t[n]; and the dtype of the results."""
    z, dtype = _floats(z=z)
    t = _integers("t", t)
    n, _ = _sizes("z", z, "[n, c]", None, None)
    _sizes("t", t, "[n]", n)
    return z, t, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = x.detach().amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = torch.exp(x - top)
    return e / e.sum(dim=axis, keepdim=True).clamp(min=1)


def _top(x, axis):
    """The maximum, finite where all are -inf; autograd sees the first of equals."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    return x.amax(dim=axis).clamp(min=torch.finfo(x.dtype).min)


def _log_rest(x, axis, keepdim=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    top = x.amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    lower = x < top
    others = (torch.exp(x - top) * lower).sum(dim=axis, keepdim=keepdim)
    rest = others + ((~lower).sum(dim=axis, keepdim=keepdim) - 1)
    return torch.where(rest < 0, -torch.inf, torch.log1p(rest.clamp(min=0)))


def _complement(y, axis):
    """1 - y for weights that sum to 1: the sum of the others where one is more than a half."""
    small = y <= 0.5
    return (1 - y) * small + (y * small).sum(dim=axis, keepdim=True) * ~small


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


def _reduced(values, reduction):
    """The mean, the sum, or the values themselves."""
    if reduction == "mean":
        return values.mean()
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _sizes(name, tensor, expected, *sizes):
    """The shape of a tensor; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(tensor.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape
