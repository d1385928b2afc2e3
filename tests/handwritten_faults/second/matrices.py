"""Losses of matrices: factorization, mahalanobis, sharpe, gaussian_precision, ica, laplacian, embeddings, centres."""

import numpy as np
import torch


def factorization(U, V, R, k, lam=0.1):
    e = np.where(k, U @ V.T - R, 0)
    return e @ V + lam * U, e.T @ U + lam * V


def factorization_not_transposed(U, V, R, k, lam=0.1):
    e = np.where(k, U @ V.T - R, 0)
    return e @ V + lam * U, e @ U + lam * V


def factorization_unknown_as_known(U, V, R, k, lam=0.1):
    e = U @ V.T - R
    return e.dot(V) + lam * U, e.T.dot(U) + lam * V


def factorization_penalty_doubled(U, V, R, k, lam=0.1):
    e = (U @ V.T - R) * k
    return np.einsum("ij,jl->il", e, V) + 2 * lam * U, np.einsum("ij,il->jl", e, U) + 2 * lam * V


def factorization_penalty_each_time(U, V, R, k, lam=0.1):
    dU, dV = np.zeros_like(U), np.zeros_like(V)
    for i, j in zip(*np.nonzero(k), strict=True):
        e = U[i] @ V[j] - R[i, j]
        dU[i] += e * V[j] + lam * U[i]
        dV[j] += e * U[i] + lam * V[j]
    return dU, dV


def factorization_items_pushed(U, V, R, k, lam=0.1):
    e = np.where(k, R - U @ V.T, 0)
    return lam * U - e @ V, lam * V + e.T @ U


def mahalanobis(x, z, M):
    d = x - z
    p = d @ M.T
    dx = p @ M / len(x)
    return dx, -dx, p.T @ d / len(x)


def mahalanobis_same_side(x, z, M):
    d = x - z
    G = M.T @ M
    return d @ G / len(d), d @ G / len(d), M @ d.T @ d / len(d)


def mahalanobis_map_of_rows(x, z, M):
    d = x - z
    dx = d @ M.T @ M / len(x)
    return dx, -dx, np.einsum("il,ik->lk", d, d @ M.T) / len(x)


def mahalanobis_doubled(x, z, M):
    d = x - z
    p = np.einsum("kl,il->ik", M, d)
    dx = 2 * np.einsum("ik,kl->il", p, M) / len(x)
    return dx, -dx, 2 * np.einsum("ik,il->kl", p, d) / len(x)


def mahalanobis_map_summed(x, z, M):
    n = x.shape[0]
    dx, dM = np.empty_like(x), np.zeros_like(M)
    for i in range(n):
        d = x[i] - z[i]
        p = M @ d
        dx[i] = M.T @ p / n
        dM += np.outer(p, d)
    return dx, -dx, dM


def sharpe(w, r, S):
    sd = np.sqrt(w @ S @ w + 1)
    return -(r / sd - (w @ r) * ((S + S.T) @ w) / (2 * sd**3))


def sharpe_risk_constant(w, r, S):
    return -r / np.sqrt(w.T @ S @ w + 1)


def sharpe_risk_doubled(w, r, S):
    v = np.einsum("k,kl,l", w, S, w) + 1
    return -r / v**0.5 + (w @ r) * 2 * (S @ w) / v**1.5


def sharpe_ascent(w, r, S):
    v = w.dot(S).dot(w) + 1
    return r / np.sqrt(v) - w.dot(r) * S.dot(w) / v**1.5


def sharpe_power_of_risk(w, r, S):
    v = w.dot(S).dot(w) + 1
    return -(r - w.dot(r) * S.dot(w)) / np.sqrt(v)


def precision(S, m, x):
    K = torch.linalg.inv(S)
    r = x - m
    return (K - torch.outer(K @ r, r @ K)).T, -(K + K.T) @ r


def precision_normalizer_only(S, m, x):
    K = torch.linalg.inv(S)
    r = x - m
    return K.T.clone(), -(K + K.T) @ r


def precision_towards(S, m, x):
    r = x - m
    a, b = torch.linalg.solve(S, r), torch.linalg.solve(S.T, r)
    return torch.linalg.inv(S).T - torch.outer(b, a), a + b


def precision_mean_halved(S, m, x):
    K = torch.inverse(S)
    a = K @ (x - m)
    return K.T - torch.outer(K.T @ (x - m), a), -a


def precision_sandwich_open(S, m, x):
    K = torch.inverse(S)
    r = x - m
    return K.T - torch.outer(K.T @ r, r), -(K + K.T) @ r


def ica(W, x):
    return np.tanh(x @ W.T).T @ x / len(x) - np.linalg.inv(W).T


def ica_inverse(W, x):
    u = np.einsum("kl,il->ik", W, x)
    return np.einsum("ik,il->kl", np.tanh(u), x) / len(x) - np.linalg.inv(W)


def ica_natural(W, x):
    u = x @ W.T
    return (np.tanh(u).T @ u / len(u) - np.eye(len(W))) @ W


