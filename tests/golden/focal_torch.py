"""focal

x[n], t[n] -> loss[n]

Formula
    p: sigmoid(x[i])
    loss: -t[i]*(1 - p[i])**g*log(p[i]) - (1 - t[i])*p[i]**g*log(1 - p[i])

Gradient of the mean
    dx[i] = (p[i]**g*(1 - t[i])*(p[i] - g*log(1 - p[i])*(1 - p[i])) - t[i]*(1 - p[i]*(g*log(p[i]) +
        1))*(1 - p[i])**g)/n
    where p[i] = sigmoid(x[i])

Written by symgrad for torch.
"""

import functools

import torch


def focal(x, t, *, reduction="mean", g=2.0):
    """x[n], t[n] -> the loss, reduced"""
    x, t, dtype = _inputs(x, t)
    kernel = _Function if torch.compiler.is_compiling() else _ForwardModeFunction
    with torch.autocast(x.device.type, enabled=False):
        loss = kernel.apply(x, t, g)
    return _reduced(loss, reduction).to(dtype)


class Focal(torch.nn.Module):
    """focal as a Module; the parameters are arguments of the constructor."""

    def __init__(self, *, reduction="mean", g=2.0):
        super().__init__()
        self.options = {"reduction": reduction, "g": g}

    def forward(self, x, t):
        """x[n], t[n] -> loss[n]"""
        return focal(x, t, **self.options)


class _Function(torch.autograd.Function):
    """Saves the inputs alone: the backward pass computes what it needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, t, g):
        return _values(x, t, g)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.save_for_forward(*inputs[:2])
        ctx.parameters = inputs[2:]

    @staticmethod
    def backward(ctx, dloss):
        with torch.autocast(dloss.device.type, enabled=False):
            dx = _gradients(dloss, *ctx.saved_tensors, *ctx.parameters)
        return dx, None, None


class _ForwardModeFunction(_Function):
    """With forward mode; torch.compile does not trace a Function that has it."""

    @staticmethod
    def jvp(ctx, *tangents):
        tangents = (
            torch.zeros_like(primal) if tangent is None else tangent
            for primal, tangent in zip(ctx.saved_tensors, tangents[:2])
        )
        return _tangents(*tangents, *ctx.saved_tensors, *ctx.parameters)


def _values(x, t, g):
    """x[n], t[n] -> loss[n]"""
    p = _sigmoid(x)
    loss = (
        p**g * torch.nn.functional.logsigmoid(-x) * (t - 1)
        - t * torch.nn.functional.logsigmoid(x) * _sigmoid(-x) ** g
    )
    return loss


def _gradients(dloss, x, t, g):
    """dloss[n] -> dx"""
    p = _sigmoid(x)
    sigmoid = _sigmoid(-x)
    dx = dloss * (
        t * sigmoid**g * (p * torch.nn.functional.logsigmoid(x) * g - sigmoid)
        + p**g * (t - 1) * (torch.nn.functional.logsigmoid(-x) * sigmoid * g - p)
    )
    return dx


def _tangents(x_dot, t_dot, x, t, g):
    """x_dot, t_dot -> loss_dot"""
    p = _sigmoid(x)
    sigmoid = _sigmoid(-x)
    p_dot = x_dot * sigmoid * p
    product = t * x_dot
    loss_dot = (
        p_dot * p ** (g - 1) * torch.nn.functional.logsigmoid(-x) * (t - 1) * g
        + product * torch.nn.functional.logsigmoid(x) * p * sigmoid**g * g
        + x_dot * p**g * p * (1 - t)
        - product * sigmoid ** (g + 1)
    )
    return loss_dot


def _inputs(x, t):
    """Checked: x[n], t[n]; and the dtype of the results."""
    x, t, dtype = _floats(x=x, t=t)
    (n,) = _sizes("x", x, "[n]", None)
    _sizes("t", t, "[n]", n)
    return x, t, dtype


def _sigmoid(x):
    """1/(1 + exp(-x)) down to the smallest numbers: exp(x)*sigmoid(-x) where x < 0, by one formula for autograd."""
    low = x.clamp(min=-1000, max=0)
    return torch.exp(low) * torch.sigmoid(torch.sub(x, low, alpha=2))


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
