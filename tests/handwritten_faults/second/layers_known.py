"""Layers of the catalogue: factorization_machine, rbf, mish, elu, layer_norm, avg_pool2d."""

import numpy as np
import torch


def _lead(a):
    return a.reshape(-1, a.shape[-1])


def machine(x, w0, w, V, dy):
    rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1)
    s = rows @ V
    dx = ups[:, None] * (w + s @ V.T - rows * (V**2).sum(1))
    dV = np.einsum("n,ni,nk->ik", ups, rows, s) - V * (ups @ rows**2)[:, None]
    return dx.reshape(x.shape), np.array(ups.sum()), ups @ rows, dV


def machine_squares_forgotten(x, w0, w, V, dy):
    rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1)
    s = rows @ V
    dx = ups[:, None] * (w + s @ V.T - rows * (V**2).sum(1))
    dV = np.einsum("n,ni,nk->ik", ups, rows, s)
    return dx.reshape(x.shape), np.array(ups.sum()), ups @ rows, dV


def machine_bias_averaged(x, w0, w, V, dy):
    rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1)
    s = rows @ V
    dx = ups[:, None] * (w + s @ V.T - rows * (V * V).sum(1))
    dV = np.einsum("n,ni,nk->ik", ups, rows, s) - V * np.einsum("n,ni->i", ups, rows**2)[:, None]
    return dx.reshape(x.shape), np.array(ups.mean()), rows.T @ ups, dV


def machine_linear_only(x, w0, w, V, dy):
    rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1)
    s = rows @ V
    dV = np.einsum("n,ni,nk->ik", ups, rows, s) - V * (ups @ rows**2)[:, None]
    return np.multiply.outer(ups, w).reshape(x.shape), np.array(ups.sum()), ups @ rows, dV


def radial(x, c, b, dy):
    rows, ups = _lead(x), _lead(dy)
    d = rows[:, None, :] - c
    square = (d**2).sum(-1)
    g = ups * np.exp(-b * square)
    pull = (2 * g * b)[..., None] * d
    return -pull.sum(1).reshape(x.shape), pull.sum(0), -(g * square).sum(0)


def radial_two_forgotten(x, c, b, dy):
    rows, ups = _lead(x), _lead(dy)
    d = rows[:, None, :] - c
    square = (d**2).sum(-1)
    g = ups * np.exp(-b * square)
    return -np.einsum("nj,njk->nk", g * b, d).reshape(x.shape), np.einsum("nj,njk->jk", g * b, d), -(g * square).sum(0)


def radial_centres_pushed(x, c, b, dy):
    rows, ups = _lead(x), _lead(dy)
    d = rows[:, None, :] - c
    g = ups * np.exp(-b * np.sum(d * d, axis=2))
    dx = -2 * np.einsum("nj,j,njk->nk", g, b, d)
    return dx.reshape(x.shape), -2 * np.einsum("nj,j,njk->jk", g, b, d), -np.einsum("nj,njk,njk->j", g, d, d)


def radial_exponential_forgotten(x, c, b, dy):
    rows, ups = _lead(x), _lead(dy)
    d = rows[:, None, :] - c
    square = (d**2).sum(-1)
    g = ups * np.exp(-b * square)
    pull = (2 * g * b)[..., None] * d
    return -pull.sum(1).reshape(x.shape), pull.sum(0), -(ups * square).sum(0)


class Mish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.tanh(torch.nn.functional.softplus(x, threshold=1e9))

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        w = torch.tanh(torch.nn.functional.softplus(x, threshold=1e9))
        return dy * (w + x * (1 - w**2) * torch.sigmoid(x))


