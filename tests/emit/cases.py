"""Formulas with references in torch: what emitted kernels are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.emit.load import load_package
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_text

F = torch.nn.functional


@dataclass(frozen=True)
class Case:
    """A formula, its reference, and shapes of one data set. `ints`: bounds of integer inputs."""

    text: str
    reference: Callable[..., Any]
    shapes: dict[str, tuple[int, ...]]
    ints: dict[str, int] = field(default_factory=dict)
    bools: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    simplex: tuple[str, ...] = ()
    second: bool = True

    def data(self, seed: int = 0, scale: float = 1.0) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        out: dict[str, np.ndarray] = {}
        for name, shape in self.shapes.items():
            x = rng.standard_normal(shape) * scale
            if name in self.ints:
                x = rng.integers(0, self.ints[name], shape)
            elif name in self.bools:
                x = x > 0
            elif name in self.positive:
                x = np.abs(x) + 0.3
            elif name in self.unit:
                x = rng.uniform(0.05, 0.95, shape)
            elif name in self.simplex:
                x = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
            out[name] = np.asarray(x)
        return out


@dataclass(frozen=True)
class Kernels:
    derivation: Derivation
    numpy: ModuleType
    torch: ModuleType
    files: dict[str, str]

    @property
    def function(self) -> Callable[..., Any]:
        return getattr(self.torch, self.derivation.formula.name)

    @property
    def wrt(self) -> tuple[str, ...]:
        return self.derivation.program.wrt


@cache
def kernels(text: str) -> Kernels:
    d = derive_formula(read_text(text, "case.yaml"))
    files = emit_package(d)
    name = d.formula.name
    return Kernels(d, load_package(files, name, "numpy"), load_package(files, name, "torch"), files)


def numpy_results(
    k: Kernels, x: dict[str, np.ndarray], cotangents: list[np.ndarray] | None, /, **params: Any
) -> tuple[list[Any], dict[str, Any]]:
    """Values and gradients of the NumPy kernels."""
    if k.derivation.program.is_loss:
        value, g = k.numpy.value_and_grad(*x.values(), **params)
        values = [value]
    else:
        y, saved = k.numpy.forward(*x.values(), **params)
        values = list(y) if isinstance(y, tuple) else [y]
        g = k.numpy.backward(*(cotangents or []), saved)
    grads = dict(zip(k.wrt, g, strict=True)) if isinstance(g, tuple) else {k.wrt[0]: g}
    return values, grads


def tensors(k: Kernels, x: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {n: torch.tensor(v, requires_grad=n in k.wrt) for n, v in x.items()}


def as_list(y: Any) -> list[torch.Tensor]:
    return list(y) if isinstance(y, tuple) else [y]


def reference_results(
    c: Case, k: Kernels, x: dict[str, np.ndarray], seed: int = 1
) -> tuple[list[Any], list[np.ndarray], dict[str, Any]]:
    """Values, cotangents and gradients of the reference (of the mean, for a loss)."""
    t = tensors(k, x)
    y = as_list(c.reference(**t, **c.params))
    if k.derivation.program.is_loss:
        y = [v.mean() for v in y]
    rng = np.random.default_rng(seed)
    dy = [np.ones(())] if k.derivation.program.is_loss else [rng.standard_normal(tuple(v.shape)) for v in y]
    g = torch.autograd.grad(y, [t[n] for n in k.wrt], [torch.tensor(d) for d in dy], allow_unused=True)
    grads = {n: (np.zeros(x[n].shape) if v is None else v.numpy()) for n, v in zip(k.wrt, g, strict=True)}
    return [v.detach().numpy() for v in y], dy, grads


CASES: dict[str, Case] = {}

CASES["softmax_ce"] = Case(
    """
name: softmax_ce
inputs: {z: [n, c], t: {shape: [n, c], domain: simplex, given: true}}
let:
  y[i, j]: softmax(z[i, j], j)
loss: -Sum(t[i, j]*log(y[i, j]), j)
""",
    lambda z, t: -(t * F.log_softmax(z, -1)).sum(-1),
    {"z": (4, 5), "t": (4, 5)},
    simplex=("t",),
)
CASES["cross_entropy"] = Case(
    """
name: cross_entropy
inputs: {z: [n, c], t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}}
loss: logsumexp(z[i, j], j) - z[i, t[i]]
""",
    lambda z, t: F.cross_entropy(z, t, reduction="none"),
    {"z": (4, 5), "t": (4,)},
    ints={"t": 5},
)
CASES["cross_entropy_batched"] = Case(
    """
