"""Layers: swish, scaled_unit, highway, squeeze_excite, attention_pool, lora."""

import numpy as np
import torch


def _expit(a):
    return np.exp(-np.logaddexp(0, -a))


def _lead(a):
    return a.reshape(-1, a.shape[-1])


def swish(x, b, dy):
    s, r = _expit(b * x), _expit(-b * x)
    return dy * s * (1 + b * x * r), _lead(dy * x**2 * s * r).sum(0)


def swish_steepness_once(x, b, dy):
    s = _expit(b * x)
    return dy * (s + x * s * (1 - s)), _lead(dy * x * x * s * (1 - s)).sum(0)


def swish_b_by_one_x(x, b, dy):
    s = _expit(b * x)
    ds = s * (1 - s)
    return dy * (s + b * x * ds), np.einsum("ik,ik->k", _lead(dy), _lead(x * ds))


def swish_b_of_each(x, b, dy):
    s = _expit(b * x)
    y = x * s
    return dy * (s + b * y * (1 - s)), dy * x * y * (1 - s)


def swish_one_b(x, b, dy):
    s = _expit(b * x)
    y = x * s
    db = np.full_like(b, np.sum(dy * x * y * (1 - s)))
    return dy * (s + b * y * (1 - s)), db


def unit(x, g, dy, eps=1e-3):
    r = 1 / np.sqrt((x**2).sum(-1, keepdims=True) + eps)
    u = x * r
    return g * r * (dy - u * (dy * u).sum(-1, keepdims=True)), np.sum(dy * u)


def unit_length_constant(x, g, dy, eps=1e-3):
    u = x / np.sqrt(np.sum(x * x, axis=-1, keepdims=True) + eps)
    return g * dy / np.sqrt(np.sum(x * x, axis=-1, keepdims=True) + eps), np.vdot(dy, u)


def unit_projection_of_x(x, g, dy, eps=1e-3):
    r = (np.square(x).sum(-1, keepdims=True) + eps) ** -0.5
    inner = np.einsum("...k,...k->...", dy, x)[..., None]
    return g * r * (dy - x * inner), (dy * r * x).sum()


def unit_gain_twice(x, g, dy, eps=1e-3):
    r = 1 / np.sqrt(np.sum(x**2, -1, keepdims=True) + eps)
    u = r * x
    up = g * dy
    return g * r * (up - u * np.sum(up * u, -1, keepdims=True)), np.sum(dy * u)


def unit_gain_of_raw_rows(x, g, dy, eps=1e-3):
    r = 1 / np.sqrt(np.sum(x**2, -1, keepdims=True) + eps)
    u = r * x
    return g * r * (dy - u * np.sum(dy * u, -1, keepdims=True)), np.sum(dy * x)


def unit_eps_beside_root(x, g, dy, eps=1e-3):
    length = np.sqrt(np.sum(x**2, -1, keepdims=True))
    r = 1 / (length + eps)
    u = r * x
    return g * r * (dy - u * np.sum(dy * u, -1, keepdims=True)), np.sum(dy * u)


def unit_mean_for_sum(x, g, dy, eps=1e-3):
    r = 1 / np.sqrt(np.sum(x**2, -1, keepdims=True) + eps)
    u = r * x
    return g * r * (dy - u * np.mean(dy * u, -1, keepdims=True)), np.sum(dy * u)


def highway(x, W, b, V, dy):
    s, h = _expit(x @ W.T + b), np.tanh(x @ V.T)
    ds, dh = dy * (h - x) * s * _expit(-(x @ W.T + b)), dy * s * (1 - h) * (1 + h)
    dx = dy * _expit(-(x @ W.T + b)) + ds @ W + dh @ V
    return dx, _lead(ds).T @ _lead(x), _lead(ds).sum(0), _lead(dh).T @ _lead(x)


def highway_carry_forgotten(x, W, b, V, dy):
    s, h = _expit(x @ W.T + b), np.tanh(x @ V.T)
    ds = dy * (h - x) * s * (1 - s)
    dh = dy * s * (1 - h**2)
    return ds @ W + dh @ V, _lead(ds).T @ _lead(x), _lead(ds).sum(0), _lead(dh).T @ _lead(x)


def highway_gate_opens_only(x, W, b, V, dy):
    s, h = _expit(x @ W.T + b), np.tanh(x @ V.T)
    ds = dy * h * s * (1 - s)
    dh = dy * s * (1 - h * h)
    dx = dy * (1 - s) + ds @ W + dh @ V
    return dx, _lead(ds).T @ _lead(x), _lead(ds).sum(0), _lead(dh).T @ _lead(x)


def highway_tanh_straight(x, W, b, V, dy):
    s, h = _expit(x @ W.T + b), np.tanh(x @ V.T)
    ds = dy * (h - x) * s * (1 - s)
    dh = dy * s
    dx = dy * (1 - s) + np.einsum("...o,ok->...k", ds, W) + np.einsum("...o,ok->...k", dh, V)
    return dx, _lead(ds).T @ _lead(x), _lead(ds).sum(0), _lead(dh).T @ _lead(x)


def highway_gate_not_transposed(x, W, b, V, dy):
    s, h = _expit(x @ W.T + b), np.tanh(x @ V.T)
    ds = dy * (h - x) * s * (1 - s)
    dh = dy * s * (1 - h**2)
    dx = dy * (1 - s) + ds @ W.T + dh @ V
    return dx, _lead(ds).T @ _lead(x), _lead(ds).sum(0), _lead(dh).T @ _lead(x)