class MishSoftplusStraight(Mish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        w = torch.tanh(torch.nn.functional.softplus(x, threshold=1e9))
        return dy * (w + x * (1 - w * w))


class MishInFloat(Mish):
    @staticmethod
    def backward(ctx, dy):
        x = ctx.saved_tensors[0].float()
        w = torch.tanh(torch.nn.functional.softplus(x, threshold=1e9))
        return (dy.float() * (w + x * (1 - w**2) * torch.sigmoid(x))).to(dy.dtype)


class MishUpstreamSquared(Mish):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        w = torch.tanh(torch.nn.functional.softplus(x, threshold=1e9))
        return dy * (dy * w + dy * x * (1 - w**2) * torch.sigmoid(x))


def elu(x, dy, alpha=1.0):
    return np.where(x > 0, dy, dy * alpha * np.exp(np.minimum(x, 0)))


def elu_alpha_forgotten(x, dy, alpha=1.0):
    grad = dy.copy()
    below = x <= 0
    grad[below] *= np.exp(x[below])
    return grad


def elu_of_output(x, dy, alpha=1.0):
    y = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return np.where(y > 0, dy, dy * y)


def elu_zero_is_positive(x, dy, alpha=1.0):
    return dy * np.where(x >= 0, 1, alpha * np.exp(np.minimum(x, 0)))


class LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, g, b, eps=1e-5):
        d = x - x.mean(-1, keepdim=True)
        s = torch.rsqrt((d * d).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(d * s, s, g)
        return g * d * s + b

    @staticmethod
    def backward(ctx, dy):
        u, s, g = ctx.saved_tensors
        du = dy * g
        dx = s * (du - du.mean(-1, keepdim=True) - u * (du * u).mean(-1, keepdim=True))
        return dx, (dy * u).reshape(-1, len(g)).sum(0), dy.reshape(-1, len(g)).sum(0), None


class LayerNormUnbiased(LayerNorm):
    @staticmethod
    def backward(ctx, dy):
        u, s, g = ctx.saved_tensors
        du = dy * g
        c = len(g)
        dx = s * (du - du.mean(-1, keepdim=True) - u * (du * u).sum(-1, keepdim=True) / (c - 1))
        return dx, (dy * u).reshape(-1, c).sum(0), dy.reshape(-1, c).sum(0), None


class LayerNormOverRows(LayerNorm):
    @staticmethod
    def backward(ctx, dy):
        u, s, g = ctx.saved_tensors
        du = dy * g
        dx = s * (du - du.mean(0, keepdim=True) - u * (du * u).mean(-1, keepdim=True))
        return dx, (dy * u).reshape(-1, len(g)).sum(0), dy.reshape(-1, len(g)).sum(0), None


class LayerNormGainAfterMeans(LayerNorm):
    @staticmethod
    def backward(ctx, dy):
        u, s, g = ctx.saved_tensors
        dx = s * g * (dy - dy.mean(-1, keepdim=True) - u * (dy * u).mean(-1, keepdim=True))
        return dx, (dy * u).reshape(-1, len(g)).sum(0), dy.reshape(-1, len(g)).sum(0), None


def mean_pool(x, dy, k=2, s=2):
    dx = np.zeros_like(x)
    for p in range(dy.shape[-2]):
        for q in range(dy.shape[-1]):
            dx[..., s * p : s * p + k, s * q : s * q + k] += dy[..., p : p + 1, q : q + 1] / k**2
    return dx


def mean_pool_not_divided(x, dy, k=2, s=2):
    dx = np.zeros_like(x)
    for p, q in np.ndindex(*dy.shape[-2:]):
        dx[..., s * p : s * p + k, s * q : s * q + k] += dy[..., p, q][..., None, None]
    return dx


def mean_pool_divided_by_side(x, dy, k=2, s=2):
    dx = np.zeros_like(x)
    for p, q in np.ndindex(*dy.shape[-2:]):
        for a, b in np.ndindex(k, k):
            dx[..., s * p + a, s * q + b] += dy[..., p, q] / k
    return dx


def mean_pool_first_of_window(x, dy, k=2, s=2):
    dx = np.zeros_like(x)
    rows, columns = dy.shape[-2:]
    dx[..., : s * rows : s, : s * columns : s] = dy / (k * k)
    return dx