name: cross_entropy_batched
inputs: {z: [..., c], t: {shape: [...], dtype: int, domain: "integer(0, c - 1)"}}
loss: logsumexp(z[..., j], j) - z[..., t[...]]
""",
    lambda z, t: torch.logsumexp(z, -1) - z.gather(-1, t[..., None])[..., 0],
    {"z": (2, 3, 5), "t": (2, 3)},
    ints={"t": 5},
)
CASES["linear"] = Case(
    """
name: linear
inputs: {x: [..., d], W: [m, d], b: [m]}
output:
  y[..., o]: Sum(x[..., k]*W[o, k], k) + b[o]
""",
    lambda x, W, b: F.linear(x, W, b),
    {"x": (2, 3, 4), "W": (5, 4), "b": (5,)},
)
CASES["layer_norm"] = Case(
    """
name: layer_norm
inputs: {x: [..., d], g: [d], b: [d]}
parameters: {eps: {value: 1.0e-5, domain: positive}}
let:
  m[...]: mean(x[..., k], k)
  s[...]: 1/sqrt(var(x[..., k], k) + eps)
  u[..., k]: (x[..., k] - m[...])*s[...]
output:
  y[..., k]: u[..., k]*g[k] + b[k]
""",
    lambda x, g, b: F.layer_norm(x, x.shape[-1:], g, b),
    {"x": (2, 3, 6), "g": (6,), "b": (6,)},
)
CASES["attention"] = Case(
    """
name: attention
inputs: {Q: [b, t, d], K: [b, t, d], V: [b, t, e]}
let:
  S[n, i, j]: Sum(Q[n, i, k]*K[n, j, k], k)/sqrt(d)
  P[n, i, j]: softmax(Piecewise((S[n, i, j], j <= i), (-oo, True)), j)
output:
  y[n, i, a]: Sum(P[n, i, j]*V[n, j, a], j)
""",
    lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V, is_causal=True),
    {"Q": (2, 3, 4), "K": (2, 3, 4), "V": (2, 3, 5)},
)
CASES["heads"] = Case(
    """
name: heads
inputs: {Q: [..., h, q, d], K: [..., h, k, d], V: [..., h, k, e]}
let:
  P[..., n, i, j]: softmax(Sum(Q[..., n, i, u]*K[..., n, j, u], u)/sqrt(d), j)
output:
  y[..., n, i, a]: Sum(P[..., n, i, j]*V[..., n, j, a], j)
""",
    lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V),
    {"Q": (2, 2, 3, 4), "K": (2, 2, 5, 4), "V": (2, 2, 5, 6)},
)
CASES["conv2d"] = Case(
    """
