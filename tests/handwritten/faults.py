"""Hand-written gradients that are right, and the mistakes that people make in them.

Each case is a formula, a right gradient as source, and faults: a name, what is replaced by what, and the kinds of cause
that name it. The first kind is the one wanted; others say the same thing in other words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Fault = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Case:
    formula: str | Mapping[str, Any]
    source: str
    faults: Mapping[str, Fault] = field(default_factory=dict)
    function: str = "grad"
    order: int = 1
    reduction: str = "mean"

    def right(self) -> Callable[..., Any]:
        return made(self.source, self.function)

    def wrong(self, fault: str) -> Callable[..., Any]:
        old, new, _ = self.faults[fault]
        assert old in self.source, f"{old!r} is not in the source"
        return made(self.source.replace(old, new), self.function)


def made(source: str, function: str) -> Callable[..., Any]:
    names: dict[str, Any] = {"np": np}
    exec(compile(source, "<hand-written>", "exec"), names)
    found: Callable[..., Any] = names[function]
    return found


SOFTMAX = """
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
"""

CASES = {
    "softmax_cross_entropy": Case(
        "softmax_cross_entropy",
        SOFTMAX + """
def grad(z, t):
    y = softmax(z)
    return (y - t) / len(z)
""",
        {
            "sign": ("(y - t)", "(t - y)", ("sign",)),
            "factor 2": ("(y - t)", "2 * (y - t)", ("factor",)),
            "reduction ignored": (" / len(z)", "", ("reduction",)),
            "1/c": ("len(z)", "z.shape[1]", ("factor",)),
            "coupling missing": ("(y - t)", "-t * (1 - y)", ("missing_term",)),
            "target missing": ("(y - t)", "y", ("missing_term",)),
            "softmax over the wrong axis": ("e.sum(-1", "e.sum(0", ("wrong_axis",)),
            "jacobian of the softmax again": ("(y - t)", "(y - t) * y * (1 - y)", ("extra_factor",)),
            "transposed": ("return (y - t) / len(z)", "return ((y - t) / len(z)).T", ("transposed",)),
            "float32": ("return (y - t) / len(z)", "return ((y - t) / len(z)).astype(np.float32)", ("precision",)),
            "float32 inside": ("y = softmax(z)", "y = softmax(z.astype(np.float32)).astype(float)", ("precision",)),
            "no shift": (" - z.max(-1, keepdims=True)", "", ("nonfinite",)),
            "summed over classes": ("return (y - t)", "return (y - t).sum(1)", ("wrong_axis",)),
            "raises": ("(y - t)", "(y - t.missing)", ("error",)),
            "an extra term": ("(y - t) / len(z)", "(y - t) / len(z) + 0.01 * z", ("extra_term",)),
        },
    ),
    "mse": Case(
        "mse",
        "def grad(x, t):\n    return 2 * (x - t) / x.size\n",
        {
            "factor 2 missing": ("2 * (x - t)", "(x - t)", ("factor",)),
            "sign": ("(x - t)", "(t - x)", ("sign",)),
            "reduction ignored": (" / x.size", "", ("reduction",)),
            "divided twice": ("x.size", "x.size**2", ("factor",)),
            "only large errors": ("2 * (x - t) / x.size", "2 * np.where(np.abs(x - t) < 8, x - t, 0) / x.size",
                                  ("region",)),
        },
    ),
    "huber": Case(
        "huber",
        """
def grad(x, t, delta=1.0):
    r = x - t
    return np.where(np.abs(r) <= delta, r, delta * np.sign(r)) / len(x)
""",
        {
            "sign": ("r = x - t", "r = t - x", ("sign",)),
            "delta missing outside": ("delta * np.sign(r)", "np.sign(r)", ("region", "missing_factor")),
            "sign flipped outside": ("delta * np.sign(r)", "-delta * np.sign(r)", ("region", "sign")),
            "zero outside": ("delta * np.sign(r)", "0 * r", ("region",)),
            "delta ignored": ("    r = x - t", "    delta = 1.0\n    r = x - t", ("factor", "region", "epsilon")),
            "half inside": ("delta, r, delta", "delta, r / 2, delta", ("region", "factor")),
            "reduction ignored": (" / len(x)", "", ("reduction",)),
        },
    ),
    "pseudo_huber": Case(  # the objective of XGBoost's documentation, with its sign
        {
            "name": "pseudo_huber",
            "inputs": {"x": ["n"], "t": {"shape": ["n"], "given": True}},
            "parameters": {"h": 1.5},
            "loss": "h**2*(sqrt(1 + ((x[i] - t[i])/h)**2) - 1)",
        },
        """
