# ruff: noqa: E501  tables
"""Which operation of torch's own test suite is which formula: a table.

An entry calls formulas as `f.NAME(...)` on the sample's tensors and gives what the operation gives; the harness does
the rest. `Skip(reason)` leaves a sample out: what it asks for is not in the formula. Formulas are those of the
catalogue; for what it has not, there is a line in `INLINE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Call = Callable[..., Any]


class Skip(Exception):
    """A sample that a formula does not speak of."""


def only(condition: object, reason: str) -> None:
    """Leave a sample out unless the condition holds."""
    if not condition:
        raise Skip(reason)


def _elementwise(y: str, **more: Any) -> dict[str, Any]:
    return {"inputs": {"x": ["..."], **more}, "output": {"y[...]": y}}


def _binary(y: str) -> dict[str, Any]:
    return {"inputs": {"x": ["..."], "z": ["..."]}, "output": {"y[...]": y}}


def _last(y: str, shape: str = "...") -> dict[str, Any]:
    return {"inputs": {"x": ["...", "c"]}, "output": {f"y[{shape}]": y}}


X, Z = "x[...]", "z[...]"
UNARY: Mapping[str, str] = {
    "abs": f"Abs({X})",
    "acos": f"acos({X})",
    "acosh": f"acosh({X})",
    "asin": f"asin({X})",
    "asinh": f"asinh({X})",
    "atan": f"atan({X})",
    "atanh": f"atanh({X})",
    "ceil": f"ceiling({X})",
    "cos": f"cos({X})",
    "cosh": f"cosh({X})",
    "deg2rad": f"{X}*pi/180",
    "digamma": f"digamma({X})",
    "erf": f"erf({X})",
    "erfc": f"erfc({X})",
    "exp": f"exp({X})",
    "exp2": f"2**{X}",
    "expm1": f"expm1({X})",
    "floor": f"floor({X})",
    "frac": f"{X} - sign({X})*floor(Abs({X}))",
    "lgamma": f"loggamma({X})",
    "log": f"log({X})",
    "log10": f"log({X})/log(10)",
    "log1p": f"log1p({X})",
    "log2": f"log({X})/log(2)",
    "neg": f"-{X}",
    "rad2deg": f"180*{X}/pi",
    "reciprocal": f"1/{X}",
    "rsqrt": f"1/sqrt({X})",
    "sign": f"sign({X})",
    "sin": f"sin({X})",
    "sinc": f"where({X} == 0, 1, sin(pi*{X})/(pi*{X}))",
    "sinh": f"sinh({X})",
    "special.ndtr": f"normal_cdf({X})",
    "sqrt": f"sqrt({X})",
    "square": f"{X}**2",
    "tan": f"tan({X})",
    "trunc": f"sign({X})*floor(Abs({X}))",
    "nn.functional.relu6": f"Piecewise((0, {X} <= 0), (6, {X} >= 6), ({X}, True))",
    "nn.functional.tanhshrink": f"{X} - tanh({X})",
}
BINARY: Mapping[str, str] = {
    "atan2": f"atan2({X}, {Z})",
    "float_power": f"{X}**{Z}",
    "fmax": f"where({X} >= {Z}, {X}, {Z})",
    "fmin": f"where({X} <= {Z}, {X}, {Z})",
    "logaddexp": f"log(exp({X}) + exp({Z}))",
    "maximum": f"Max({X}, {Z})",
    "minimum": f"Min({X}, {Z})",
    "mul": f"{X}*{Z}",
    "true_divide": f"{X}/{Z}",
    "special.xlog1py": f"where({X} == 0, 0, {X}*log1p({Z}))",
    "xlogy": f"where({X} == 0, 0, {X}*log({Z}))",
}
INLINE: Mapping[str, Mapping[str, Any]] = {
    **{n.replace(".", "_"): _elementwise(y) for n, y in UNARY.items()},
    **{n.replace(".", "_"): _binary(y) for n, y in BINARY.items()},
    **{
        f"polygamma_{n}": _elementwise(f"polygamma({n}, {X})") if n else _elementwise(f"digamma({X})") for n in range(5)
    },
    "add": {**_binary(f"{X} + alpha*{Z}"), "parameters": {"alpha": 1.0}},
    "sub": {**_binary(f"{X} - alpha*{Z}"), "parameters": {"alpha": 1.0}},
    "lerp": {"inputs": {key: ["..."] for key in "xzw"}, "output": {"y[...]": f"{X} + w[...]*({Z} - {X})"}},
    "addcmul": {
        "inputs": {key: ["..."] for key in "xzw"},
        "parameters": {"v": 1.0},
        "output": {"y[...]": f"{X} + v*{Z}*w[...]"},
    },
    "addcdiv": {
        "inputs": {key: ["..."] for key in "xzw"},
        "parameters": {"v": 1.0},
        "output": {"y[...]": f"{X} + v*{Z}/w[...]"},
    },
    "clamp": {"inputs": {key: ["..."] for key in "xab"}, "output": {"y[...]": f"clip({X}, a[...], b[...])"}},
    "clamp_min": {"inputs": {key: ["..."] for key in "xa"}, "output": {"y[...]": f"where({X} >= a[...], {X}, a[...])"}},
    "clamp_max": {"inputs": {key: ["..."] for key in "xa"}, "output": {"y[...]": f"where({X} <= a[...], {X}, a[...])"}},
    "where": {
        "inputs": {"c": {"shape": ["..."], "dtype": "bool"}, "x": ["..."], "z": ["..."]},
        "output": {"y[...]": f"where(c[...], {X}, {Z})"},
    },
    "hardshrink": {**_elementwise(f"where(Abs({X}) > lam, {X}, 0)"), "parameters": {"lam": 0.5}},
    "softshrink": {
        **_elementwise(f"Piecewise(({X} - lam, {X} > lam), ({X} + lam, {X} < -lam), (0, True))"),
        "parameters": {"lam": 0.5},
    },
    "hardtanh": {
        **_elementwise(f"Piecewise((a, {X} <= a), (b, {X} >= b), ({X}, True))"),
        "parameters": {"a": -1.0, "b": 1.0},
    },
    "threshold": {**_elementwise(f"where({X} > a, {X}, b)"), "parameters": {"a": 0.0, "b": 0.0}},
    "logit": {**_elementwise(f"logit({X})")},
    "sum": _last("Sum(x[..., j], j)"),
    "mean": _last("mean(x[..., j], j)"),
    "prod": _last("Product(x[..., j], j)"),
    "amax": _last("amax(x[..., j], j)"),
    "amin": _last("amin(x[..., j], j)"),
    "max_first": _last("amax(x[..., j], j, ties=first)"),
    "min_first": _last("amin(x[..., j], j, ties=first)"),
    "logsumexp": _last("logsumexp(x[..., j], j)"),
    "norm2": _last("norm(x[..., j], j)"),
    "norm1": _last("Sum(Abs(x[..., j]), j)"),
    "norm_inf": _last("amax(Abs(x[..., j]), j)"),
    "var": {**_last("var(x[..., j], j)*c/(c - k)"), "parameters": {"k": 0.0}},
    "std": {**_last("sqrt(var(x[..., j], j)*c/(c - k))"), "parameters": {"k": 0.0}},
    "softmin": _last("softmax(-x[..., j], j)", "..., j"),
    "cumsum": {"inputs": {"x": ["...", "c"]}, "ranges": {"k": "c"}, "output": {"y[..., k]": "Sum(where(j <= k, x[..., j], 0), j)"}},
    "cumprod": {
        "inputs": {"x": ["...", "c"]},
        "ranges": {"k": "c"},
        "output": {"y[..., k]": "Product(where(j <= k, x[..., j], 1), j)"},
    },
    "logcumsumexp": {
        "inputs": {"x": ["...", "c"]},
        "ranges": {"k": "c"},
        "output": {"y[..., k]": "logsumexp(where(j <= k, x[..., j], -oo), j)"},
    },
    "diff": {"inputs": {"x": ["...", "c"]}, "ranges": {"k": "c - 1"}, "output": {"y[..., k]": "x[..., k + 1] - x[..., k]"}},
    "flip": {"inputs": {"x": ["...", "c"]}, "output": {"y[..., k]": "x[..., c - 1 - k]"}, "ranges": {"k": "c"}},
    "normalize": {
        **_last("x[..., j]/Max(norm(x[..., k], k), eps)", "..., j"),
        "parameters": {"eps": {"value": 1e-12, "domain": "positive"}},
    },
    "glu": {
        "inputs": {"x": ["...", "2*m"]},
        "ranges": {"j": "m"},
        "output": {"y[..., j]": "x[..., j]*sigmoid(x[..., m + j])"},
    },
    "matmul": {"inputs": {"A": ["...", "m", "k"], "B": ["...", "k", "n"]}, "output": {"y[..., i, j]": "Sum(A[..., i, l]*B[..., l, j], l)"}},
    "mv": {"inputs": {"A": ["m", "k"], "x": ["k"]}, "output": {"y": "A @ x"}},
    "outer": {"inputs": {"x": ["m"], "z": ["n"]}, "output": {"y[i, j]": "x[i]*z[j]"}},
    "addmm": {
        "inputs": {"M": ["...", "m", "n"], "A": ["...", "m", "k"], "B": ["...", "k", "n"]},
        "parameters": {"alpha": 1.0, "beta": 1.0},
        "output": {"y[..., i, j]": "beta*M[..., i, j] + alpha*Sum(A[..., i, l]*B[..., l, j], l)"},
    },
    "trace": {"inputs": {"X": ["n", "n"]}, "output": {"y": "trace(X)"}},
    "kron": {
        "inputs": {"A": ["m", "n"], "B": ["p", "q"]},
        "ranges": {"i": "m*p", "j": "n*q"},
        "output": {"y[i, j]": "A[i//p, j//q]*B[i % p, j % q]"},
    },
    "tril": {
        "inputs": {"X": ["...", "m", "n"]},
        "parameters": {"k": {"value": 0, "dtype": "int"}},
        "output": {"y[..., i, j]": "where(j <= i + k, X[..., i, j], 0)"},
    },
    "triu": {
        "inputs": {"X": ["...", "m", "n"]},
        "parameters": {"k": {"value": 0, "dtype": "int"}},
        "output": {"y[..., i, j]": "where(j >= i + k, X[..., i, j], 0)"},
    },
    "inv": {"inputs": {"A": ["...", "n", "n"]}, "output": {"y[..., i, j]": "inv(A)[..., i, j]"}},
    "det": {"inputs": {"A": ["...", "n", "n"]}, "output": {"y[...]": "det(A)[...]"}},
    "slogdet": {"inputs": {"A": ["...", "n", "n"]}, "output": {"y[...]": "log(Abs(det(A)[...]))"}},
    "solve": {"inputs": {"A": ["n", "n"], "B": ["n", "k"]}, "output": {"y[i, j]": "Sum(inv(A)[i, l]*B[l, j], l)"}},
    "cdist": {
        "inputs": {"x": ["...", "p", "d"], "z": ["...", "r", "d"]},
        "output": {"y[..., i, j]": "norm(x[..., i, k] - z[..., j, k], k)"},
    },
    "pairwise_distance": {
        "inputs": {"x": ["...", "d"], "z": ["...", "d"]},
        "parameters": {"eps": 1e-6},
        "output": {"y[...]": "norm(x[..., k] - z[..., k] + eps, k)"},
    },
    "vecdot": {"inputs": {"x": ["...", "d"], "z": ["...", "d"]}, "output": {"y[...]": "Sum(x[..., k]*z[..., k], k)"}},
    "cross": {
        "inputs": {"x": ["...", 3], "z": ["...", 3]},
        "ranges": {"k": 3},
        "output": {"y[..., k]": "x[..., (k + 1) % 3]*z[..., (k + 2) % 3] - x[..., (k + 2) % 3]*z[..., (k + 1) % 3]"},
    },
    "pixel_shuffle": {
        "inputs": {"x": ["...", "c*r**2", "h", "w"]},
        "parameters": {"r": {"value": 2, "dtype": "int", "domain": "positive"}},
        "ranges": {"k": "c", "p": "h*r", "q": "w*r"},
        "output": {"y[..., k, p, q]": "x[..., k*r**2 + (p % r)*r + q % r, p//r, q//r]"},
    },
    "avg_pool1d": {
        "inputs": {"x": {"shape": ["...", "l"], "outside": 0}},
        "parameters": {
            "k": {"value": 2, "dtype": "int", "domain": "positive"},
            "s": {"value": 2, "dtype": "int", "domain": "positive"},
            "pad": {"value": 0, "dtype": "int", "domain": "nonnegative"},
        },
        "ranges": {"p": "(l + 2*pad - k)//s + 1", "u": "k"},
        "output": {"y[..., p]": "mean(x[..., s*p + u - pad], u)"},
    },
    "nll": {
        "inputs": {"x": ["n", "c"], "t": {"shape": ["n"], "dtype": "int"}},
        "loss": "-x[i, t[i]]",
    },
    "kl_div": {
        "inputs": {"x": ["..."], "t": {"shape": ["..."], "domain": "nonnegative", "given": True}},
        "loss": "where(t[...] > 0, t[...]*(log(t[...]) - x[...]), 0)",
    },
    "margin_ranking": {
        "inputs": {"x": ["..."], "z": ["..."], "t": {"shape": ["..."], "given": True}},
        "parameters": {"margin": 0.0},
        "loss": "clip(-t[...]*(x[...] - z[...]) + margin, 0, oo)",
    },
    "hinge_embedding": {
        "inputs": {"x": ["..."], "t": {"shape": ["..."], "given": True}},
        "parameters": {"margin": 1.0},
        "loss": "where(t[...] == 1, x[...], where(t[...] == -1, clip(margin - x[...], 0, oo), "
        "x[...] + clip(margin - x[...], 0, oo)))",
    },
    "soft_margin": {
        "inputs": {"x": ["..."], "t": {"shape": ["..."], "given": True}},
        "loss": "log(1 + exp(-t[...]*x[...]))",
    },
    "multi_margin": {
        "inputs": {"x": ["n", "c"], "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"}},
        "parameters": {"margin": 1.0},
        "loss": "Sum(where(j == t[i], 0, relu(margin - x[i, t[i]] + x[i, j])), j)/c",
    },
    "multi_margin_squared": {
        "inputs": {"x": ["n", "c"], "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"}},
        "parameters": {"margin": 1.0},
        "loss": "Sum(where(j == t[i], 0, relu(margin - x[i, t[i]] + x[i, j])**2), j)/c",
    },
    "multilabel_soft_margin": {
        "inputs": {"x": ["n", "c"], "t": {"shape": ["n", "c"], "given": True}},
        "loss": "-mean(t[i, j]*log(sigmoid(x[i, j])) + (1 - t[i, j])*log(sigmoid(-x[i, j])), j)",
    },
    "gaussian_nll_var": {
        "inputs": {"x": ["..."], "t": ["..."], "v": {"shape": ["..."], "domain": "positive"}},
        "loss": "(log(v[...]) + (x[...] - t[...])**2/v[...])/2",
    },
    "poisson_nll_rate": {
        "inputs": {"x": ["..."], "t": {"shape": ["..."], "given": True}},
        "parameters": {"eps": 1e-8},
        "loss": "x[...] - t[...]*log(x[...] + eps)",
    },
    "triplet_eps": {
        "inputs": {"a": ["...", "d"], "p": ["...", "d"], "q": ["...", "d"]},
        "parameters": {"margin": 1.0, "eps": 1e-6},
        "loss": "clip(norm(a[..., k] - p[..., k] + eps, k) - norm(a[..., k] - q[..., k] + eps, k) + margin, 0, oo)",
    },
    "triplet_swap": {
        "inputs": {"a": ["...", "d"], "p": ["...", "d"], "q": ["...", "d"]},
        "parameters": {"margin": 1.0, "eps": 1e-6},
        "loss": "clip(norm(a[..., k] - p[..., k] + eps, k) - Min(norm(a[..., k] - q[..., k] + eps, k), "
        "norm(p[..., k] - q[..., k] + eps, k)) + margin, 0, oo)",
    },
    "cosine_embedding_eps": {
        "inputs": {"a": ["...", "d"], "b": ["...", "d"], "t": {"shape": ["..."], "given": True}},
        "parameters": {"margin": 0.0, "eps": {"value": 1e-12, "domain": "positive"}},
        "let": {
            "s[...]": "Sum(a[..., k]*b[..., k], k)/sqrt((Sum(a[..., k]**2, k) + eps)*(Sum(b[..., k]**2, k) + eps))"
        },
        "loss": "where(t[...] == 1, 1 - s[...], where(t[...] == -1, clip(s[...] - margin, 0, oo), 0))",
    },
    "cross_entropy_full": {
        "inputs": {
            "z": ["n", "c"],
            "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"},
            "w": {"shape": ["c"], "domain": "positive", "given": True},
            "m": {"shape": ["n"], "given": True, "domain": "boolean"},
        },
        "parameters": {"eps": 0.0},
        "let": {"l[i, j]": "log_softmax(z[i, j], j)"},
        "loss": "-m[i]*((1 - eps)*w[t[i]]*l[i, t[i]] + eps*Sum(w[j]*l[i, j], j)/c)",
    },
    "cross_entropy_of_probabilities": {
        "inputs": {"z": ["n", "c"], "t": {"shape": ["n", "c"], "given": True}, "w": {"shape": ["c"], "given": True}},
        "parameters": {"eps": 0.0},
        "loss": "-Sum(w[j]*((1 - eps)*t[i, j] + eps/c)*log_softmax(z[i, j], j), j)",
    },
}  # fmt: skip