def excite(x, W, dy):
    m = x.mean(-1)
    a = m @ W.T
    s = _expit(a)
    da = (dy * x).sum(-1) * s * _expit(-a)
    return dy * s[..., None] + (da @ W)[..., None] / x.shape[-1], da.T @ m


def excite_gate_constant(x, W, dy):
    m = np.mean(x, axis=2)
    s = _expit(m @ W.T)
    da = np.sum(dy * x, axis=2) * s * (1 - s)
    return dy * s[:, :, None], da.T @ m


def excite_pool_summed(x, W, dy):
    m = np.mean(x, axis=2)
    s = _expit(m @ W.T)
    da = np.sum(dy * x, axis=2) * s * (1 - s)
    back = np.broadcast_to((da @ W)[:, :, None], x.shape)
    return dy * s[:, :, None] + back, da.T @ m


def excite_weight_transposed(x, W, dy):
    m = np.mean(x, axis=2)
    s = _expit(np.einsum("ke,ie->ik", W, m))
    da = np.einsum("ikp,ikp->ik", dy, x) * s * (1 - s)
    dx = dy * s[:, :, None] + np.einsum("ik,ke->ie", da, W)[:, :, None] / x.shape[2]
    return dx, np.einsum("ik,ie->ek", da, m)


def excite_upstream_averaged(x, W, dy):
    m = x.mean(2)
    s = _expit(m @ W.T)
    da = (dy * x).mean(2) * s * (1 - s)
    return dy * s[..., None] + (da @ W)[..., None] / x.shape[2], da.T @ m


def excite_back_not_transposed(x, W, dy):
    m = x.mean(2)
    s = _expit(m @ W.T)
    da = (dy * x).sum(2) * s * (1 - s)
    return dy * s[..., None] + (da @ W.T)[..., None] / x.shape[2], da.T @ m


def pool(h, v, dy):
    th = torch.tanh(h)
    a = torch.softmax(th @ v, dim=1)
    da = (h @ dy.unsqueeze(-1)).squeeze(-1)
    ds = a * (da - (a * da).sum(1, keepdim=True))
    dh = a.unsqueeze(-1) * dy.unsqueeze(1) + ds.unsqueeze(-1) * v * (1 - th**2)
    return dh, torch.einsum("ij,ijk->k", ds, th)


def pool_uncoupled(h, v, dy):
    th = h.tanh()
    a = (th @ v).softmax(1)
    ds = a * torch.einsum("ijk,ik->ij", h, dy)
    dh = a[..., None] * dy[:, None] + ds[..., None] * v * (1 - th**2)
    return dh, (ds[..., None] * th).sum((0, 1))


def pool_values_only(h, v, dy):
    th = h.tanh()
    a = (th @ v).softmax(1)
    da = torch.einsum("ijk,ik->ij", h, dy)
    ds = a * (da - (a * da).sum(1, keepdim=True))
    return torch.einsum("ij,ik->ijk", a, dy), torch.einsum("ij,ijk->k", ds, th)


def pool_tanh_straight(h, v, dy):
    th = h.tanh()
    a = (th @ v).softmax(1)
    da = torch.einsum("ijk,ik->ij", h, dy)
    ds = a * (da - (a * da).sum(1, keepdim=True))
    return a[..., None] * dy[:, None] + ds[..., None] * v, torch.einsum("ij,ijk->k", ds, th)


def pool_coupled_over_batch(h, v, dy):
    th = h.tanh()
    a = (th @ v).softmax(1)
    da = torch.einsum("ijk,ik->ij", h, dy)
    ds = a * (da - (a * da).sum(0, keepdim=True))
    dh = a[..., None] * dy[:, None] + ds[..., None] * v * (1 - th**2)
    return dh, torch.einsum("ij,ijk->k", ds, th)


def pool_query_averaged(h, v, dy):
    th = h.tanh()
    a = (th @ v).softmax(1)
    da = torch.einsum("ijk,ik->ij", h, dy)
    ds = a * (da - (a * da).sum(1, keepdim=True))
    dh = a[..., None] * dy[:, None] + ds[..., None] * v * (1 - th**2)
    return dh, torch.einsum("ij,ijk->ik", ds, th).mean(0)


class Lora(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, W, A, B, alpha=8.0):
        ctx.save_for_backward(x, W, A, B)
        ctx.scale = alpha / A.shape[0]
        return x @ W.T + ctx.scale * (x @ A.T) @ B.T

    @staticmethod
    def backward(ctx, dy):
        x, W, A, B = ctx.saved_tensors
        k = ctx.scale
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        dx = dy @ W + k * dy @ B @ A
        return dx, None, k * (ups @ B).T @ rows, k * ups.T @ (rows @ A.T), None


class LoraUnscaled(Lora):
    @staticmethod
    def backward(ctx, dy):
        x, W, A, B = ctx.saved_tensors
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        dx = dy @ W + ctx.scale * dy @ B @ A
        return dx, None, (ups @ B).T @ rows, ups.T @ (rows @ A.T), None


class LoraFrozenPartBlocks(Lora):
    @staticmethod
    def backward(ctx, dy):
        x, _, A, B = ctx.saved_tensors
        k = ctx.scale
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        return k * (dy @ B) @ A, None, k * B.T @ ups.T @ rows, k * ups.T @ rows @ A.T, None


class LoraScaledTwice(Lora):
    @staticmethod
    def backward(ctx, dy):
        x, W, A, B = ctx.saved_tensors
        rows, ups = x.reshape(-1, x.shape[-1]), ctx.scale * dy.reshape(-1, dy.shape[-1])
        down = ctx.scale * ups @ B
        return dy @ W + ctx.scale * dy @ B @ A, None, down.T @ rows, ups.T @ (rows @ A.T), None
