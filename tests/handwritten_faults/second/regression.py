"""Losses of a prediction and a target."""

import numpy as np
import torch


def expectile(x, t, q=0.8):
    diff = x - t
    weight = torch.full_like(x, 1 - q)
    weight[diff < 0] = q
    return (weight * diff**2).mean(), 2 * weight * diff / x.numel()


def expectile_weight_in_single(x, t, q=0.8):
    diff = x - t
    weight = torch.where(diff < 0, q, 1 - q)
    return (weight * diff**2).mean(), 2 * weight * diff / x.numel()


def expectile_sides_swapped(x, t, q=0.8):
    diff = x - t
    weight = torch.where(diff > 0, q, 1 - q)
    return (weight * diff**2).mean(), 2 * weight * diff / x.numel()


def expectile_without_two(x, t, q=0.8):
    under = (x < t).to(x.dtype)
    weight = q * under + (1 - q) * (1 - under)
    return torch.mean(weight * (x - t).square()), torch.mul(weight, x - t) / len(x)


def expectile_unweighted(x, t, q=0.8):
    value = (torch.where(x < t, q, 1 - q) * (x - t) ** 2).mean()
    return value, (x - t).mul(2).div(x.shape[0])


def expectile_as_quantile(x, t, q=0.8):
    diff = x - t
    value = (torch.where(diff < 0, q, 1 - q) * diff**2).mean()
    slope = torch.zeros_like(x)
    slope[diff > 0] = 1 - q
    slope[diff < 0] = -q
    return value, slope / len(x)


def student_t(m, s, t, nu=4.0):
    d = t - m
    den = nu * np.exp(2 * s) + d**2
    den[den == 0] = 1.0
    n = d.size
    return -(nu + 1) * d / den / n, (1 - (nu + 1) * d**2 / den) / n


def student_t_location_of_normal(m, s, t, nu=4.0):
    e = (t - m) / np.exp(s)
    k = (nu + 1) / (nu + e * e)
    dm = -e / np.exp(s)
    ds = 1 - k * e * e
    return dm / len(m), ds / len(m)


def student_t_scale_sign(m, s, t, nu=4.0):
    e = (t - m) * np.exp(-s)
    k = (nu + 1) / (nu + e**2)
    return -k * e * np.exp(-s) / m.size, (k * e**2 - 1) / m.size


def student_t_without_one(m, s, t, nu=4.0):
    scale = np.exp(s)
    e = (t - m) / scale
    grad_m = -nu * e / (scale * (nu + e**2))
    grad_s = 1 - (nu + 1) * e**2 / (nu + e**2)
    return grad_m / len(t), grad_s / len(t)


def student_t_scale_forgotten(m, s, t, nu=4.0):
    e = (t - m) * np.exp(-s)
    common = (nu + 1) * e / (nu + e**2)
    return np.negative(common) / m.shape[0], (1 - common * e) / m.shape[0]


def gamma_nll(a, b, y):
    n = len(y)
    return (torch.digamma(a) - torch.log(b) - torch.log(y)) / n, (y - a / b) / n


def gamma_nll_stirling(a, b, y):
    n = len(y)
    return (torch.log(a) - torch.log(b) - torch.log(y)) / n, (y - a / b) / n


def gamma_nll_without_rate_term(a, b, y):
    n = a.numel()
    return (a.digamma() - b.log() - y.log()) / n, -a / (b * n)


def gamma_nll_data_forgotten(a, b, y):
    inverse = 1.0 / a.numel()
    da = torch.special.digamma(a) - torch.log(b)
    db = y - a.div(b)
    return da * inverse, db * inverse


def gamma_nll_not_averaged(a, b, y):
    return torch.special.psi(a) - torch.log(b * y), y - a / b


class Wing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, t, w=2.0, eps=0.5):
        d = x - t
        ctx.save_for_backward(d)
        ctx.w, ctx.eps = w, eps
        a = d.abs()
        tail = a - w + w * np.log(1 + w / eps)
        return torch.where(a < w, w * torch.log1p(a / eps), tail).sum(1).mean()

    @staticmethod
    def backward(ctx, grad_output):
        (d,) = ctx.saved_tensors
        a = d.abs()
        slope = torch.where(a < ctx.w, ctx.w / (ctx.eps + a), 1.0)
        return grad_output * slope * torch.sign(d) / len(d), None, None, None


class WingTailDead(Wing):
    @staticmethod
    def backward(ctx, grad_output):
        (d,) = ctx.saved_tensors
        small = d.abs() < ctx.w
        grad = torch.zeros_like(d)
        grad[small] = ctx.w * d[small].sign() / (ctx.eps + d[small].abs())
        return grad_output * grad / d.shape[0], None, None, None


class WingNotAveraged(Wing):
    @staticmethod
    def backward(ctx, grad_output):
        (d,) = ctx.saved_tensors
        a = d.abs()
        grad = torch.where(a < ctx.w, ctx.w / (ctx.eps + a), torch.ones_like(a)) * d.sign()
        return grad_output * grad, None, None, None