def grad(x, t, h=1.5):
    d = x - t
    scale = 1 + (d / h) ** 2
    root = np.sqrt(scale)
    return d / root, 1 / scale / root
""",
        {
            "sign of the gradient": ("d = x - t", "d = t - x", ("sign",)),
            "h missing in the scale": ("(d / h) ** 2", "d ** 2", ("missing_factor", "factor")),
            "Hessian without the root": ("1 / scale / root", "1 / scale", ("extra_factor", "missing_factor")),
            "Hessian of the square": ("1 / scale / root", "np.ones_like(d)", ("missing_factor", "extra_factor")),
            "root missing": ("d / root", "d", ("missing_factor", "extra_factor")),
        },
        order=2,
        reduction="sum",
    ),
    "fair": Case(  # the fair loss of many Kaggle solutions
        {
            "name": "fair",
            "inputs": {"x": ["n"], "t": {"shape": ["n"], "given": True}},
            "parameters": {"c": 2.0},
            "let": {"r[i]": "x[i] - t[i]"},
            "loss": "c**2*(Abs(r[i])/c - log(1 + Abs(r[i])/c))",
        },
        """
def grad(x, t, c=2.0):
    r = x - t
    den = np.abs(r) + c
    return c * r / den, c * c / (den * den)
""",
        {
            "sign of the gradient": ("r = x - t", "r = t - x", ("sign",)),
            "factor c missing": ("c * r / den", "r / den", ("factor", "missing_factor")),
            "den squared": ("c * r / den,", "c * r / den**2,", ("extra_factor",)),
        },
        order=2,
        reduction="sum",
    ),
    "squared_log_error": Case(
        {
            "name": "squared_log_error",
            "inputs": {"p": {"shape": ["n"], "domain": "nonnegative"},
                       "y": {"shape": ["n"], "domain": "nonnegative", "given": True}},
            "loss": "(log(1 + p[i]) - log(1 + y[i]))**2/2",
        },
        "def grad(p, y):\n    return (np.log1p(p) - np.log1p(y)) / (p + 1) / len(p)\n",
        {
            "the factor (1+p)/(1+y)": ("(p + 1)", "(y + 1)", ("extra_factor",)),
            "1/(1+p) missing": (" / (p + 1)", "", ("missing_factor",)),
            "sign": ("np.log1p(p) - np.log1p(y)", "np.log1p(y) - np.log1p(p)", ("sign",)),
            "without the one": ("/ (p + 1)", "/ p", ("extra_factor", "missing_factor", "missing_term")),
        },
    ),
    "bce_with_logits": Case(
        "bce_with_logits",
        """
def grad(x, t):
    p = 1 / (1 + np.exp(-x))
    return (p - t) / len(x)
""",
        {
            "sigmoid' again": ("(p - t)", "(p - t) * p * (1 - p)", ("extra_factor",)),
            "by the probability": ("(p - t)", "(p - t) / (p * (1 - p))", ("missing_factor", "extra_factor")),
            "sign": ("(p - t)", "(t - p)", ("sign",)),
            "logit for probability": ("(p - t)", "(x - t)", ("unknown", "extra_term", "missing_factor", "factor")),
            "reduction ignored": (" / len(x)", "", ("reduction",)),
            "exp overflows": ("1 / (1 + np.exp(-x))", "np.exp(x) / (1 + np.exp(x))", ("nonfinite",)),
            "wrong for large logits": ("(p - t)", "np.where(np.abs(x) < 5, p - t, 0)", ("region",)),
        },
    ),
    "sigmoid": Case(
        "sigmoid",
        """
def grad(x, dy):
    s = 1 / (1 + np.exp(-x))
    e = 1 / (1 + np.exp(x))
    return dy * s * e
""",
        {
            "upstream ignored": ("dy * s", "s", ("upstream",)),
            "upstream twice": ("dy * s", "dy * dy * s", ("upstream",)),
            "s * s": ("s * e", "s * s", ("extra_factor", "missing_factor")),
            "e missing": ("s * e", "s", ("missing_factor",)),
            "digits lost": ("s * e", "s * (1 - s)", ("precision",)),
        },
    ),
    "layer_norm": Case(
        "layer_norm",
        """
