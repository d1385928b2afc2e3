"""Activations by hand: softplus and prelu (NumPy), silu and hard_swish (torch functions), gelu_tanh, leaky_relu."""

import math

import numpy as np
import torch
from torch.autograd import Function


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x, dy, beta=1.0):
    e = np.exp(-np.abs(beta * x))
    return dy * np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softplus_beta_outside(x, dy, beta=1.0):
    return dy * beta * _sigmoid(beta * x)


def softplus_beta_divided(x, dy, beta=1.0):
    return dy * _sigmoid(beta * x) / beta


def softplus_second(x, dy, beta=1.0):
    s = _sigmoid(beta * x)
    return dy * s * (1 - s)


def softplus_exploding(x, dy, beta=1.0):
    with np.errstate(all="ignore"):
        return dy * np.exp(beta * x) / (1 + np.exp(beta * x))


def softplus_threshold(x, dy, beta=1.0, threshold=5.0):
    grad = _sigmoid(beta * x)
    grad = np.where(beta * x > threshold, 1.0, grad)
    return dy * grad


def softplus_upstream_lost(x, dy, beta=1.0):
    return _sigmoid(beta * x)


def softplus_one_minus(x, dy, beta=1.0):
    with np.errstate(over="ignore"):
        return dy * (1 - 1 / (1 + np.exp(beta * x)))


class SiLU(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


class SiLUWithoutGate(SiLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return dy * x * s * (1 - s)


class SiLUGateOnly(SiLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * torch.sigmoid(x)


class SiLUOfOutput(Function):
    @staticmethod
    def forward(ctx, x):
        s = x.sigmoid()
        y = x * s
        ctx.save_for_backward(y, s)
        return y

    @staticmethod
    def backward(ctx, dy):
        y, s = ctx.saved_tensors
        return dy * (y + s * (1 + y))


class SiLUUpstreamLost(SiLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return s + x * s * (1 - s)


class SiLUUpstreamTwice(SiLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        grad = dy * s
        grad = grad + dy * x * s * (1 - s)
        return dy * grad


class SiLUMinus(SiLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return dy * s * (1 - x * (1 - s))


class HardSwish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * (x + 3).clamp(0, 6) / 6

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * torch.where(x < -3, 0.0, torch.where(x > 3, 1.0, x / 3 + 0.5))


class HardSwishUnclipped(HardSwish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * (x / 3 + 0.5)


class HardSwishDeadAbove(HardSwish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        inside = (x >= -3) & (x <= 3)
        return torch.where(inside, dy * (2 * x + 3) / 6, torch.zeros_like(x))


class HardSwishSlope(HardSwish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * torch.where(x < -3, 0.0, torch.where(x > 3, 1.0, x / 6 + 0.5))


class HardSwishHalf(HardSwish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        gate = torch.clamp(x + 3, 0, 6) / 6
        through = torch.where(x.abs() <= 3, x / 6, 0.0)
        return 0.5 * dy * (gate + through)


class HardSwishOpenBorder(HardSwish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        gate = torch.clamp(x + 3, 0, 6) / 6
        return dy * (gate + (x.abs() < 3) * x / 6)


ROOT = math.sqrt(2 / math.pi)


def gelu(x, dy):
    u = 2 * ROOT * (x + 0.044715 * x**3)
    gate = torch.sigmoid(u)
    return dy * gate * (1 + x * torch.sigmoid(-u) * 2 * ROOT * (1 + 3 * 0.044715 * x**2))


def gelu_cube_forgotten(x, dy):
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dy * 0.5 * (1 + t + x * (1 - t * t) * ROOT)


def gelu_three_forgotten(x, dy):
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 0.044715 * x**2))


def gelu_root_forgotten(x, dy):
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (1 + 3 * 0.044715 * x**2))


def gelu_gate_only(x, dy):
    t = torch.tanh(ROOT * (x + 0.044715 * x**3))
    return 0.5 * dy * (1 + t)


def gelu_without_half(x, dy):
    inner = ROOT * (x + 0.044715 * x**3)
    t = inner.tanh()
    return dy.mul(1 + t + x * (1 - t.square()) * ROOT * (1 + 0.134145 * x.square()))


def prelu(x, a, dy):
    negative = x <= 0
    return np.where(negative, a * dy, dy), (dy * x * negative).reshape(-1, x.shape[-1]).sum(0)


def prelu_slope_of_all(x, a, dy):
    axes = tuple(range(x.ndim - 1))
    return dy * np.where(x > 0, 1, a), np.sum(dy * x, axis=axes)


def prelu_slope_of_positive(x, a, dy):
    da = np.where(x > 0, dy * x, 0).reshape(-1, len(a)).sum(axis=0)
    return dy * np.where(x > 0, 1, a), da


def prelu_slope_not_summed(x, a, dy):
    return dy * np.where(x > 0, 1, a), np.where(x > 0, 0, dy * x)


def prelu_shared_slope(x, a, dy):
    da = np.where(x > 0, 0, dy * x).sum()
    return dy * np.where(x > 0, 1, a), np.full_like(a, da)


def prelu_dead(x, a, dy):
    da = np.minimum(x, 0) * dy
    return dy * (x > 0), da.reshape(-1, len(a)).sum(axis=0)


def prelu_zero_is_positive(x, a, dy):
    da = (np.minimum(x, 0) * dy).reshape(-1, len(a)).sum(axis=0)
    return np.where(x >= 0, dy, a * dy), da


def prelu_slope_mean(x, a, dy):
    da = (np.minimum(x, 0) * dy).reshape(-1, len(a)).mean(axis=0)
    return np.where(x > 0, dy, a * dy), da


def leaky(x, dy, slope=0.01):
    return np.where(x > 0, dy, slope * dy)


def leaky_of_upstream(x, dy, slope=0.01):
    return np.where(dy > 0, dy, slope * dy)


def leaky_negative_slope(x, dy, slope=0.01):
    return dy * np.where(x > 0, 1, -slope)


def leaky_zero(x, dy, slope=0.01):
    out = dy.copy()
    out[x < 0] *= slope
    return out


def leaky_inverse(x, dy, slope=0.01):
    return dy * np.where(x > 0, slope, 1)


def leaky_relu_only(x, dy, slope=0.01):
    return dy * (x > 0)
