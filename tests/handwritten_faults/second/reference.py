"""As `../reference.py`, for the formulas of the second set."""

import torch
import torch.nn.functional as F

from tests.handwritten_faults.reference import D


def _rows(z, t):
    return z[torch.arange(len(t)), t]


def _softplus(x):
    return F.softplus(x, threshold=1e9)


def _logcosh(r):
    return r.abs() + torch.log1p(torch.exp(-2 * r.abs())) - torch.log(torch.tensor(2.0, dtype=D))


def _expectile(x, t, q=0.8):
    under = (x < t).to(D)  # torch.where of two Python numbers is float32
    return ((q * under + (1 - q) * (1 - under)) * (x - t) ** 2).mean()


def _student(m, s, t, nu=4.0):
    return (s + (nu + 1) / 2 * torch.log1p((t - m) ** 2 * (-2 * s).exp() / nu)).mean()


def _gamma_nll(a, b, y):
    return -torch.distributions.Gamma(a, b, validate_args=False).log_prob(y).mean()


def _wing(x, t, w=2.0, eps=0.5):
    a = (x - t).abs()
    return torch.where(a < w, w * torch.log1p(a / eps), a - w + w * torch.log(torch.tensor(1 + w / eps))).sum(1).mean()


def _gaussian_kl(m, s, u, v):
    p, q = (torch.distributions.Normal(a, (b / 2).exp(), validate_args=False) for a, b in ((m, s), (u, v)))
    return torch.distributions.kl_divergence(p, q).sum(1).mean()


def _negative_binomial(s, y, a=0.5):
    return ((y + 1 / a) * _softplus(s + torch.log(torch.tensor(a, dtype=D))) - y * s).mean()


def _denoise(x, y, lam=0.5, eps=0.01):
    return ((x - y) ** 2).sum() / 2 + lam * torch.sqrt(x.diff() ** 2 + eps).sum()


def _gamma(s, y, k=1.0):
    return (k * (s + y * (-s).exp())).mean()


def _booster(x, t, w, c=1.5):
    return (w * c**2 * _logcosh((x - t) / c)).mean()


def _binary(x, t, a=3.0):
    return F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(a, dtype=D))


def _additive(z, t, a=4.0, m=0.35):
    return F.cross_entropy(a * (z - m * F.one_hot(t, z.shape[1]).to(D)), t)


def _poly(z, t, eps=1.0):
    return F.cross_entropy(z, t, reduction="none") + eps * (1 - _rows(torch.softmax(z, 1), t))


def _weston_watkins(z, t, margin=1.0):
    gap = F.relu(margin - _rows(z, t)[:, None] + z)
    return (gap * (1 - F.one_hot(t, z.shape[1]))).sum(1).mean() / z.shape[1]


def _policy(z, t, A, beta=0.3):
    d = torch.distributions.Categorical(logits=z)
    return (-A * d.log_prob(t) - beta * d.entropy()).mean()


def _ppo(x, o, A, eps=0.2):
    r = (x - o).exp()
    return -torch.min(r * A, r.clamp(1 - eps, 1 + eps) * A).mean()


def _token(z, t, m):
    return (F.cross_entropy(z.flatten(0, 1), t.flatten(), reduction="none") * m.flatten()).sum() / (1 + m.sum())


def _cox(s, y, e):
    logs = [torch.logsumexp(s[y >= y[i]], 0) for i in range(len(s))]
    return -(e * (s - torch.stack(logs))).sum() / (1 + e.sum())


def _tversky(p, t, alpha=0.3, beta=0.7, eps=1.0):
    a = (p * t).sum(1) + eps
    return (1 - a / (a + alpha * (p * (1 - t)).sum(1) + beta * ((1 - p) * t).sum(1))).mean()


def _focal(z, t, g=2.0):
    l = _rows(F.log_softmax(z, 1), t)
    return -((1 - l.exp()) ** g * l).mean()


def _jensen_shannon(z, t):
    q = torch.softmax(z, 1)
    m = ((q + t) / 2).log()
    return (F.kl_div(m, q, reduction="batchmean") + F.kl_div(m, t, reduction="batchmean")) / 2