def grad(x, g, b, dy, eps=1e-5):
    lead = tuple(range(x.ndim - 1))
    h = x - x.mean(-1, keepdims=True)
    s = 1 / np.sqrt((h * h).mean(-1, keepdims=True) + eps)
    u = h * s
    d = dy * g
    dx = s * (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True))
    return dx, (dy * u).sum(lead), dy.sum(lead)
""",
        {
            "mean term missing": (" - d.mean(-1, keepdims=True)", "", ("missing_term",)),
            "variance term missing": (" - u * (d * u).mean(-1, keepdims=True)", "", ("missing_term",)),
            "weight twice": ("d = dy * g", "d = dy * g * g", ("extra_factor", "upstream")),
            "weight missing": ("d = dy * g", "d = dy", ("missing_factor",)),
            "eps dropped": (" + eps", "", ("epsilon",)),
            "eps outside of the root": (
                "1 / np.sqrt((h * h).mean(-1, keepdims=True) + eps)",
                "1 / (np.sqrt((h * h).mean(-1, keepdims=True)) + eps)", ("epsilon",)),
            "eps fixed": (" + eps", " + 1e-3", ("epsilon",)),
            "sum for mean": ("(d * u).mean(-1", "(d * u).sum(-1", ("factor",)),
            "sign of the variance term": ("- u * (d * u)", "+ u * (d * u)", ("sign",)),
            "upstream ignored": ("    d = dy * g", "    dy = np.ones_like(dy)\n    d = dy * g", ("upstream",)),
            "s missing": ("dx = s * (", "dx = (", ("missing_factor",)),
            "u missing in dg": ("(dy * u).sum(lead)", "dy.sum(lead)", ("missing_factor",)),
            "summed over the wrong axis": ("(dy * u).sum(lead)", "(dy * u).sum(-1)", ("wrong_axis",)),
            "not summed": ("dy.sum(lead)", "dy", ("wrong_axis",)),
            "another order": ("return dx, (dy * u).sum(lead), dy.sum(lead)",
                              "return dx, dy.sum(lead), (dy * u).sum(lead)", ("shape",)),
            "biased by c/(c - 1)": ("(h * h).mean(-1, keepdims=True)",
                                    "(h * h).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1)", ("factor",)),
        },
    ),
    "rms_norm": Case(
        "rms_norm",
        """
def grad(x, g, dy, eps=1e-6):
    lead = tuple(range(x.ndim - 1))
    s = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    u = x * s
    d = dy * g
    return s * (d - u * (d * u).mean(-1, keepdims=True)), (dy * u).sum(lead)
""",
        {
            "weight twice": ("d = dy * g", "d = dy * g * g", ("extra_factor", "upstream")),
            "weight twice in one term": ("s * (d - u", "s * (d * g - u", ("extra_factor",)),
            "coupling missing": (" - u * (d * u).mean(-1, keepdims=True)", "", ("missing_term",)),
            "eps dropped": (" + eps", "", ("epsilon",)),
            "s squared": ("return s * (", "return s * s * (", ("extra_factor",)),
            "upstream twice": ("    d = dy * g", "    dy = dy * dy\n    d = dy * g", ("upstream",)),
            "1/c missing": ("(d * u).mean(-1", "(d * u).sum(-1", ("factor",)),
        },
    ),
    "softmax": Case(
        "softmax",
        SOFTMAX + """
def grad(x, dy):
    y = softmax(x)
    return y * (dy - (dy * y).sum(-1, keepdims=True))
""",
        {
            "coupling missing": ("dy - (dy * y).sum(-1, keepdims=True)", "dy - dy * y", ("missing_term",)),
            "term missing": (" - (dy * y).sum(-1, keepdims=True)", "", ("missing_term",)),
            "y missing in the sum": ("(dy * y).sum", "dy.sum", ("missing_factor",)),
            "y missing": ("y * (dy", "(dy", ("missing_factor",)),
            "upstream ignored": ("    return y *", "    dy = np.ones_like(dy)\n    return y *", ("upstream",)),
            "sign of the sum": ("dy - (dy", "dy + (dy", ("sign",)),
        },
    ),
    "linear": Case(
        "linear",
        """
def grad(x, W, b, dy):
    X, D = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ W, D.T @ X, D.sum(0)
