"""softmax_ce

z[n, c], t[n, c] -> loss[n]

Formula
    y: softmax(z[i, j], j)
    loss: -Sum(t[i, j]*log(y[i, j]), j)

Gradient of the mean
    dz[i, j] = (y[i, j] - t[i, j])/n
    where y[i, j] = softmax(z[i, j], j)

Facts assumed (check_inputs looks whether data satisfy them)
    Sum(t[i, j], j) == 1 (t is a simplex)

Written by symgrad for torch.
"""

import functools

import torch


def softmax_ce(z, t, *, reduction="mean"):
    """z[n, c], t[n, c] -> the loss, reduced"""
    z, t, dtype = _inputs(z, t)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(z.device.type, enabled=False):
        loss = kernel.apply(z, t)
    return _reduced(loss, reduction).to(dtype)


class SoftmaxCe(torch.nn.Module):
    """softmax_ce as a Module; the parameters are arguments of the constructor."""

    def __init__(self, *, reduction="mean"):
        super().__init__()
        self.options = {"reduction": reduction}

    def forward(self, z, t):
        """z[n, c], t[n, c] -> loss[n]"""
        return softmax_ce(z, t, **self.options)


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
    """z[n, c], t[n, c] -> loss[n]"""
    logp = _log_softmax(z, axis=-1)
    loss = -(logp * t).sum(dim=-1)
    return loss


def _gradients(dloss, z, t):
    """dloss[n] -> dz"""
    y = _softmax(z, axis=-1)
    dz = dloss[:, None] * (y * (1 - t) - t * _complement(y, axis=-1))
    return dz


def _tangents(z_dot, t_dot, z, t):
    """z_dot, t_dot -> loss_dot"""
    logp_dot = _centered(z_dot, _softmax(z, axis=-1), axis=-1)
    loss_dot = -(logp_dot * t).sum(dim=-1)
    return loss_dot


def _inputs(z, t):
    """Checked: z[n, c], t[n, c]; and the dtype of the results."""
    z, t, dtype = _floats(z=z, t=t)
    n, c = _sizes("z", z, "[n, c]", None, None)
    _sizes("t", t, "[n, c]", n, c)
    return z, t, dtype


def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = x.detach().amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = torch.exp(x - top)
    return e / e.sum(dim=axis, keepdim=True).clamp(min=1)


def _log_rest(x, axis, keepdim=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    top = x.amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    lower = x < top
    others = (torch.exp(x - top) * lower).sum(dim=axis, keepdim=keepdim)
    rest = others + ((~lower).sum(dim=axis, keepdim=keepdim) - 1)
    return torch.where(rest < 0, -torch.inf, torch.log1p(rest.clamp(min=0)))


def _log_softmax(x, axis):
    """x - log(sum(exp(x))), shifted by the maximum first: exact where one element is nearly all."""
    top = x.amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    return x - top - _log_rest(x, axis, keepdim=True)


def _complement(y, axis):
    """1 - y for weights that sum to 1: the sum of the others where one is more than a half."""
    small = y <= 0.5
    return (1 - y) * small + (y * small).sum(dim=axis, keepdim=True) * ~small


def _centered(g, y, axis):
    """g - sum(y*g) for weights y that sum to 1: g is shifted first to 0 at the largest weight."""
    top = y == y.amax(dim=axis, keepdim=True)
    count = top.sum(dim=axis, keepdim=True)
    g = g - torch.where(top, g, 0).sum(dim=axis, keepdim=True) / count
    return g - (y * g).sum(dim=axis, keepdim=True)


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
