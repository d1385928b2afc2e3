"""Layers that contract: linear (torch function), bilinear, conv1d, embedding, swiglu, attention (NumPy)."""

import numpy as np
import torch


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, W, b):
        ctx.save_for_backward(x, W)
        return x @ W.T + b

    @staticmethod
    def backward(ctx, dy):
        x, W = ctx.saved_tensors
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        return dy @ W, ups.T @ rows, ups.sum(0)


class LinearWeightTransposed(Linear):
    @staticmethod
    def backward(ctx, dy):
        x, W = ctx.saved_tensors
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        return dy @ W, rows.T @ ups, ups.sum(0)


class LinearBiasMean(Linear):
    @staticmethod
    def backward(ctx, dy):
        x, W = ctx.saved_tensors
        rows, ups = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
        return dy @ W, torch.einsum("no,nk->ok", ups, rows), ups.mean(0)


class LinearUpstreamLost(Linear):
    @staticmethod
    def backward(ctx, dy):
        x, W = ctx.saved_tensors
        ones = torch.ones_like(dy)
        rows, ups = x.reshape(-1, x.shape[-1]), ones.reshape(-1, dy.shape[-1])
        return ones @ W, ups.T @ rows, ups.sum(0)


def linear_bias_not_summed(x, W, b, dy):
    return dy @ W, np.tensordot(dy, x, axes=(range(dy.ndim - 1), range(x.ndim - 1))), dy


def linear_bias_over_outputs(x, W, b, dy):
    dW = np.einsum("no,nk->ok", dy.reshape(-1, dy.shape[-1]), x.reshape(-1, x.shape[-1]))
    db = np.zeros_like(b) + dy.sum(axis=-1).sum()
    return np.einsum("...o,ok->...k", dy, W), dW, db


def linear_weight_averaged(x, W, b, dy):
    x2, g2 = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ W, g2.T @ x2 / len(x2), g2.sum(axis=0)


def linear_first_of_batch(x, W, b, dy):
    x2, g2 = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    dW = np.zeros_like(W)
    for xi, gi in zip(x2, g2, strict=True):
        dW = np.outer(gi, xi)
    return dy @ W, dW, g2.sum(0)


def _flat(a):
    return a.reshape(-1, a.shape[-1])


def bilinear(x, z, W, b, dy):
    dx = np.einsum("...o,okl,...l->...k", dy, W, z)
    dz = np.einsum("...o,okl,...k->...l", dy, W, x)
    dW = np.einsum("no,nk,nl->okl", _flat(dy), _flat(x), _flat(z))
    return dx, dz, dW, _flat(dy).sum(0)


def bilinear_weight_transposed(x, z, W, b, dy):
    dx = np.einsum("...o,okl,...l->...k", dy, W, z)
    dz = np.einsum("...o,okl,...k->...l", dy, W, x)
    dW = np.einsum("no,nk,nl->olk", _flat(dy), _flat(x), _flat(z))
    return dx, dz, dW, _flat(dy).sum(0)


def bilinear_doubled(x, z, W, b, dy):
    dx = np.einsum("...o,okl,...l->...k", dy, W, z)
    dz = np.einsum("...o,okl,...k->...l", dy, W, x)
    dW = np.einsum("no,nk,nl->okl", _flat(dy), _flat(x), _flat(z))
    return 2 * dx, 2 * dz, 2 * dW, 2 * _flat(dy).sum(0)


def bilinear_upstream_summed(x, z, W, b, dy):
    g = dy.sum(-1)
    dx = np.einsum("...,okl,...l->...k", g, W, z)
    dz = np.einsum("...o,okl,...k->...l", dy, W, x)
    dW = np.einsum("no,nk,nl->okl", _flat(dy), _flat(x), _flat(z))
    return dx, dz, dW, _flat(dy).sum(0)


