"""Normalizations by hand: layer_norm (NumPy), rms_norm (torch function), batch_norm (NumPy)."""

import numpy as np
import torch


def _rows(a):
    return a.reshape(-1, a.shape[-1])


def _standardize(x, eps):
    centered = x - x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + eps)
    return centered * rstd, rstd


def layer_norm(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    g = dy * gain
    dx = rstd * (g - g.mean(axis=-1, keepdims=True) - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_mean_detached(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    g = dy * gain
    dx = rstd * (g - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_variance_detached(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    g = dy * gain
    return rstd * (g - g.mean(axis=-1, keepdims=True)), _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_statistics_detached(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    return dy * gain * rstd, np.einsum("nk,nk->k", _rows(dy), _rows(u)), np.einsum("nk->k", _rows(dy))


def layer_norm_gain_forgotten(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    dx = rstd * (dy - dy.mean(axis=-1, keepdims=True) - u * (dy * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_rstd_forgotten(x, gain, bias, dy, eps=1e-5):
    u, _ = _standardize(x, eps)
    g = dy * gain
    dx = g - g.mean(axis=-1, keepdims=True) - u * (g * u).mean(axis=-1, keepdims=True)
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_gain_over_features(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    g = dy * gain
    dx = rstd * (g - g.mean(axis=-1, keepdims=True) - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, np.zeros_like(gain) + (dy * u).sum(), _rows(dy).sum(0)


def layer_norm_eps_dropped(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, 0.0)
    g = dy * gain
    dx = rstd * (g - g.mean(axis=-1, keepdims=True) - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_one_pass_variance(x, gain, bias, dy, eps=1e-5):
    m = x.mean(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) - m * m + eps)
    u = (x - m) * rstd
    g = dy * gain
    dx = rstd * (g - g.mean(axis=-1, keepdims=True) - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


def layer_norm_sum_for_mean(x, gain, bias, dy, eps=1e-5):
    u, rstd = _standardize(x, eps)
    g = dy * gain
    dx = rstd * (g - g.sum(axis=-1, keepdims=True) - u * (g * u).sum(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0), _rows(dy).sum(0)


class RMSNorm(torch.autograd.Function):
    eps = 1e-6

    @classmethod
    def scale(cls, x):
        return torch.rsqrt(x.square().mean(-1, keepdim=True) + cls.eps)

    @staticmethod
    def forward(ctx, x, weight):
        s = RMSNorm.scale(x)
        ctx.save_for_backward(x, weight, s)
        return weight * (x * s)

    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        u, g = x * s, dy * weight
        dx = s * (g - u * (g * u).mean(-1, keepdim=True))
        return dx, (dy * u).reshape(-1, x.shape[-1]).sum(0)


class RMSNormWeightTwice(RMSNorm):
    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        u, g = x * s, dy * weight
        dx = s * (g - u * (g * u).mean(-1, keepdim=True)) * weight
        return dx, (dy * u).reshape(-1, x.shape[-1]).sum(0)


class RMSNormScaleDetached(RMSNorm):
    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        return dy * weight * s, (dy * x * s).reshape(-1, x.shape[-1]).sum(0)


class RMSNormSumForMean(RMSNorm):
    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        u, g = x * s, dy * weight
        return s * (g - u * (g * u).sum(-1, keepdim=True)), (dy * u).reshape(-1, x.shape[-1]).sum(0)


class RMSNormWeightNotSummed(RMSNorm):
    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        u, g = x * s, dy * weight
        dw = (dy * u).reshape(-1, x.shape[-1])[0]
        return s * (g - u * (g * u).mean(-1, keepdim=True)), dw


class RMSNormUpstreamLost(RMSNorm):
    @staticmethod
    def backward(ctx, dy):
        x, weight, s = ctx.saved_tensors
        u = x * s
        g = weight.expand_as(x)
        return s * (g - u * (g * u).mean(-1, keepdim=True)), u.reshape(-1, x.shape[-1]).sum(0)


def rms_norm_cube_not_square(x, weight, dy, eps=1e-6):
    ms = (x * x).mean(axis=-1, keepdims=True) + eps
    s = ms**-0.5
    g = dy * weight
    dx = g * s - x * (g * x).mean(axis=-1, keepdims=True) * s**2
    return dx, _rows(dy * x * s).sum(0)


def rms_norm_eps_outside(x, weight, dy, eps=1e-6):
    s = 1 / (np.sqrt((x * x).mean(axis=-1, keepdims=True)) + eps)
    u, g = x * s, dy * weight
    dx = s * (g - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * u).sum(0)


def rms_norm_weight_from_input(x, weight, dy, eps=1e-6):
    s = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    u, g = x * s, dy * weight
    dx = s * (g - u * (g * u).mean(axis=-1, keepdims=True))
    return dx, _rows(dy * x).sum(0)


def _batch_statistics(x, eps):
    centered = x - x.mean(axis=0)
    rstd = 1 / np.sqrt(np.mean(centered**2, axis=0) + eps)
    return centered * rstd, rstd


def batch_norm(x, gamma, beta, dout, eps=1e-5):
    xhat, rstd = _batch_statistics(x, eps)
    dbeta, dgamma = dout.sum(axis=0), np.sum(dout * xhat, axis=0)
    return gamma * rstd * (dout - (dbeta + xhat * dgamma) / len(x)), dgamma, dbeta


def batch_norm_as_in_inference(x, gamma, beta, dout, eps=1e-5):
    xhat, rstd = _batch_statistics(x, eps)
    return dout * gamma * rstd, (dout * xhat).sum(0), dout.sum(0)


def batch_norm_staged_variance_sign(x, gamma, beta, dout, eps=1e-5):
    n, xmu = len(x), x - x.mean(axis=0)
    rstd = 1 / np.sqrt((xmu**2).mean(axis=0) + eps)
    dxhat = dout * gamma
    dvar = 0.5 * np.sum(dxhat * xmu, axis=0) * rstd**3
    dmu = -np.sum(dxhat * rstd, axis=0)
    return dxhat * rstd + dvar * 2 * xmu / n + dmu / n, (dout * xmu * rstd).sum(0), dout.sum(0)


def batch_norm_staged_mean_lost(x, gamma, beta, dout, eps=1e-5):
    n, xmu = len(x), x - x.mean(axis=0)
    rstd = 1 / np.sqrt((xmu**2).mean(axis=0) + eps)
    dxhat = dout * gamma
    dvar = -0.5 * np.sum(dxhat * xmu, axis=0) * rstd**3
    return dxhat * rstd + dvar * 2 * xmu / n, (dout * xmu * rstd).sum(0), dout.sum(0)


def batch_norm_along_features(x, gamma, beta, dout, eps=1e-5):
    xhat, rstd = _batch_statistics(x, eps)
    g = dout * gamma
    mean_g, mean_gu = g.mean(axis=1, keepdims=True), (g * xhat).mean(axis=1, keepdims=True)
    return rstd * (g - mean_g - xhat * mean_gu), (dout * xhat).sum(0), dout.sum(0)


def batch_norm_unbiased(x, gamma, beta, dout, eps=1e-5):
    xmu, n = x - x.mean(axis=0), x.shape[0]
    rstd = 1 / np.sqrt((xmu**2).sum(axis=0) / max(n - 1, 1) + eps)
    xhat = xmu * rstd
    dgamma, dbeta = (dout * xhat).sum(0), dout.sum(0)
    return gamma * rstd * (dout - dbeta / n - xhat * dgamma / n), dgamma, dbeta


def batch_norm_gain_twice(x, gamma, beta, dout, eps=1e-5):
    xhat, rstd = _batch_statistics(x, eps)
    dxhat = dout * gamma
    inner = dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)
    return gamma * rstd * inner, (dout * xhat).sum(0), dout.sum(0)


def batch_norm_gain_averaged(x, gamma, beta, dout, eps=1e-5):
    xhat, rstd = _batch_statistics(x, eps)
    dbeta, dgamma = dout.sum(axis=0), np.sum(dout * xhat, axis=0)
    return gamma * rstd * (dout - (dbeta + xhat * dgamma) / len(x)), dgamma / len(x), dbeta / len(x)