def _mixture(z, m, s, t):
    return -torch.logsumexp(F.log_softmax(z, 1) - s - ((t[:, None] - m) / s.exp()) ** 2 / 2, 1).mean()


def _factorization(U, V, R, k, lam=0.1):
    return (((U @ V.T - R) * k) ** 2).sum() / 2 + lam * ((U**2).sum() + (V**2).sum()) / 2


def _precision(S, m, x):
    return torch.logdet(S) + (x - m) @ torch.linalg.inv(S) @ (x - m)


def _ica(W, x):
    return _logcosh(x @ W.T).sum() / len(x) - torch.linalg.slogdet(W)[1]


def _laplacian(X, Y, L, mu=0.7):
    return ((X - Y) ** 2).sum() / 2 + mu * torch.trace(X.T @ L @ X) / 2


def _skip_gram(U, C, w, p, q):
    u = U[w]
    return (_softplus(-(u * C[p]).sum(1)) + _softplus((C[q] @ u[:, :, None])[..., 0]).sum(1)).mean()


def _unit(x, g, eps=1e-3):
    return g * x / torch.sqrt((x**2).sum(-1, keepdim=True) + eps)


def _highway(x, W, b, V):
    return torch.lerp(x, torch.tanh(x @ V.T), torch.sigmoid(x @ W.T + b))


def _excite(x, W):
    return x * torch.sigmoid(F.linear(x.mean(-1), W))[..., None]


def _pool(h, v):
    return (torch.softmax(h.tanh() @ v, 1)[..., None] * h).sum(1)


def _lora(x, W, A, B, alpha=8.0):
    return F.linear(x, W + alpha / len(A) * B @ A)


def _machine(x, w0, w, V):
    pairs = ((x @ V) ** 2 - x**2 @ V**2).sum(-1) / 2
    return w0 + x @ w + pairs


def _radial(x, c, b):
    return torch.exp(-b * ((x[..., None, :] - c) ** 2).sum(-1))


def _norm(x, g, b, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], g, b, eps)


def _classes(r):
    return r.real(5, 4), r.whole(4, 5)


def _pair(r):
    return r.real(7), r.real(7)