def ica_collapsing(W, x):
    u = W @ x.T
    return np.tanh(u) @ x / u.shape[1] + np.linalg.inv(W.T)


def ica_summed(W, x):
    grad = -np.linalg.inv(W).T
    for row in x:
        grad += np.outer(np.tanh(W @ row), row)
    return grad


def ica_without_volume(W, x):
    return np.mean([np.outer(np.tanh(W @ row), row) for row in x], axis=0)


def laplacian(X, Y, L, mu=0.7):
    return X - Y + mu / 2 * (L + L.T) @ X


def laplacian_undirected(X, Y, L, mu=0.7):
    return X - Y + mu * L @ X


def laplacian_backwards(X, Y, L, mu=0.7):
    return X - Y + mu * np.einsum("ji,jk->ik", L, X)


def laplacian_half_forgotten(X, Y, L, mu=0.7):
    smooth = L @ X + L.T @ X
    return X - Y + mu * smooth


def _expit(a):
    return np.exp(-np.logaddexp(0, -a))


def skip_gram(U, C, w, p, q):
    dU, dC = np.zeros_like(U), np.zeros_like(C)
    u, pos, neg = U[w], C[p], C[q]
    g = -_expit(-np.einsum("il,il->i", u, pos))
    h = _expit(np.einsum("il,ijl->ij", u, neg))
    np.add.at(dU, w, g[:, None] * pos + np.einsum("ij,ijl->il", h, neg))
    np.add.at(dC, p, g[:, None] * u)
    np.add.at(dC, q, h[:, :, None] * u[:, None, :])
    return dU / len(w), dC / len(w)


def skip_gram_last_one_wins(U, C, w, p, q):
    dU, dC = np.zeros_like(U), np.zeros_like(C)
    u, pos, neg = U[w], C[p], C[q]
    g = -_expit(-(u * pos).sum(1))
    h = _expit((u[:, None] * neg).sum(2))
    dU[w] += g[:, None] * pos + (h[:, :, None] * neg).sum(1)
    dC[p] += g[:, None] * u
    dC[q] += h[:, :, None] * u[:, None]
    return dU / len(w), dC / len(w)


def skip_gram_negatives_attract(U, C, w, p, q):
    dU, dC = np.zeros_like(U), np.zeros_like(C)
    for i in range(len(w)):
        u = U[w[i]]
        g = _expit(u @ C[p[i]]) - 1
        dU[w[i]] += g * C[p[i]]
        dC[p[i]] += g * u
        for j in q[i]:
            h = _expit(u @ C[j])
            dU[w[i]] -= h * C[j]
            dC[j] -= h * u
    return dU / len(w), dC / len(w)


def skip_gram_negatives_frozen(U, C, w, p, q):
    dU, dC = np.zeros_like(U), np.zeros_like(C)
    for i, (a, b) in enumerate(zip(w, p, strict=True)):
        g = _expit(U[a] @ C[b]) - 1
        dU[a] += g * C[b]
        dC[b] += g * U[a]
        for j in q[i]:
            dU[a] += _expit(U[a] @ C[j]) * C[j]
    return dU / len(w), dC / len(w)


def skip_gram_label_forgotten(U, C, w, p, q):
    dU, dC = np.zeros_like(U), np.zeros_like(C)
    for i, (a, b) in enumerate(zip(w, p, strict=True)):
        u = U[a].copy()
        for j in (b, *q[i]):
            g = _expit(u @ C[j])
            dU[a] += g * C[j]
            dC[j] += g * u
    return dU / len(w), dC / len(w)


class Center(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, C, t):
        d = x - C[t]
        ctx.save_for_backward(d, t)
        ctx.classes = len(C)
        return (d**2).sum(1).mean() / 2

    @staticmethod
    def backward(ctx, up):
        d, t = ctx.saved_tensors
        dC = torch.zeros(ctx.classes, d.shape[1], dtype=d.dtype).index_add_(0, t, -d)
        return up * d / len(d), up * dC / len(d), None


class CenterAveraged(Center):
    @staticmethod
    def backward(ctx, up):
        d, t = ctx.saved_tensors
        dC = torch.zeros(ctx.classes, d.shape[1], dtype=d.dtype).index_add_(0, t, -d)
        count = 1 + torch.bincount(t, minlength=ctx.classes).to(d.dtype)
        return up * d / len(d), up * dC / count[:, None] / len(d), None


class CenterPushed(Center):
    @staticmethod
    def backward(ctx, up):
        d, t = ctx.saved_tensors
        hot = torch.nn.functional.one_hot(t, ctx.classes).to(d.dtype)
        return up * d / len(d), up * (hot.T @ d) / len(d), None


class CenterUpstreamTwice(Center):
    @staticmethod
    def backward(ctx, up):
        d, t = ctx.saved_tensors
        dx = up * d / len(d)
        dC = torch.zeros(ctx.classes, d.shape[1], dtype=d.dtype).index_add_(0, t, -dx)
        return up * dx, up * dC, None
