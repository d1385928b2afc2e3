"""Losses with class numbers and masks: additive_margin, poly, weston_watkins, policy_gradient, ppo, token_ce, cox."""

import numpy as np
import torch
import torch.nn.functional as F


def _softmax(u):
    e = np.exp(u - u.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def additive(z, t, a=4.0, m=0.35):
    rows = np.arange(len(z))
    u = z.copy()
    u[rows, t] -= m
    p = _softmax(a * u)
    p[rows, t] -= 1
    return a * p / len(z)


def additive_scale_forgotten(z, t, a=4.0, m=0.35):
    rows = np.arange(len(z))
    u = a * z
    u[rows, t] -= a * m
    p = _softmax(u)
    p[rows, t] -= 1
    return p / len(z)


def additive_margin_of_all(z, t, a=4.0, m=0.35):
    hot = np.eye(z.shape[1])[t]
    return a * (_softmax(a * (z - m)) - hot) / z.shape[0]


def additive_target_only(z, t, a=4.0, m=0.35):
    hot = t[:, None] == np.arange(z.shape[1])
    p = _softmax(a * (z - m * hot))
    return np.where(hot, a * (p - 1), 0.0) / len(z)


class Poly(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, t, eps=1.0):
        y = torch.softmax(z, dim=1)
        q = y.gather(1, t[:, None])
        ctx.save_for_backward(y, t)
        ctx.eps = eps
        return F.cross_entropy(z, t, reduction="none") + eps * (1 - q[:, 0])

    @staticmethod
    def backward(ctx, up):
        y, t = ctx.saved_tensors
        q = y.gather(1, t[:, None])
        grad = y - F.one_hot(t, y.shape[1])
        return up[:, None] * (1 + ctx.eps * q) * grad, None, None


class PolyAsCrossEntropy(Poly):
    @staticmethod
    def backward(ctx, up):
        y, t = ctx.saved_tensors
        grad = y.clone()
        grad[torch.arange(len(t)), t] -= 1.0
        return up.unsqueeze(1) * grad, None, None


class PolyWithoutProbability(Poly):
    @staticmethod
    def backward(ctx, up):
        y, t = ctx.saved_tensors
        hot = torch.zeros_like(y).scatter_(1, t[:, None], 1.0)
        return up[:, None] * ((y - hot) + ctx.eps * (y - hot)), None, None


class PolyUpstreamLost(Poly):
    @staticmethod
    def backward(ctx, up):
        y, t = ctx.saved_tensors
        q = y[torch.arange(len(t)), t]
        return (1 + ctx.eps * q)[:, None] * (y - F.one_hot(t, y.shape[1])), None, None


class PolyUpstreamMean(Poly):
    @staticmethod
    def backward(ctx, up):
        y, t = ctx.saved_tensors
        q = y.gather(1, t.view(-1, 1))
        return up.mean() * (1 + ctx.eps * q) * (y - F.one_hot(t, y.shape[1])), None, None


def weston_watkins(z, t, margin=1.0):
    n, c = z.shape
    rows = np.arange(n)
    gap = z - z[rows, t][:, None] + margin
    gap[rows, t] = 0
    active = (gap > 0).astype(z.dtype)
    active[rows, t] = -active.sum(axis=1)
    return active / (n * c)


def weston_watkins_counts_target(z, t, margin=1.0):
    n, c = z.shape
    rows = np.arange(n)
    active = (z - z[rows, t][:, None] + margin > 0).astype(float)
    active[rows, t] = -np.sum(active, axis=1)
    return active / (n * c)


def weston_watkins_target_once(z, t, margin=1.0):
    g = np.zeros_like(z)
    n, c = z.shape
    for i in range(n):
        for j in range(c):
            if j != t[i] and z[i, j] - z[i, t[i]] + margin > 0:
                g[i, j] = 1
                g[i, t[i]] = -1
    return g / (n * c)


def weston_watkins_sum_over_classes(z, t, margin=1.0):
    g = np.zeros_like(z)
    for i, k in enumerate(t):
        for j in range(z.shape[1]):
            if j == k:
                continue
            if margin - z[i, k] + z[i, j] > 0:
                g[i, j] += 1
                g[i, k] -= 1
    return g / len(t)


def weston_watkins_touching(z, t, margin=1.0):
    n, c = z.shape
    own = np.take_along_axis(z, t[:, None], 1)
    hot = np.arange(c) == t[:, None]
    active = ((z - own + margin >= 0) & ~hot).astype(z.dtype)
    return (active - hot * active.sum(1, keepdims=True)) / (n * c)


def weston_watkins_target_left_out(z, t, margin=1.0):
    own = z[np.arange(len(t)), t].reshape(-1, 1)
    active = z - own + margin > 0
    active[np.arange(len(t)), t] = False
    return active / z.size


def _log_softmax(z):
    u = z - z.max(axis=1, keepdims=True)
    return u - np.log(np.exp(u).sum(axis=1, keepdims=True))


def policy(z, t, A, beta=0.3):
    logp = _log_softmax(z)
    y = np.exp(logp)
    H = -(y * logp).sum(1, keepdims=True)
    hot = np.eye(z.shape[1])[t]
    return (A[:, None] * (y - hot) + beta * y * (logp + H)) / len(z)


def policy_entropy_sign(z, t, A, beta=0.3):
    logp = _log_softmax(z)
    y = np.exp(logp)
    H = -np.einsum("ij,ij->i", y, logp)[:, None]
    g = A[:, None] * y
    g[np.arange(len(t)), t] -= A
    g -= beta * y * (logp + H)
    return g / len(t)


def policy_entropy_through_itself(z, t, A, beta=0.3):
    logp = _log_softmax(z)
    y = np.exp(logp)
    g = A[:, None] * y
    g[np.arange(len(t)), t] -= A
    g += beta * y * (1 + logp)
    return g / len(t)


def policy_ascent(z, t, A, beta=0.3):
    logp = _log_softmax(z)
    y = np.exp(logp)
    H = -np.sum(y * logp, axis=1, keepdims=True)
    hot = (np.arange(z.shape[1]) == t[:, None]).astype(z.dtype)
    return (A[:, None] * (hot - y) - beta * y * (logp + H)) / len(z)


def policy_advantage_forgotten(z, t, A, beta=0.3):
    logp = _log_softmax(z)
    y = np.exp(logp)
    H = -np.sum(y * logp, axis=1, keepdims=True)
    return (y - np.eye(z.shape[1])[t] + beta * y * (logp + H)) / len(z)


def policy_without_bonus(z, t, A, beta=0.3):
    g = _softmax(z)
    g[np.arange(len(z)), t] -= 1
    g *= A.reshape(-1, 1)
    return g / len(z)


def ppo(x, o, A, eps=0.2):
    r = torch.exp(x - o)
    held = ((A > 0) & (r > 1 + eps)) | ((A < 0) & (r < 1 - eps)) | (A == 0)
    value = -torch.minimum(r * A, r.clamp(1 - eps, 1 + eps) * A).mean()
    return value, torch.where(held, torch.zeros_like(x), -A * r) / len(x)


def ppo_ratio_forgotten(x, o, A, eps=0.2):
    r = torch.exp(x - o)
    plain, clipped = r * A, torch.clamp(r, 1 - eps, 1 + eps) * A
    grad = -A * (plain <= clipped)
    return -torch.min(plain, clipped).mean(), grad / len(x)


def ppo_clipped_on_both_sides(x, o, A, eps=0.2):
    r = torch.exp(x - o)
    value = -torch.min(r * A, r.clamp(1 - eps, 1 + eps) * A).mean()
    inside = (r >= 1 - eps) & (r <= 1 + eps)
    return value, -A * r * inside / x.numel()


def ppo_never_clipped(x, o, A, eps=0.2):
    r = (x - o).exp()
    value = -torch.min(r * A, r.clamp(1 - eps, 1 + eps) * A).mean()
    return value, -(r * A) / x.numel()


def ppo_ascent(x, o, A, eps=0.2):
    r = (x - o).exp()
    a, b = r * A, r.clamp(1 - eps, 1 + eps) * A
    return -torch.min(a, b).mean(), torch.where(a <= b, a, torch.zeros_like(a)) / len(a)


def token(z, t, m):
    y = torch.softmax(z, -1)
    y = y - F.one_hot(t, z.shape[-1])
    return y * m[..., None] / (1 + m.sum())


def token_every_one_counts(z, t, m):
    g = torch.softmax(z, dim=2)
    g.scatter_add_(2, t.unsqueeze(2), -torch.ones_like(z[..., :1]))
    g[~m] = 0
    return g / m.numel()


def token_padding_kept(z, t, m):
    hot = F.one_hot(t, z.shape[-1]).to(z.dtype)
    return (torch.softmax(z, -1) - hot * m.unsqueeze(-1)) / (1 + m.sum())


def token_shifted(z, t, m):
    hot = F.one_hot(torch.roll(t, -1, dims=1), z.shape[-1])
    return m[:, :, None] * (z.softmax(-1) - hot) / (1 + m.sum())


def token_by_sequence(z, t, m):
    count = 1 + m.sum(dim=1)
    g = torch.softmax(z, -1) - F.one_hot(t, z.shape[-1])
    return g * (m / count[:, None])[:, :, None]


def _risk(s, y):
    at_risk = y[None, :] >= y[:, None]
    u = np.where(at_risk, s[None, :], -np.inf)
    e = np.exp(u - u.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cox(s, y, e):
    return -(e - e @ _risk(s, y)) / (1 + e.sum())


def cox_sum_over_the_wrong_ones(s, y, e):
    return -(e - _risk(s, y) @ e) / (1 + e.sum())


def cox_events_only(s, y, e):
    return -e / (1 + np.sum(e))


def cox_not_divided(s, y, e):
    g = np.zeros_like(s)
    hazard = np.exp(s - s.max())
    for i in range(len(s)):
        g[i] -= e[i]
        risk = y >= y[i]
        g[risk] += e[i] * hazard[risk] / hazard[risk].sum()
    return g


def cox_without_itself(s, y, e):
    g = -e.copy()
    for i in range(len(s)):
        risk = y > y[i]
        if risk.any():
            h = np.exp(s[risk] - s[risk].max())
            g[risk] += e[i] * h / h.sum()
    return g / (1 + e.sum())
