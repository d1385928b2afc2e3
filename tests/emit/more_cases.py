"""Constructs one by one: gathers, scatters, windows, ties, orders of axes."""

from __future__ import annotations

import torch

from tests.emit.cases import Case, F

MORE: dict[str, Case] = {}


def case(name, inputs, body, reference, shapes, **options):
    MORE[name] = Case(f"name: {name}\ninputs: {{{inputs}}}\n{body}\n", reference, shapes, **options)


case(
    "cumulative",
    "x: [n]",
    "ranges: {i: n}\noutput:\n  y[i]: Sum(where(j <= i, x[j], 0), j)",
    lambda x: torch.cumsum(x, 0),
    {"x": (5,)},
)
case("diagonal", "A: [n, n]", "loss: Sum(A[i, i]**2, i)", lambda A: (torch.diagonal(A) ** 2).sum(), {"A": (4, 4)})
case(
    "embedding_bag",
    "T: [v, d], t: {shape: [n, k], dtype: int}",
    "output:\n  y[i, j]: Sum(T[t[i, l], j], l)",
    lambda T, t: T[t].sum(1),
    {"T": (6, 3), "t": (4, 2)},
    ints={"t": 6},
)
case(
    "pick_rows",
    "x: [n, m, d], t: {shape: [n, k], dtype: int}",
    "output:\n  y[i, l, j]: x[i, t[i, l], j]**2",
    lambda x, t: x.gather(1, t[:, :, None].expand(-1, -1, x.shape[2])) ** 2,
    {"x": (3, 5, 2), "t": (3, 2)},
    ints={"t": 5},
)
case(
    "pick_batched",
    "x: [..., m, d], t: {shape: [..., k], dtype: int}",
    "output:\n  y[..., l, j]: x[..., t[..., l], j]**2",
    lambda x, t: x.gather(-2, t[..., None].expand(*t.shape, x.shape[-1])) ** 2,
    {"x": (3, 5, 2), "t": (3, 2)},
    ints={"t": 5},
)
case("reversed_axis", "x: [n]", "output:\n  y[i]: x[n - 1 - i]*x[i]**2", lambda x: x.flip(0) * x**2, {"x": (5,)})
case("row_sums", "x: [n, c]", "output:\n  y[i]: Sum(x[i, j], j)", lambda x: x.sum(1), {"x": (3, 4)})
case(
    "batch_mean",
    "x: [..., c]",
    "output:\n  y[j]: mean(x[..., j], ...)",
    lambda x: x.reshape(-1, x.shape[-1]).mean(0),
    {"x": (2, 3, 4)},
)
case(
    "batch_total",
    "x: [..., c], w: [c]",
    "loss: Sum(tanh(x[..., j])*w[j], j, ...)",
    lambda x, w: (torch.tanh(x) * w).sum(),
    {"x": (2, 3, 4), "w": (4,)},
)
case("pairs", "a: [n], b: [m]", "loss: (a[i] - b[j])**2", lambda a, b: (a[:, None] - b) ** 2, {"a": (3,), "b": (4,)})
case(
    "softmax_two",
    "z: [n, h, w]",
    "output:\n  y[i, p, q]: softmax(z[i, p, q], p, q)",
    lambda z: torch.softmax(z.flatten(1), 1).reshape(z.shape),
    {"z": (2, 3, 4)},
)
case(
    "softmax_first",
    "z: [c, n]",
    "output:\n  y[j, i]: softmax(z[j, i], j)",
    lambda z: torch.softmax(z, 0),
    {"z": (3, 4)},
)
case(
    "log_softmax",
    "z: [..., c]",
    "output:\n  y[..., j]: log_softmax(z[..., j], j)",
    lambda z: F.log_softmax(z, -1),
    {"z": (2, 3, 4)},
)
case(
    "chain",
    "A: [n, m], B: [m, k], C: [k, l]",
    "output:\n  y[i, j]: Sum(A[i, p]*B[p, q]*C[q, j], p, q)",
    lambda A, B, C: A @ B @ C,
    {"A": (2, 3), "B": (3, 4), "C": (4, 5)},
)
case(
    "quadratic",
    "x: [d], A: [d, d]",
    "loss: Sum(x[i]*A[i, j]*x[j], i, j)",
    lambda x, A: x @ A @ x,
    {"x": (4,), "A": (4, 4)},
)
case(
    "scalar_functions",
    "x: {shape: [n], domain: positive}, y: {shape: [n], domain: positive}",
    "output:\n  z[i]: atan2(x[i], y[i]) + Max(x[i], y[i])*Min(x[i], 1) + clip(x[i], 0.5, 1.0)"
    " + x[i]**y[i] + floor(x[i]) + 2**x[i]",
    lambda x, y: (
        torch.atan2(x, y) + torch.maximum(x, y) * x.clamp(max=1) + x.clamp(0.5, 1.0) + x**y + torch.floor(x) + 2**x
    ),
    {"x": (6,), "y": (6,)},
    positive=("x", "y"),
)
case(
    "hyperbolic",
    "x: {shape: [n], domain: unit_interval}",
    "output:\n  y[i]: asin(x[i]) + acos(x[i]) + asinh(x[i]) + atanh(x[i]) + acosh(1 + x[i])"
    " + logit(x[i]) + log1p(x[i]) + expm1(x[i]) + sinh(x[i]) + erfc(x[i]) + polygamma(1, x[i])",
    lambda x: (
        torch.asin(x)
        + torch.acos(x)
        + torch.asinh(x)
        + torch.atanh(x)
        + torch.acosh(1 + x)
        + torch.logit(x)
        + torch.log1p(x)
        + torch.expm1(x)
        + torch.sinh(x)
        + torch.erfc(x)
        + torch.polygamma(1, x)
    ),
    {"x": (5,)},
    unit=("x",),
)
case(
    "mod_reads",
    "x: [h, w]",
    "ranges: {k: h*w}\noutput:\n  y[k]: x[k//w, k % w]**2",
    lambda x: x.flatten() ** 2,
    {"x": (3, 4)},
)
case(
    "gated",
    "x: [..., 2*m]",
    "ranges: {k: m}\noutput:\n  y[..., k]: x[..., k]*sigmoid(x[..., m + k])",
    lambda x: F.glu(x, -1),
    {"x": (2, 3, 8)},
)
case(
    "every_other",
    "x: [2*n]",
    "ranges: {i: n}\nloss: Sum(x[2*i]*x[2*i + 1], i)",
    lambda x: (x[::2] * x[1::2]).sum(),
    {"x": (8,)},
)
case(
    "average_pool",
    "x: {shape: [..., h, w], outside: 0}",
    "parameters: {k: {value: 2, dtype: int}}\nranges: {p: h//k, q: w//k, u: k, v: k}\noutput:"
    "\n  y[..., p, q]: mean(x[..., k*p + u, k*q + v], u, v)",
    lambda x, k: F.avg_pool2d(x, k),
    {"x": (2, 3, 4, 6)},
    params={"k": 2},
)
case(
    "max_pool2d",
    "x: {shape: [n, c, h, w], outside: 0}",
    "parameters: {k: {value: 2, dtype: int}, s: {value: 1, dtype: int}}\n"
    "ranges: {p: (h - k)//s + 1, q: (w - k)//s + 1, u: k, v: k}\n"
    "output:\n  y[n, c, p, q]: amax(x[n, c, s*p + u, s*q + v], u, v, ties=first)",
    lambda x, k, s: F.max_pool2d(x, k, s),
    {"x": (2, 3, 5, 6)},
    params={"k": 2, "s": 1},
)
case("ties", "x: [n, c]", "loss: amax(floor(x[i, j])*0 + x[i, j], j)", lambda x: x.amax(1), {"x": (3, 4)})
case(
    "norms",
    "x: [n, d], y: [n, d]",
    "loss: norm(x[i, k] - y[i, k], k) + norm(x[i, k], k)**2",
    lambda x, y: (x - y).norm(dim=1) + x.norm(dim=1) ** 2,
    {"x": (3, 4), "y": (3, 4)},
)
case(
    "constant_rows",
    "x: [n], c: [m]",
    "output:\n  y[i, j]: x[i] + 0*c[j]",
    lambda x, c: x[:, None] + 0 * c,
    {"x": (3,), "c": (2,)},
)
case("identity", "x: [n]", "output:\n  y[i]: x[i]", lambda x: x.clone(), {"x": (3,)})
case(
    "positions",
    "x: [n, d]",
    "output:\n  y[i, k]: x[i, k]*sin(i/10000**(k/d)) + where(i < k, x[i, k], 0)",
    None,
    {"x": (4, 3)},
)
MORE["positions"] = Case(
    MORE["positions"].text,
    lambda x: x * torch.sin(torch.arange(4)[:, None] / 10000 ** (torch.arange(3).double() / 3)) + torch.triu(x, 1),
    {"x": (4, 3)},
)
case(
    "gaussian",
    "m: [n], s: [n], t: {shape: [n], given: true}",
    "loss: (s[i] + (t[i] - m[i])**2*exp(-s[i]))/2",
    lambda m, s, t: F.gaussian_nll_loss(m, t, s.exp(), reduction="none"),
    {"m": (5,), "s": (5,), "t": (5,)},
)
case(
    "dice",
    "x: [b, c], t: {shape: [b, c], given: true, domain: unit_interval}",
    "loss: 1 - 2*Sum(sigmoid(x[i, j])*t[i, j], j)/(Sum(sigmoid(x[i, j]), j) + Sum(t[i, j], j) + 1)",
    lambda x, t: 1 - 2 * (x.sigmoid() * t).sum(1) / (x.sigmoid().sum(1) + t.sum(1) + 1),
    {"x": (3, 4), "t": (3, 4)},
    unit=("t",),
)
case(
    "weighted",
    "l: [n], w: {shape: [n], domain: positive}",
    "loss: Sum(w[i]*l[i]**2, i)/Sum(w[i], i)",
    lambda l, w: (w * l**2).sum() / w.sum(),
    {"l": (4,), "w": (4,)},
    positive=("w",),
)
case(
    "toeplitz",
    "k: {shape: [m], outside: 0}, x: [n]",
    "ranges: {i: n}\noutput:\n  y[i]: Sum(k[i - j + 2]*x[j], j)",
    lambda k, x: torch.stack(
        [
            sum((k[i - j + 2] * x[j] if 0 <= i - j + 2 < len(k) else 0 * x[j]) for j in range(len(x)))
            for i in range(len(x))
        ]
    ),
    {"k": (4,), "x": (5,)},
)
case(
    "mse_batch",
    "x: [..., d], t: {shape: [..., d], given: true}",
    "loss: mean((x[..., k] - t[..., k])**2, k)",
    lambda x, t: ((x - t) ** 2).mean(-1),
    {"x": (2, 3, 4), "t": (2, 3, 4)},
)
case(
    "smoothing",
    "z: [n, c], t: {shape: [n], dtype: int, domain: 'integer(0, c - 1)'}",
    "parameters: {a: 0.1}\nloss: -Sum(((1 - a)*where(j == t[i], 1, 0) + a/c)*log_softmax(z[i, j], j), j)",
    lambda z, t, a: F.cross_entropy(z, t, label_smoothing=a, reduction="none"),
    {"z": (4, 5), "t": (4,)},
    ints={"t": 5},
    params={"a": 0.1},
)
case(
    "swiglu",
    "x: [..., d], W: [m, d], V: [m, d], U: [d, m]",
    "let:\n  a[..., k]: silu(Sum(W[k, l]*x[..., l], l))*Sum(V[k, l]*x[..., l], l)\noutput:"
    "\n  y[..., o]: Sum(U[o, k]*a[..., k], k)",
    lambda x, W, V, U: (F.silu(x @ W.T) * (x @ V.T)) @ U.T,
    {"x": (2, 3, 4), "W": (5, 4), "V": (5, 4), "U": (4, 5)},
)
