"""Losses of vectors and codes: triplet_margin, contrastive, barlow_twins, vae_elbo, cosine_similarity."""

import numpy as np
import torch


def _unit(d):
    length = np.linalg.norm(d, axis=1, keepdims=True)
    return np.divide(d, length, out=np.zeros_like(d), where=length > 0)


def triplet(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    violated = np.linalg.norm(ap, axis=1) - np.linalg.norm(an, axis=1) + margin > 0
    up, un = (_unit(d) * violated[:, None] / len(anchor) for d in (ap, an))
    return up - un, -up, un


def triplet_of_squares(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    violated = np.linalg.norm(ap, axis=1) - np.linalg.norm(an, axis=1) + margin > 0
    scale = 2 * violated[:, None] / len(anchor)
    return scale * (ap - an), -scale * ap, scale * an


def triplet_always(anchor, positive, negative, margin=1.0):
    up, un = _unit(anchor - positive) / len(anchor), _unit(anchor - negative) / len(anchor)
    return up - un, -up, un


def triplet_margin_forgotten(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    violated = (ap**2).sum(1) > (an**2).sum(1)
    up, un = (_unit(d) * violated[:, None] / len(anchor) for d in (ap, an))
    return up - un, -up, un


def triplet_anchor_half(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    violated = np.linalg.norm(ap, axis=1) - np.linalg.norm(an, axis=1) + margin > 0
    up, un = (_unit(d) * violated[:, None] / len(anchor) for d in (ap, an))
    return up, -up, un


def triplet_negative_sign(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    violated = np.linalg.norm(ap, axis=1) - np.linalg.norm(an, axis=1) + margin > 0
    up, un = (_unit(d) * violated[:, None] / len(anchor) for d in (ap, an))
    return up - un, -up, -un


def triplet_nan_at_zero(anchor, positive, negative, margin=1.0):
    ap, an = anchor - positive, anchor - negative
    dp, dn = np.sqrt((ap**2).sum(1, keepdims=True)), np.sqrt((an**2).sum(1, keepdims=True))
    on = (dp - dn + margin > 0) / len(anchor)
    with np.errstate(all="ignore"):
        up, un = on * ap / dp, on * an / dn
    return up - un, -up, un


def contrastive(a, b, same, margin=1.0):
    diff = a - b
    dist = np.linalg.norm(diff, axis=1)
    push = np.where(dist > 0, np.maximum(margin - dist, 0) / np.where(dist > 0, dist, 1), 0)
    grad = (same - (1 - same) * push)[:, None] * diff / len(a)
    return grad, -grad


def contrastive_not_normalized(a, b, same, margin=1.0):
    diff = a - b
    gap = np.maximum(margin - np.sqrt(np.sum(diff * diff, axis=1)), 0)
    grad = (same - (1 - same) * gap)[:, None] * diff / len(a)
    return grad, -grad


def contrastive_without_relu(a, b, same, margin=1.0):
    diff = a - b
    dist = np.linalg.norm(diff, axis=1)
    coef = same - (1 - same) * (margin - dist) / np.where(dist > 0, dist, np.inf)
    grad = coef[:, None] * diff / len(a)
    return grad, -grad


def contrastive_only_attraction(a, b, same, margin=1.0):
    grad = same[:, None] * (a - b) / a.shape[0]
    return grad, -grad


def contrastive_twice(a, b, same, margin=1.0):
    diff = a - b
    dist = np.linalg.norm(diff, axis=1)
    push = np.maximum(margin - dist, 0) / np.where(dist > 0, dist, np.inf)
    grad = 2 * (same - (1 - same) * push)[:, None] * diff / len(a)
    return grad, -grad


def contrastive_b_like_a(a, b, same, margin=1.0):
    diff = a - b
    dist = np.linalg.norm(diff, axis=1)
    push = np.maximum(margin - dist, 0) / np.where(dist > 0, dist, np.inf)
    grad = (same - (1 - same) * push)[:, None] * diff / len(a)
    return grad, grad


def _barlow_residual(a, b, lam):
    c = a.T @ b / a.shape[0]
    eye = torch.eye(c.shape[0], dtype=c.dtype)
    return torch.where(eye > 0, c - 1, lam * c)


def barlow(a, b, lam=0.005):
    g = _barlow_residual(a, b, lam) * 2 / len(a)
    return b @ g.T, a @ g


def barlow_transposed(a, b, lam=0.005):
    g = _barlow_residual(a, b, lam) * 2 / len(a)
    return b @ g, a @ g.T


def barlow_not_divided(a, b, lam=0.005):
    g = 2 * _barlow_residual(a, b, lam)
    return b @ g.T, a @ g


def barlow_without_two(a, b, lam=0.005):
    g = _barlow_residual(a, b, lam) / len(a)
    return torch.einsum("jk,ik->ij", g, b), torch.einsum("jk,ij->ik", g, a)


def barlow_diagonal_only(a, b, lam=0.005):
    c = (a * b).mean(0)
    return 2 * b * (c - 1) / len(a), 2 * a * (c - 1) / len(a)


def barlow_lambda_forgotten(a, b, lam=0.005):
    n, d = a.shape
    g = 2 * (a.T @ b / n - torch.eye(d, dtype=a.dtype)) / n
    return b @ g.T, a @ g


def elbo(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, beta * mu / n, beta * torch.expm1(logvar) / (2 * n)


def elbo_variance_not_halved(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, beta * mu / n, beta * torch.expm1(logvar) / n


def elbo_variance_without_one(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, beta * mu / n, 0.5 * beta * logvar.exp() / n


def elbo_beta_forgotten(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, mu / n, torch.expm1(logvar) / (2 * n)


def elbo_pixels_averaged(x, pixels, mu, logvar, beta=1.0):
    n, d = x.shape
    return (torch.sigmoid(x) - pixels) / (n * d), beta * mu / n, beta * torch.expm1(logvar) / (2 * n)


def elbo_prior_pushes_away(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, -beta * mu / n, beta * torch.expm1(logvar) / (2 * n)


def elbo_cancelling(x, pixels, mu, logvar, beta=1.0):
    n = len(x)
    return (torch.sigmoid(x) - pixels) / n, beta * mu / n, beta * (torch.exp(logvar) - 1) / (2 * n)


class Cosine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, z):
        a, b = x.norm(dim=-1, keepdim=True), z.norm(dim=-1, keepdim=True)
        ctx.save_for_backward(x / a, z / b, a, b)
        return (x * z).sum(-1) / (a * b).squeeze(-1)

    @staticmethod
    def backward(ctx, dy):
        u, v, a, b = ctx.saved_tensors
        y = (u * v).sum(-1, keepdim=True)
        dy = dy.unsqueeze(-1)
        return dy * (v - y * u) / a, dy * (u - y * v) / b


class CosineNormsDetached(Cosine):
    @staticmethod
    def backward(ctx, dy):
        u, v, a, b = ctx.saved_tensors
        dy = dy.unsqueeze(-1)
        return dy * v / a, dy * u / b


class CosineLengthForgotten(Cosine):
    @staticmethod
    def backward(ctx, dy):
        u, v, _, _ = ctx.saved_tensors
        y = (u * v).sum(-1, keepdim=True)
        return dy[..., None] * (v - y * u), dy[..., None] * (u - y * v)


class CosineUpstreamLost(Cosine):
    @staticmethod
    def backward(ctx, dy):
        u, v, a, b = ctx.saved_tensors
        y = (u * v).sum(-1, keepdim=True)
        return (v - y * u) / a, (u - y * v) / b


class CosineProjectionAdded(Cosine):
    @staticmethod
    def backward(ctx, dy):
        u, v, a, b = ctx.saved_tensors
        y = (u * v).sum(-1, keepdim=True)
        g = dy.unsqueeze(-1)
        return g * (v + y * u) / a, g * (u + y * v) / b


class CosineLengthsSwapped(Cosine):
    @staticmethod
    def backward(ctx, dy):
        u, v, a, b = ctx.saved_tensors
        y = (u * v).sum(-1, keepdim=True)
        g = dy.unsqueeze(-1)
        return g * (v - y * u) / b, g * (u - y * v) / a