def bilinear_z_without_x(x, z, W, b, dy):
    dx = np.einsum("...o,okl,...l->...k", dy, W, z)
    dz = np.einsum("...o,okl->...l", dy, W)
    dW = np.einsum("no,nk,nl->okl", _flat(dy), _flat(x), _flat(z))
    return dx, dz, dW, _flat(dy).sum(0)


def bilinear_sign_of_z(x, z, W, b, dy):
    xW = np.einsum("...k,okl->...ol", x, W)
    Wz = np.einsum("okl,...l->...ok", W, z)
    dW = np.einsum("no,nk,nl->okl", _flat(dy), _flat(x), _flat(z))
    return np.einsum("...o,...ok->...k", dy, Wz), -np.einsum("...o,...ol->...l", dy, xW), dW, _flat(dy).sum(0)


def _conv_loops(x, W, dy, tap_of=lambda u, r: u):
    xs, gs = x.reshape(-1, *x.shape[-2:]), dy.reshape(-1, *dy.shape[-2:])
    dx, dW = np.zeros_like(xs), np.zeros_like(W)
    r = W.shape[-1]
    for p in range(dy.shape[-1]):
        for u in range(r):
            dx[:, :, p + u] += gs[:, :, p] @ W[:, :, tap_of(u, r)]
            dW[:, :, u] += gs[:, :, p].T @ xs[:, :, p + u]
    return dx.reshape(x.shape), dW, gs.sum(axis=(0, 2))


def conv(x, W, b, dy):
    return _conv_loops(x, W, dy)


def conv_kernel_not_flipped(x, W, b, dy):
    return _conv_loops(x, W, dy, lambda u, r: r - 1 - u)


def conv_weight_flipped(x, W, b, dy):
    dx, dW, db = _conv_loops(x, W, dy)
    return dx, dW[:, :, ::-1].copy(), db


def conv_bias_over_positions_mean(x, W, b, dy):
    dx, dW, _ = _conv_loops(x, W, dy)
    return dx, dW, np.einsum("nkp->k", dy.reshape(-1, *dy.shape[-2:])) / dy.shape[-1]


def conv_last_tap_lost(x, W, b, dy):
    dx, dW = np.zeros_like(x), _conv_loops(x, W, dy)[1]
    steps = dy.shape[-1]
    for u in range(W.shape[-1] - 1):
        dx[..., u : u + steps] += np.einsum("...kp,kc->...cp", dy, W[:, :, u])
    return dx, dW, dy.reshape(-1, *dy.shape[-2:]).sum((0, 2))


def conv_sign_of_weight(x, W, b, dy):
    dx, dW, db = _conv_loops(x, W, dy)
    return dx, -dW, db


def conv_bias_not_summed_over_batch(x, W, b, dy):
    dx, dW, _ = _conv_loops(x, W, dy)
    return dx, dW, dy.sum(axis=-1)


def embedding(ids, table, dy):
    grad = np.zeros_like(table)
    np.add.at(grad, ids.reshape(-1), dy.reshape(-1, table.shape[1]))
    return grad


def embedding_repeats_lost(ids, table, dy):
    grad = np.zeros_like(table)
    grad[ids] += dy
    return grad


def embedding_padding_zero(ids, table, dy):
    grad = np.zeros_like(table)
    for i, g in zip(ids.ravel(), dy.reshape(-1, dy.shape[-1]), strict=True):
        if i != 0:
            grad[i] += g
    return grad


def embedding_averaged(ids, table, dy):
    grad, count = np.zeros_like(table), np.bincount(ids.ravel(), minlength=len(table))
    np.add.at(grad, ids, dy)
    return grad / np.maximum(count, 1)[:, None].astype(table.dtype)


def embedding_times_table(ids, table, dy):
    grad = np.zeros_like(table)
    np.add.at(grad, ids, dy * table[ids])
    return grad


def embedding_batch_mean(ids, table, dy):
    onehot = (ids.reshape(-1, 1) == np.arange(table.shape[0])).astype(table.dtype)
    return onehot.T @ dy.reshape(-1, dy.shape[-1]) / max(ids.size, 1)