name: conv2d
inputs: {x: {shape: [b, ci, h, w], outside: 0}, W: [co, ci, r, t], bias: [co]}
parameters: {s: {value: 1, dtype: int}, pad: {value: 0, dtype: int}}
ranges: {p: (h + 2*pad - r)//s + 1, q: (w + 2*pad - t)//s + 1}
output:
  y[n, o, p, q]: Sum(x[n, c, s*p + u - pad, s*q + v - pad]*W[o, c, u, v], c, u, v) + bias[o]
""",
    lambda x, W, bias, s, pad: F.conv2d(x, W, bias, stride=s, padding=pad),
    {"x": (2, 2, 6, 5), "W": (3, 2, 3, 2), "bias": (3,)},
    params={"s": 2, "pad": 1},
)
CASES["conv1d_dilated"] = Case(
    """
name: conv1d_dilated
inputs: {x: {shape: [..., c, h], outside: 0}, W: [o, c, r]}
parameters: {pad: {value: 1, dtype: int}}
ranges: {p: h + 2*pad - 2*(r - 1)}
output:
  y[..., k, p]: Sum(x[..., c, p + 2*u - pad]*W[k, c, u], c, u)
""",
    lambda x, W, pad: F.conv1d(x, W, padding=pad, dilation=2),
    {"x": (4, 2, 7), "W": (3, 2, 3)},
    params={"pad": 1},
)
CASES["embedding"] = Case(
    """
name: embedding
inputs: {T: [v, d], t: {shape: [...], dtype: int}}
output:
  y[..., k]: T[t[...], k]
""",
    lambda T, t: F.embedding(t, T),
    {"T": (6, 4), "t": (2, 3)},
    ints={"t": 6},
)
CASES["huber"] = Case(
    """
name: huber
inputs: {x: [n], t: {shape: [n], given: true}}
parameters: {delta: {value: 1.0, domain: positive}}
loss: Piecewise(((x[i] - t[i])**2/2, Abs(x[i] - t[i]) <= delta), (delta*(Abs(x[i] - t[i]) - delta/2), True))
""",
    lambda x, t, delta: F.huber_loss(x, t, delta=delta, reduction="none"),
    {"x": (7,), "t": (7,)},
    params={"delta": 0.7},
)
CASES["focal"] = Case(
    """
name: focal
inputs: {x: [n], t: {shape: [n], domain: unit_interval, given: true}}
parameters: {g: 2.0}
let:
  p[i]: sigmoid(x[i])
loss: -t[i]*(1 - p[i])**g*log(p[i]) - (1 - t[i])*p[i]**g*log(1 - p[i])
""",
    lambda x, t, g: -t * torch.sigmoid(-x) ** g * F.logsigmoid(x) - (1 - t) * torch.sigmoid(x) ** g * F.logsigmoid(-x),
    {"x": (6,), "t": (6,)},
    params={"g": 1.5},
    unit=("t",),
)
CASES["mlp"] = Case(
    """
name: mlp
inputs:
  x: {shape: [n, d], given: true}
  W: [h, d]
  b: [h]
  U: [c, h]
  t: {shape: [n, c], domain: simplex, given: true}
let:
  a[i, k]: relu(Sum(x[i, l]*W[k, l], l) + b[k])
  z[i, j]: Sum(a[i, k]*U[j, k], k)
loss: -Sum(t[i, j]*log(softmax(z[i, j], j)), j)
""",
    lambda x, W, b, U, t: -(t * F.log_softmax(F.relu(x @ W.T + b) @ U.T, -1)).sum(-1),
    {"x": (4, 3), "W": (6, 3), "b": (6,), "U": (5, 6), "t": (4, 5)},
    simplex=("t",),
)
CASES["bilinear"] = Case(
    """
name: bilinear
inputs: {x: [n, a], W: [o, a, c], z: [n, c]}
output:
  y[i, k]: Sum(x[i, p]*W[k, p, q]*z[i, q], p, q)
""",
    lambda x, W, z: torch.einsum("ip,kpq,iq->ik", x, W, z),
    {"x": (3, 2), "W": (5, 2, 4), "z": (3, 4)},
)
CASES["max_pool"] = Case(
    """
name: max_pool
inputs: {x: {shape: [..., h], outside: 0}}
parameters: {k: {value: 2, dtype: int}}
ranges: {p: h//k, u: k}
output:
  y[..., p]: amax(x[..., k*p + u], u)
""",
    lambda x, k: F.max_pool1d(x, k),
    {"x": (2, 3, 6)},
    params={"k": 2},
)
CASES["norm_row"] = Case(
    """
name: norm_row
inputs: {x: [n, d]}
output:
  y[i, k]: x[i, k]/norm(x[i, l], l)
""",
    lambda x: F.normalize(x, dim=-1),
    {"x": (3, 4)},
)
CASES["triplet_sums"] = Case(
    """
name: triplet_sums
inputs: {a: [n, d], b: [m, d]}
loss: Sum(exp(-Sum((a[i, k] - b[j, k])**2, k)), i, j)
""",
    lambda a, b: torch.exp(-((a[:, None] - b) ** 2).sum(-1)).sum(),
    {"a": (3, 2), "b": (4, 2)},
)
CASES["masked_log"] = Case(
    """
name: masked_log
inputs: {x: [n], w: [n]}
loss: where(x[i] > 0, log(x[i])*w[i] + sqrt(x[i]), exp(x[i])*w[i])
""",
    lambda x, w: torch.where(
        x > 0,
        torch.log(torch.where(x > 0, x, 1)) * w + torch.sqrt(torch.where(x > 0, x, 1)),
        torch.exp(torch.where(x > 0, 0, x)) * w,
    ),
    {"x": (7,), "w": (7,)},
)
CASES["bool_mask"] = Case(
    """
name: bool_mask
inputs: {x: [n, c], m: {shape: [n, c], dtype: bool, domain: boolean}}
loss: Sum(where(m[i, j], x[i, j]**2, 0), j)
""",
    lambda x, m: (torch.where(m, x, 0) ** 2).sum(-1),
    {"x": (3, 4), "m": (3, 4)},
    bools=("m",),
)
CASES["two_outputs"] = Case(
    """
name: two_outputs
inputs: {x: [n, d], w: [d]}
output:
  s[i]: Sum(x[i, k]*w[k], k)
  c[i, k]: cos(x[i, k])*s[i]
""",
    lambda x, w: (x @ w, torch.cos(x) * (x @ w)[:, None]),
    {"x": (3, 4), "w": (4,)},
)
CASES["transposed"] = Case(
    """
name: transposed
inputs: {x: [n, m]}
output:
  y[j, i]: tanh(x[i, j])*(i + 2*j)/n
""",
    lambda x: (torch.tanh(x) * (torch.arange(x.shape[0])[:, None] + 2 * torch.arange(x.shape[1])) / x.shape[0]).T,
    {"x": (3, 4)},
)
CASES["total"] = Case(
    """
name: total
inputs: {x: [n, d], w: []}
loss: w*Sum(x[i, k]**2, i, k) + Sum(i*x[i, 0], i)
""",
    lambda x, w: w * (x**2).sum() + (torch.arange(x.shape[0]) * x[:, 0]).sum(),
    {"x": (3, 4), "w": ()},
)
CASES["differences"] = Case(
    """
name: differences
inputs: {x: [n]}
loss: Sum((x[i + 1] - x[i])**2, (i, 0, n - 2))
""",
    lambda x: ((x[1:] - x[:-1]) ** 2).sum(),
    {"x": (5,)},
)
CASES["special"] = Case(
    """
name: special
inputs: {x: {shape: [n], domain: positive}}
output:
  y[i]: >-
    erf(x[i]) + loggamma(x[i])*normal_cdf(x[i]) + digamma(x[i]) + gelu(x[i]) + silu(x[i]) + log(cosh(x[i])) + atan(x[i])
    + softplus(x[i])
""",
    lambda x: (
        torch.erf(x)
        + torch.lgamma(x) * torch.special.ndtr(x)
        + torch.digamma(x)
        + F.gelu(x)
        + F.silu(x)
        + torch.log(torch.cosh(x))
        + torch.atan(x)
        + F.softplus(x)
    ),
    {"x": (6,)},
    positive=("x",),
)
CASES["batch_norm"] = Case(
    """
name: batch_norm
inputs: {x: [n, c], g: [c], b: [c]}
parameters: {eps: {value: 1.0e-5, domain: positive}}
let:
  m[k]: mean(x[i, k], i)
  s[k]: 1/sqrt(var(x[i, k], i) + eps)
  u[i, k]: (x[i, k] - m[k])*s[k]
output:
  y[i, k]: u[i, k]*g[k] + b[k]
""",
    lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
    {"x": (5, 3), "g": (3,), "b": (3,)},
)
CASES["infonce"] = Case(
    """
name: infonce
inputs: {a: [n, d], b: [n, d]}
parameters: {tau: {value: 0.5, domain: positive}}
let:
  s[i, j]: Sum(a[i, k]*b[j, k], k)/tau
loss: logsumexp(s[i, j], j) - s[i, i]
""",
    lambda a, b, tau: F.cross_entropy(a @ b.T / tau, torch.arange(len(a)), reduction="none"),
    {"a": (4, 3), "b": (4, 3)},
    params={"tau": 0.5},
)
CASES["products"] = Case(
    """
name: products
inputs: {x: [n, d]}
loss: Product(x[i, k], k) + amax(x[i, k], k) - amin(x[i, k], k)
""",
    lambda x: x.prod(-1) + x.amax(-1) - x.amin(-1),
    {"x": (3, 4)},
)
CASES["batch_loss"] = Case(
    """
name: batch_loss
inputs: {x: [...], t: {shape: [...], domain: unit_interval, given: true}}
loss: -t[...]*log(sigmoid(x[...])) - (1 - t[...])*log(1 - sigmoid(x[...]))
""",
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    {"x": (2, 3), "t": (2, 3)},
    unit=("t",),
)
CASES["reshape"] = Case(
    """
name: reshape
inputs: {x: {shape: [n, d], outside: 0}}
parameters: {h: {value: 2, dtype: int}}
ranges: {a: h, u: d//h}
output:
  y[n, a, u]: x[n, a*(d//h) + u]**2
""",
    lambda x, h: (x**2).reshape(x.shape[0], h, -1),
    {"x": (3, 4)},
    params={"h": 2},
)
