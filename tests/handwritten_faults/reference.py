"""What `verify.py` compares with: for each formula its value by torch (loss or outputs), and inputs drawn at random."""

import torch
import torch.nn.functional as F

D = torch.float64


class Draw:
    """Random inputs of one scale; grid = True puts real ones on quarters, so that kinks are hit."""

    def __init__(self, seed, scale, grid=False):
        self.generator = torch.Generator().manual_seed(seed)
        self.scale, self.grid = scale, grid

    def real(self, *shape):
        x = self.scale * torch.randn(shape, generator=self.generator, dtype=D)
        return torch.round(x * 4) / 4 if self.grid else x

    def unit(self, *shape):
        p = torch.rand(shape, generator=self.generator, dtype=D)
        return p * 0.98 + 0.01

    def target(self, *shape):
        p = self.unit(*shape)
        return torch.round(p) if self.grid else p

    def sign(self, *shape):
        return 2.0 * torch.round(self.unit(*shape)) - 1

    def positive(self, *shape):
        return self.real(*shape).abs() + 0.1

    def count(self, *shape):
        return torch.floor(4 * self.unit(*shape))

    def simplex(self, *shape):
        if self.grid:
            return F.one_hot(self.whole(shape[-1], *shape[:-1]), shape[-1]).to(D)
        return torch.softmax(self.real(*shape), -1)

    def whole(self, top, *shape):
        return torch.randint(top, shape, generator=self.generator)

    def mask(self, *shape):
        m = self.unit(*shape) > 0.4
        m.view(-1)[0] = True
        return m

    def definite(self, n):
        a = self.real(n, n)
        return a @ a.T + torch.eye(n, dtype=D)


def _wce(z, t, w, m):
    v = torch.where(m, w[t], 0.0)
    return -(v * F.log_softmax(z, 1).gather(1, t[:, None])[:, 0]).sum() / v.sum()


def _focal(x, t, g=2.0):
    a, b = F.logsigmoid(x), F.logsigmoid(-x)
    return (-t * (g * b).exp() * a - (1 - t) * (g * a).exp() * b).mean()


def _dice(p, t, eps=1.0):
    return (1 - (2 * (p * t).sum(1) + eps) / (p.sum(1) + t.sum(1) + eps)).mean()


def _triplet(a, p, q, margin=1.0):
    return F.relu((a - p).norm(dim=1) - (a - q).norm(dim=1) + margin).mean()


def _contrastive(a, b, t, margin=1.0):
    e = (a - b).norm(dim=1)
    return ((t * ((a - b) ** 2).sum(1) + (1 - t) * F.relu(margin - e) ** 2) / 2).mean()


def _barlow(a, b, lam=0.005):
    c = a.T @ b / len(a)
    eye = torch.eye(len(c), dtype=D)
    return ((1 - c.diagonal()) ** 2).sum() + lam * ((c * (1 - eye)) ** 2).sum()


def _elbo(x, t, m, s, beta=1.0):
    pixels = (F.softplus(x, threshold=1e9) - t * x).sum(1)
    return (pixels + beta * (s.exp() + m**2 - 1 - s).sum(1) / 2).mean()


def _swiglu(x, W, V):
    return F.silu(x @ W.T) * (x @ V.T)


def _attention(Q, K, V):
    return torch.softmax(Q @ K.mT / Q.shape[-1] ** 0.5, -1) @ V


def _rms(x, g, eps=1e-6):
    return g * x / torch.sqrt((x**2).mean(-1, keepdim=True) + eps)


def _batch(x, g, b, eps=1e-5):
    return g * (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps) + b


def _ridge(X, w, b, t, lam=0.1):
    return ((X @ w + b - t) ** 2).mean() / 2 + lam * (w**2).sum() / 2


def _lasso(X, w, b, t, lam=0.1):
    return ((X @ w + b - t) ** 2).mean() / 2 + lam * w.abs().sum()


def _fair(x, y, c=2.0):
    a = (x - y + 1e-14).abs()  # off the tie, where autograd of abs has no curvature
    return (c**2 * (a / c - torch.log1p(a / c))).sum()


def _tweedie(s, y, rho=1.5):
    return (((2 - rho) * s).exp() / (2 - rho) - y * ((1 - rho) * s).exp() / (1 - rho)).sum()


def _distillation(z, v, T=2.0):
    return -(T**2) * (torch.softmax(v / T, 1) * F.log_softmax(z / T, 1)).sum(1).mean()


