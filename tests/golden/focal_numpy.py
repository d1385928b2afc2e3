"""focal

x[n], t[n] -> loss[n]

Formula
    p: sigmoid(x[i])
    loss: -t[i]*(1 - p[i])**g*log(p[i]) - (1 - t[i])*p[i]**g*log(1 - p[i])

Gradient of the mean
    dx[i] = (p[i]**g*(1 - t[i])*(p[i] - g*log(1 - p[i])*(1 - p[i])) - t[i]*(1 - p[i]*(g*log(p[i]) +
        1))*(1 - p[i])**g)/n
    where p[i] = sigmoid(x[i])

Written by symgrad for NumPy.
"""

import numpy as np


@np.errstate(all="ignore")
def loss(x, t, *, reduction="mean", g=2.0):
    """x[n], t[n] -> loss[n], reduced."""
    x, t, dtype = _inputs(x, t)
    p = _sigmoid(x)
    loss = p**g * _log_sigmoid(-x) * (t - 1) - t * _log_sigmoid(x) * _sigmoid(-x) ** g
    return _reduced(loss, reduction).astype(dtype, copy=False)


@np.errstate(all="ignore")
def value_and_grad(x, t, *, reduction="mean", g=2.0):
    """x[n], t[n] -> the reduced loss and its gradient."""
    x, t, dtype = _inputs(x, t)
    n = x.shape[0]
    scale = _scale(reduction, n)
    p = _sigmoid(x)
    sigmoid = _sigmoid(-x)
    power = sigmoid**g
    power_2 = p**g
    log_sigmoid = _log_sigmoid(-x)
    log_sigmoid_x = _log_sigmoid(x)
    loss = power_2 * log_sigmoid * (t - 1) - t * log_sigmoid_x * power
    dx = (
        t * power * (p * log_sigmoid_x * g - sigmoid)
        + power_2 * (t - 1) * (log_sigmoid * sigmoid * g - p)
    ) * scale
    return _reduced(loss, reduction).astype(dtype, copy=False), dx.astype(dtype, copy=False)


def grad(x, t, *, reduction="mean", g=2.0):
    """x[n], t[n] -> dx[i]"""
    return value_and_grad(x, t, reduction=reduction, g=g)[1]


@np.errstate(all="ignore")
def check_inputs(x, t, *, g=2.0):
    """Raises ValueError naming the domain or fact that the data break; the kernels never look."""
    x, t, dtype = _inputs(x, t)
    tolerance = _tolerance(dtype)
    _demand(-t <= tolerance, "t[i] >= 0 (t is unit interval)")
    _demand((t - 1) <= tolerance, "t[i] <= 1 (t is unit interval)")


def _inputs(x, t):
    """Checked: x[n], t[n]; and the dtype of the results."""
    x, t, dtype = _floats(x=x, t=t)
    (n,) = _sizes("x", x, "[n]", None)
    _sizes("t", t, "[n]", n)
    return x, t, dtype


def _sigmoid(x):
    """1/(1 + exp(-x)) without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def _log_sigmoid(x):
    """log(sigmoid(x)) without overflow."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


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


def _reduced(values, reduction):
    """The mean, the sum, or the values themselves."""
    if reduction == "mean":
        return values.sum() / values.size
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


def _scale(reduction, count):
    """The weight of one element of the batch in the reduced loss."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"a gradient needs reduction 'mean' or 'sum', got {reduction!r}")
    return 1 / max(count, 1) if reduction == "mean" else 1


def _demand(condition, text):
    """Raises ValueError where a condition does not hold."""
    if not np.all(condition):
        raise ValueError(f"the data break {text}")


def _tolerance(dtype):
    """How far data may miss a fact: rounding is no violation."""
    return {2: 1e-2, 4: 1e-4}.get(dtype.itemsize, 1e-6)