""",
        {
            "transposed": ("D.T @ X", "X.T @ D", ("transposed",)),
            "sign of dW": ("D.T @ X", "-D.T @ X", ("sign",)),
            "mean over the batch": ("D.T @ X", "D.T @ X / len(X)", ("factor",)),
            "mean in db": ("D.sum(0)", "D.mean(0)", ("factor",)),
            "over the wrong axis": ("D.sum(0)", "D.sum(1)", ("wrong_axis",)),
            "upstream ignored in db": ("D.sum(0)", "np.full(D.shape[1], float(len(D)))", ("upstream",)),
        },
    ),
    "attention": Case(
        "attention",
        SOFTMAX + """
def grad(Q, K, V, dO):
    c = 1 / np.sqrt(Q.shape[-1])
    P = softmax(Q @ K.swapaxes(1, 2) * c)
    dP = dO @ V.swapaxes(1, 2)
    dS = P * (dP - (dP * P).sum(-1, keepdims=True))
    return dS @ K * c, dS.swapaxes(1, 2) @ Q * c, P.swapaxes(1, 2) @ dO
""",
        {
            "scale missing in dQ": ("dS @ K * c,", "dS @ K,", ("factor",)),
            "coupling missing": (" - (dP * P).sum(-1, keepdims=True)", "", ("missing_term",)),
            "P missing": ("dS = P * (", "dS = (", ("missing_factor",)),
            "sign of dK": ("dS.swapaxes(1, 2) @ Q * c", "-dS.swapaxes(1, 2) @ Q * c", ("sign",)),
            "V instead of K": ("dP = dO", "dP = 2 * dO", ("factor",)),
        },
    ),
    "triplet_margin": Case(
        "triplet_margin",
        """
def grad(a, p, q, margin=1.0):
    def unit(v):
        n = np.linalg.norm(v, axis=-1, keepdims=True)
        return np.divide(v, n, out=np.zeros_like(v), where=n > 0), n
    u, nu = unit(a - p)
    v, nv = unit(a - q)
    on = (nu - nv + margin > 0) / len(a)
    return on * (u - v), -on * u, on * v
""",
        {
            "sign of the negative": ("on * v", "-on * v", ("sign",)),
            "negative missing": ("on * (u - v)", "on * u", ("missing_term",)),
            "not normalized": ("return np.divide(v, n, out=np.zeros_like(v), where=n > 0), n", "return v, n",
                               ("extra_factor", "missing_factor", "factor")),
            "condition missing": ("(nu - nv + margin > 0)", "1.0", ("region",)),
            "margin missing": (" + margin", "", ("missing_term", "region")),
            "nan at 0": ("np.divide(v, n, out=np.zeros_like(v), where=n > 0)", "v / n", ("nonfinite",)),
        },
    ),
    "gaussian_nll": Case(
        "gaussian_nll",
        """
def grad(m, s, t):
    w = np.exp(-s)
    return w * (m - t) / len(m), (1 - w * (t - m) ** 2) / 2 / len(m)
""",
        {
            "half missing": ("(t - m) ** 2) / 2", "(t - m) ** 2)", ("factor",)),
            "one missing": ("(1 - w * (t - m) ** 2)", "(-w * (t - m) ** 2)", ("missing_term",)),
            "precision missing": ("w * (m - t)", "(m - t)", ("missing_factor",)),
            "precision squared": ("w * (m - t)", "w * w * (m - t)", ("extra_factor",)),
            "sign": ("w * (m - t)", "w * (t - m)", ("sign",)),
            "square missing": ("(t - m) ** 2", "(t - m)", ("missing_factor",)),
        },
    ),
    "focal_binary": Case(
        "focal_binary",
        """
def grad(x, t, g=2.0):
    p = 1 / (1 + np.exp(-x))
    q = 1 / (1 + np.exp(x))
    lp, lq = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    return (t * q**g * (g * p * lp - q) + (1 - t) * p**g * (p - g * q * lq)) / len(x)
""",
        {
            "g missing": ("g * p * lp", "p * lp", ("missing_factor",)),
            "modulation not differentiated": ("(g * p * lp - q)", "(-q)", ("missing_term", "missing_factor")),
            "sign of a term": ("g * p * lp - q", "-g * p * lp - q", ("sign",)),
            "p missing": ("g * p * lp", "g * lp", ("missing_factor",)),
            "exponent": ("q**g *", "q**(g - 1) *", ("missing_factor", "factor", "extra_factor")),
        },
    ),
    "gelu": Case(
        "gelu",
        """