# name: (value, inputs, which of them are differentiated)
REFERENCES = {
    "expectile": (_expectile, _pair, "0"),
    "student_t": (_student, lambda r: (r.real(7), r.real(7), r.real(7)), "01"),
    "gamma_nll": (_gamma_nll, lambda r: (r.positive(7), r.positive(7), r.positive(7)), "01"),
    "wing": (_wing, lambda r: (r.real(8, 5), r.real(8, 5)), "0"),
    "gaussian_kl": (_gaussian_kl, lambda r: [r.real(4, 3) for _ in range(4)], "0123"),
    "negative_binomial": (_negative_binomial, lambda r: (r.real(7), r.count(7)), "0"),
    "denoise": (_denoise, _pair, "0"),
    "gamma_deviance": (_gamma, lambda r: (r.real(7), r.positive(7)), "0"),
    "logcosh_booster": (_booster, lambda r: (r.real(7) + 1e-9, r.real(7), r.positive(7)), "0"),
    "binary_booster": (_binary, lambda r: (r.real(7), torch.round(r.unit(7))), "0"),
    "huber": (lambda x, t, delta=1.0: F.huber_loss(x, t, delta=delta), lambda r: (r.real(9) + 1e-9, r.real(9)), "0"),
    "logsumexp": (lambda z: torch.logsumexp(z, 0), lambda r: (r.real(5),), "0"),
    "additive_margin": (_additive, _classes, "0"),
    "poly": (_poly, _classes, "0"),
    "weston_watkins": (_weston_watkins, lambda r: (r.real(30, 4), r.whole(4, 30)), "0"),
    "policy_gradient": (_policy, lambda r: (*_classes(r), r.real(5)), "0"),
    "ppo": (_ppo, lambda r: (r.real(9) / 4, r.real(9) / 4, r.real(9)), "0"),
    "token_ce": (_token, lambda r: (r.real(3, 5, 4), r.whole(4, 3, 5), r.mask(3, 5)), "0"),
    "cox": (_cox, lambda r: (r.real(6), r.real(6), torch.round(r.unit(6)) + 0.0), "0"),
    "tversky": (_tversky, lambda r: (r.unit(4, 5), r.target(4, 5)), "0"),
    "focal_multiclass": (_focal, _classes, "0"),
    "jensen_shannon": (_jensen_shannon, lambda r: (r.real(4, 5), r.simplex(4, 5)), "0"),
    "cosine_embedding": (
        lambda a, b, t, margin=0.0: F.cosine_embedding_loss(a, b, t, margin),
        lambda r: (r.real(8, 3) + 0.1, r.real(8, 3) + 0.1, r.sign(8)),
        "01",
    ),
    "cross_entropy": (F.cross_entropy, _classes, "0"),
    "nll_mixture_density": (_mixture, lambda r: (r.real(5, 3), r.real(5, 3), r.real(5, 3), r.real(5)), "012"),
    "matrix_factorization": (
        _factorization,
        lambda r: (r.real(4, 2), r.real(5, 2), r.real(4, 5), r.mask(4, 5)),
        "01",
    ),
    "mahalanobis": (
        lambda x, z, M: ((x - z) @ M.T).square().sum(1).mean() / 2,
        lambda r: (r.real(5, 3), r.real(5, 3), r.real(2, 3)),
        "012",
    ),
    "sharpe": (
        lambda w, m, S: -(w @ m) / torch.sqrt(w @ S @ w + 1),
        lambda r: (r.real(4), r.real(4), r.definite(4)),
        "0",
    ),
    "gaussian_precision": (_precision, lambda r: (r.definite(3), r.real(3), r.real(3)), "01"),
    "ica": (_ica, lambda r: (r.definite(3) + r.real(3, 3) / 4, r.real(5, 3)), "0"),
    "laplacian": (_laplacian, lambda r: (r.real(4, 3), r.real(4, 3), r.real(4, 4)), "0"),
    "skip_gram": (
        _skip_gram,
        lambda r: (r.real(5, 3), r.real(5, 3), r.whole(5, 6), r.whole(5, 6), r.whole(5, 6, 4)),
        "01",
    ),
    "center": (
        lambda x, C, t: ((x - C[t]) ** 2).sum(1).mean() / 2,
        lambda r: (r.real(6, 2), r.real(4, 2), r.whole(4, 6)),
        "01",
    ),
    "log_determinant_of_gram": (lambda X: torch.logdet(X.T @ X), lambda r: (r.real(5, 3) + torch.eye(5, 3),), "0"),
    "frobenius_norm": (torch.linalg.norm, lambda r: (r.real(4, 3),), "0"),
    "trace_inverse_shifted": (
        lambda X, A: torch.trace(torch.linalg.inv(X + A)),
        lambda r: (r.definite(3) + r.real(3, 3) / 9, torch.eye(3, dtype=D)),
        "0",
    ),
    "swish": (lambda x, b: x * torch.sigmoid(b * x), lambda r: (r.real(5, 3), r.real(3)), "01"),
    "scaled_unit": (_unit, lambda r: (r.real(5, 3), r.real()), "01"),
    "highway": (_highway, lambda r: (r.real(5, 3), r.real(3, 3), r.real(3), r.real(3, 3)), "0123"),
    "squeeze_excite": (_excite, lambda r: (r.real(4, 3, 5), r.real(3, 3)), "01"),
    "attention_pool": (_pool, lambda r: (r.real(3, 5, 4), r.real(4)), "01"),
    "lora": (_lora, lambda r: (r.real(6, 5), r.real(4, 5), r.real(3, 5), r.real(4, 3)), "023"),
    "factorization_machine": (_machine, lambda r: (r.real(6, 4), r.real(), r.real(4), r.real(4, 3)), "0123"),
    "rbf": (_radial, lambda r: (r.real(6, 3), r.real(4, 3), r.positive(4)), "012"),
    "mish": (F.mish, lambda r: (r.real(4, 3),), "0"),
    "elu": (F.elu, lambda r: (r.real(9, 5),), "0"),
    "layer_norm": (_norm, lambda r: (r.real(4, 5), r.real(5), r.real(5)), "012"),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2, 2), lambda r: (r.real(2, 6, 4),), "0"),
}