def _quantile(x, t, q=0.5):
    return torch.maximum(q * (t - x), (q - 1) * (t - x)).mean()


def _smooth_l1(x, t, beta=1.0):
    return F.smooth_l1_loss(x, t, beta=beta)


def _log_cosh(x, t):
    r = x - t
    return (r + F.softplus(-2 * r, threshold=1e9)).mean()


def _gelu(x):
    return F.gelu(x, approximate="tanh")


def _masked(X, R, m):
    return torch.where(m, (X - R) ** 2, 0.0).sum() / (1 + m.sum())


def _pair(x):
    return x.real(7), x.real(7)


# name: (value, inputs, which of them are differentiated)
REFERENCES = {
    "mse": (lambda x, t: ((x - t) ** 2).mean(), _pair, "0"),
    "huber": (lambda x, t, delta=1.0: F.huber_loss(x, t, delta=delta), _pair, "0"),
    "smooth_l1": (_smooth_l1, _pair, "0"),
    "quantile": (_quantile, _pair, "0"),
    "poisson_nll": (lambda x, t: (x.exp() - t * x).mean(), lambda r: (r.real(9), r.count(9)), "0"),
    "gaussian_nll": (
        lambda m, s, t: ((s + (t - m) ** 2 * (-s).exp()) / 2).mean(),
        lambda r: (r.real(7), r.real(7), r.real(7)),
        "01",
    ),
    "log_cosh": (_log_cosh, _pair, "0"),
    "hinge": (lambda x, t: F.relu(1 - t * x).mean(), lambda r: (r.real(7), r.sign(7)), "0"),
    "bce": (F.binary_cross_entropy, lambda r: (r.unit(9), r.target(9)), "0"),
    "bce_with_logits": (F.binary_cross_entropy_with_logits, lambda r: (r.real(9), r.target(9)), "0"),
    "focal_binary": (_focal, lambda r: (r.real(7), r.target(7)), "0"),
    "dice": (_dice, lambda r: (r.unit(4, 5), r.target(4, 5)), "0"),
    "dpo": (
        lambda w, l, rw, rl, beta=0.1: -F.logsigmoid(beta * (w - l - rw + rl)).mean(),
        lambda r: [r.real(6) for _ in range(4)],
        "01",
    ),
    "softmax_cross_entropy": (F.cross_entropy, lambda r: (r.real(4, 5), r.simplex(4, 5)), "0"),
    "cross_entropy_weighted": (
        _wce,
        lambda r: (r.real(7, 4), r.whole(4, 7), r.positive(4), r.mask(7)),
        "0",
    ),
    "label_smoothing": (
        lambda z, t, eps=0.1: F.cross_entropy(z, t, label_smoothing=eps),
        lambda r: (r.real(4, 5), r.whole(5, 4)),
        "0",
    ),
    "kl_divergence": (
        lambda z, t: F.kl_div(F.log_softmax(z, 1), t, reduction="batchmean"),
        lambda r: (r.real(4, 5), r.simplex(4, 5)),
        "0",
    ),
    "info_nce": (
        lambda q, k, tau=0.1: F.cross_entropy(q @ k.T / tau, torch.arange(len(q))),
        lambda r: (r.real(4, 3), r.real(4, 3)),
        "01",
    ),
    "triplet_margin": (_triplet, lambda r: (r.real(7, 2), r.real(7, 2), r.real(7, 2)), "012"),
    "contrastive": (_contrastive, lambda r: (r.real(6, 3), r.real(6, 3), r.target(6)), "01"),
    "barlow_twins": (_barlow, lambda r: (r.real(5, 3), r.real(5, 3)), "01"),
    "vae_elbo": (_elbo, lambda r: (r.real(4, 5), r.target(4, 5), r.real(4, 3), r.real(4, 3)), "023"),
    "cosine_similarity": (
        lambda x, z: (x * z).sum(-1) / x.norm(dim=-1) / z.norm(dim=-1),
        lambda r: (r.real(4, 3) + 0.1, r.real(4, 3) + 0.1),
        "01",
    ),
    "softplus": (
        lambda x, beta=1.0: F.softplus(x, beta=beta, threshold=1e9),
        lambda r: (r.real(4, 3),),
        "0",
    ),
    "silu": (F.silu, lambda r: (r.real(4, 3),), "0"),
    "hard_swish": (lambda x: x * torch.clamp(x + 3, 0, 6) / 6, lambda r: (r.real(9, 9),), "0"),
    "gelu_tanh": (_gelu, lambda r: (r.real(4, 3),), "0"),
    "prelu": (lambda x, a: torch.where(x > 0, x, a * x), lambda r: (r.real(5, 3), r.real(3)), "01"),
    "leaky_relu": (lambda x, slope=0.01: F.leaky_relu(x, slope), lambda r: (r.real(9, 5),), "0"),
    "linear": (F.linear, lambda r: (r.real(5, 3), r.real(4, 3), r.real(4)), "012"),
    "bilinear": (F.bilinear, lambda r: (r.real(5, 2), r.real(5, 3), r.real(4, 2, 3), r.real(4)), "0123"),
    "conv1d": (F.conv1d, lambda r: (r.real(3, 2, 7), r.real(4, 2, 3), r.real(4)), "012"),
    "embedding": (F.embedding, lambda r: (r.whole(4, 6), r.real(4, 3)), "1"),
    "swiglu": (_swiglu, lambda r: (r.real(5, 3), r.real(4, 3), r.real(4, 3)), "012"),
    "attention": (_attention, lambda r: (r.real(2, 4, 3), r.real(2, 5, 3), r.real(2, 5, 2)), "012"),
    "softmax": (lambda x: torch.softmax(x, -1), lambda r: (r.real(4, 5),), "0"),
    "rnn_cell": (
        lambda x, h, W, U, b: torch.tanh(x @ W.T + h @ U.T + b),
        lambda r: (r.real(5, 3), r.real(5, 4), r.real(4, 3), r.real(4, 4), r.real(4)),
        "01234",
    ),
    "layer_norm": (
        lambda x, g, b, eps=1e-5: F.layer_norm(x, x.shape[-1:], g, b, eps),
        lambda r: (r.real(4, 5), r.real(5), r.real(5)),
        "012",
    ),
    "rms_norm": (_rms, lambda r: (r.real(4, 5), r.real(5)), "01"),
    "batch_norm": (_batch, lambda r: (r.real(5, 3), r.real(3), r.real(3)), "012"),
    "quadratic_form": (lambda x, A: x @ A @ x, lambda r: (r.real(4), r.real(4, 4)), "01"),
    "log_determinant": (torch.logdet, lambda r: (r.definite(4),), "0"),
    "determinant": (torch.linalg.det, lambda r: (r.real(3, 3),), "0"),
    "trace_bilinear": (
        lambda X, A, B: torch.trace(A @ X @ B @ X),
        lambda r: (r.real(4, 3), r.real(3, 4), r.real(3, 4)),
        "0",
    ),
    "least_squares": (
        lambda A, x, b: ((A @ x - b) ** 2).sum(),
        lambda r: (r.real(5, 3), r.real(3), r.real(5)),
        "1",
    ),
    "l2_regularized": (_ridge, lambda r: (r.real(5, 3), r.real(3), r.real(), r.real(5)), "12"),
    "l1_regularized": (_lasso, lambda r: (r.real(5, 9), r.real(9), r.real(), r.real(5)), "12"),
    "bilinear_inverse": (
        lambda X, a, b: a @ torch.linalg.inv(X) @ b,
        lambda r: (r.definite(4) + r.real(4, 4) / 4, r.real(4), r.real(4)),
        "012",
    ),
    "fair": (_fair, _pair, "0"),
    "pseudo_huber": (
        lambda x, y, delta=1.0: (delta**2 * (torch.sqrt(1 + ((x - y) / delta) ** 2) - 1)).sum(),
        _pair,
        "0",
    ),
    "squared_log": (
        lambda x, y: ((torch.log1p(x) - torch.log1p(y)) ** 2).sum() / 2,
        lambda r: (r.positive(6), r.positive(6)),
        "0",
    ),
    "tweedie": (_tweedie, lambda r: (r.real(9), r.count(9)), "0"),
    "pairwise_ranking": (
        lambda s, w: (w * F.softplus(s[None, :] - s[:, None], threshold=1e9)).sum(),
        lambda r: (r.real(5), r.positive(5, 5)),
        "0",
    ),
    "distillation": (_distillation, lambda r: (r.real(4, 5), r.real(4, 5)), "0"),
    "masked_mse": (_masked, lambda r: (r.real(4, 3), r.real(4, 3), r.mask(4, 3)), "0"),
    "logistic_regression": (
        lambda X, w, t: (F.softplus(X @ w, threshold=1e9) - t * (X @ w)).mean(),
        lambda r: (r.real(5, 3), r.real(3), r.target(5)),
        "1",
    ),
}