from math import erfc
def grad(x, dy):
    cdf = np.vectorize(lambda v: erfc(-v / 2**0.5) / 2)(x)
    return dy * (cdf + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))
""",
        {
            "density missing": (" + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)", "", ("missing_term",)),
            "x missing": ("x * np.exp(", "np.exp(", ("missing_factor",)),
            "norm missing": (" / np.sqrt(2 * np.pi)", "", ("missing_factor", "factor")),
            "upstream ignored": ("dy * (cdf", "(cdf", ("upstream",)),
        },
    ),
    "leaky_relu": Case(
        "leaky_relu",
        "def grad(x, dy, slope=0.01):\n    return dy * np.where(x > 0, 1.0, slope)\n",
        {
            "slope missing": ("1.0, slope", "1.0, 0.0", ("region", "epsilon")),
            "another convention at 0": ("x > 0", "x >= 0", ("kink",)),
            "slope fixed": ("1.0, slope", "1.0, 0.2", ("region", "factor", "epsilon")),
            "swapped": ("1.0, slope", "slope, 1.0", ("region", "extra_factor", "missing_factor", "factor")),
        },
    ),
    "relu": Case(
        "relu",
        "def grad(x, dy):\n    return dy * (x > 0)\n",
        {
            "relu forgotten": (" * (x > 0)", "", ("region",)),
            "kink": ("x > 0", "x >= 0", ("kink",)),
            "upstream ignored": ("dy * (x > 0)", "(x > 0) * 1.0", ("upstream",)),
        },
    ),
    "trace_quadratic": Case(
        "trace_quadratic",
        "def grad(X, B):\n    return B @ X + B.T @ X\n",
        {
            "transpose missing": (" + B.T @ X", "", ("missing_term",)),
            "as if symmetric": ("B @ X + B.T @ X", "2 * B @ X", ("transposed", "factor")),
            "transposed": ("return B @ X + B.T @ X", "return (B @ X + B.T @ X).T", ("transposed",)),
        },
    ),
    "quadratic_form": Case(
        "quadratic_form",
        "def grad(x, A):\n    return (A + A.T) @ x, np.outer(x, x)\n",
        {
            "as if symmetric": ("(A + A.T) @ x", "2 * A @ x", ("transposed", "factor")),
            "transpose missing": ("(A + A.T) @ x", "A @ x", ("missing_term",)),
            "half": ("(A + A.T) @ x", "(A + A.T) @ x / 2", ("factor",)),
        },
    ),
    "log_determinant": Case(
        "log_determinant",
        "def grad(X):\n    return np.linalg.inv(X).T\n",
        {
            "sign": ("np.linalg.inv(X).T", "-np.linalg.inv(X).T", ("sign",)),
            "symmetric convention": ("return np.linalg.inv(X).T",
                                     "g = np.linalg.inv(X).T\n    return 2 * g - np.diag(np.diag(g))",
                                     ("extra_term", "factor")),
            "not inverted": ("np.linalg.inv(X).T", "X.T", ("factor", "unknown", "extra_factor")),
        },
    ),
    "amax": Case(
        {
            "name": "top",
            "inputs": {"x": ["n", "c"]},
            "loss": "amax(x[i, j], j)",
        },
        """
def grad(x):
    top = (x == x.max(1, keepdims=True)).astype(float)
    return top / top.sum(1, keepdims=True) / len(x)
""",
        {
            "ties not shared": ("top / top.sum(1, keepdims=True)", "top", ("kink",)),
            "first takes all": ("top = (x == x.max(1, keepdims=True)).astype(float)",
                                "top = np.eye(x.shape[1])[x.argmax(1)]", ("kink",)),
        },
    ),
    "cross_entropy": Case(
        "cross_entropy",
        SOFTMAX + """
def grad(z, t):
    y = softmax(z)
    y[np.arange(len(z)), t] -= 1
    return y / len(z)
""",
        {
            "target missing": ("    y[np.arange(len(z)), t] -= 1\n", "", ("missing_term", "region")),
            "sign of the target": ("-= 1", "+= 1", ("sign", "region")),
            "reduction ignored": (" / len(z)", "", ("reduction",)),
            "first class": ("y[np.arange(len(z)), t]", "y[np.arange(len(z)), 0]", ("unknown", "region")),
        },
    ),
    "quantile": Case(
        "quantile",
        """