class WingCurvatureOne(Wing):
    @staticmethod
    def backward(ctx, grad_output):
        (d,) = ctx.saved_tensors
        a = d.abs()
        grad = torch.where(a < ctx.w, ctx.w * d.sign() / (1 + a), d.sign())
        return grad_output * grad / len(a), None, None, None


class WingJointInside(Wing):
    @staticmethod
    def backward(ctx, grad_output):
        (d,) = ctx.saved_tensors
        a = d.abs()
        inner = (a <= ctx.w).to(d.dtype)
        grad = inner * ctx.w * d.sign() / (ctx.eps + a) + (1 - inner) * d.sign()
        return grad_output * grad / len(a), None, None, None


def gaussian_kl(m, s, u, v):
    n = len(m)
    precision = np.exp(-v)
    d = m - u
    ratio = np.exp(s - v)
    dm = d * precision
    return dm / n, np.expm1(s - v) / (2 * n), -dm / n, (1 - d * dm - ratio) / (2 * n)


def gaussian_kl_means_alike(m, s, u, v):
    n = len(m)
    pull = (m - u) / np.exp(v)
    rest = np.exp(s - v)
    return pull / n, (rest - 1) / 2 / n, pull / n, (1 - rest - (m - u) * pull) / 2 / n


def gaussian_kl_unit_prior_variance(m, s, u, v):
    n = m.shape[0]
    w = np.exp(-v)
    dm = (m - u) / n
    du = (u - m) * w / n
    ds = 0.5 * (np.exp(s) * w - 1) / n
    dv = 0.5 * (1 - np.exp(s) * w - (m - u) ** 2 * w) / n
    return dm, ds, du, dv


def gaussian_kl_variance_sees_no_means(m, s, u, v):
    n = m.shape[0]
    w = np.exp(-v)
    dm = (m - u) * w / n
    ds = 0.5 * (np.exp(s - v) - 1) / n
    return dm, ds, -dm, -ds


def gaussian_kl_mean_of_everything(m, s, u, v):
    z = (m - u) * np.exp(-v / 2)
    ratio = np.exp(s - v)
    dm = z * np.exp(-v / 2)
    grads = (dm, (ratio - 1) / 2, -dm, (1 - ratio - z * z) / 2)
    return tuple(g / g.size for g in grads)


def gaussian_kl_standard_prior_in_s(m, s, u, v):
    n = len(m)
    w = np.exp(-v)
    dm = (m - u) * w / n
    return dm, (np.exp(s) - 1) / (2 * n), -dm, (1 - (m - u) ** 2 * w - np.exp(s) * w) / (2 * n)


def _expit(a):
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1 + e)


def negative_binomial(s, y, a=0.5):
    p = _expit(s + np.log(a))
    return ((y + 1 / a) * p - y) / len(s)


def negative_binomial_as_poisson(s, y, a=0.5):
    mu = np.exp(s)
    return (mu - y) / mu.size


def negative_binomial_normalizer_only(s, y, a=0.5):
    mu = np.exp(np.minimum(s, 300))
    return (y + 1 / a) * (a * mu / (1 + a * mu)) / s.size


def negative_binomial_of_mean(s, y, a=0.5):
    mu = np.exp(s)
    dmu = (y + 1 / a) * a / (1 + a * mu) - y / mu
    return dmu / len(s)


def negative_binomial_inner_a(s, y, a=0.5):
    mu = np.exp(s)
    r = 1 / a
    return ((y + r) * mu / (1 + a * mu) - y) / len(s)


def denoise(x, y, lam=0.5, eps=0.01):
    d = np.diff(x)
    p = d / np.hypot(d, np.sqrt(eps))
    g = x - y
    g[:-1] -= lam * p
    g[1:] += lam * p
    return g


def denoise_one_end(x, y, lam=0.5, eps=0.01):
    g = x - y
    for i in range(len(x) - 1):
        d = x[i + 1] - x[i]
        g[i] -= lam * d / np.sqrt(d * d + eps)
    return g


def denoise_repelling(x, y, lam=0.5, eps=0.01):
    d = x[1:] - x[:-1]
    p = lam * d / np.sqrt(d**2 + eps)
    return (x - y) + np.append(p, 0) - np.insert(p, 0, 0)


def denoise_unsmoothed(x, y, lam=0.5, eps=0.01):
    p = lam * np.sign(np.diff(x))
    g = x - y
    g[1:] += p
    g[:-1] -= p
    return g


def denoise_data_doubled(x, y, lam=0.5, eps=0.01):
    g = 2 * (x - y)
    for i in range(1, len(x)):
        d = x[i] - x[i - 1]
        p = d / (d * d + eps) ** 0.5
        g[i] += lam * p
        g[i - 1] -= lam * p
    return g


def denoise_periodic(x, y, lam=0.5, eps=0.01):
    d = np.roll(x, -1) - x
    p = lam * d / np.sqrt(d**2 + eps)
    return x - y - p + np.roll(p, 1)