def grad(x, t, q=0.5):
    return np.where(x == t, 0.5 - q, np.where(x > t, 1.0, 0.0) - q) / len(x)
""",
        {
            "q and 1 - q": ("- q)", "- (1 - q))", ("factor", "epsilon", "sign")),
            "sign": ("/ len(x)", "/ -len(x)", ("sign",)),
            "kink": ("np.where(x == t, 0.5 - q, np.where(x > t, 1.0, 0.0) - q)", "(np.where(x > t, 1.0, 0.0) - q)",
                     ("kink",)),
        },
    ),
    "cosine_similarity": Case(
        "cosine_similarity",
        """
def grad(x, z, dy):
    a, b = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (x, z))
    a, b = np.maximum(a, 1e-300), np.maximum(b, 1e-300)
    u, v = x / a, z / b
    y = (u * v).sum(-1, keepdims=True)
    d = dy[..., None]
    return d * (v - y * u) / a, d * (u - y * v) / b
""",
        {
            "projection missing": ("(v - y * u)", "v", ("missing_term",)),
            "norm missing": ("(v - y * u) / a", "(v - y * u)", ("missing_factor", "extra_factor")),
            "other norm": ("(v - y * u) / a", "(v - y * u) / b", ("extra_factor", "missing_factor")),
            "sign": ("v - y * u", "v + y * u", ("sign",)),
        },
    ),
    "info_nce": Case(
        "info_nce",
        SOFTMAX + """
def grad(q, k, tau=0.1):
    p = softmax(q @ k.T / tau)
    n = len(q)
    return (p @ k - k) / tau / n, (p.T @ q - q) / tau / n
""",
        {
            "temperature missing": ("(p @ k - k) / tau / n", "(p @ k - k) / n", ("missing_factor", "extra_factor")),
            "transpose missing": ("p.T @ q", "p @ q", ("transposed", "wrong_axis")),
            "positive missing": ("(p @ k - k)", "(p @ k)", ("missing_term",)),
            "temperature twice": ("(p @ k - k) / tau", "(p @ k - k) / tau**2", ("extra_factor", "missing_factor")),
        },
    ),
    "batch_norm": Case(
        "batch_norm",
        """
def grad(x, g, b, dy, eps=1e-5):
    h = x - x.mean(0)
    s = 1 / np.sqrt((h * h).mean(0) + eps)
    u = h * s
    return g * s * (dy - dy.mean(0) - u * (dy * u).mean(0)), (dy * u).sum(0), dy.sum(0)
""",
        {
            "mean term missing": (" - dy.mean(0)", "", ("missing_term",)),
            "variance term missing": (" - u * (dy * u).mean(0)", "", ("missing_term",)),
            "weight missing": ("g * s *", "s *", ("missing_factor",)),
            "sum for mean": ("(dy * u).mean(0)", "(dy * u).sum(0)", ("factor",)),
            "mean for sum": ("(dy * u).sum(0)", "(dy * u).mean(0)", ("factor",)),
        },
    ),
    "logistic_regression": Case(
        "logistic_regression",
        """
def grad(X, w, t):
    p = 1 / (1 + np.exp(-X @ w))
    return X.T @ (p - t) / len(X)
""",
        {
            "reduction ignored": (" / len(X)", "", ("reduction",)),
            "sigmoid' again": ("(p - t)", "((p - t) * p * (1 - p))", ("extra_factor",)),
            "not summed": ("X.T @ (p - t)", "X * (p - t)[:, None]", ("wrong_axis",)),
            "sign": ("(p - t)", "(t - p)", ("sign",)),
            "divided by d": ("len(X)", "X.shape[1]", ("factor",)),
        },
    ),
    "dice": Case(
        "dice",
        """
def grad(p, t, eps=1.0):
    a = (p * t).sum(1, keepdims=True)
    b = (p + t).sum(1, keepdims=True)
    return ((2 * a + eps) / (b + eps) - 2 * t) / (b + eps) / len(p)
""",
        {
            "eps dropped": ("    a = ", "    eps = 0\n    a = ", ("epsilon",)),
            "factor 2 in a term": ("- 2 * t", "- t", ("factor",)),
            "quotient rule without the square": ("- 2 * t) / (b + eps)", "- 2 * t)", ("missing_factor",)),
            "sign": ("((2 * a + eps) / (b + eps) - 2 * t)", "(2 * t - (2 * a + eps) / (b + eps))", ("sign",)),
        },
    ),
}  # fmt: skip
