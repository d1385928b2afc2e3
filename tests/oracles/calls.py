# ruff: noqa: E501  tables
"""How an operation of torch is called as a formula: `CALLS[name](f, *arguments of the operation)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tests.oracles.operations import BINARY, UNARY, only

Call = Callable[..., Any]
REAL = "only real tensors of one floating dtype"


def torch() -> Any:
    """torch, imported when it is asked for."""
    import torch

    return torch


def real(*tensors: Any) -> tuple[Any, ...]:
    """Tensors of float64, broadcast; numbers become tensors."""
    t = torch()
    made = [x if t.is_tensor(x) else t.as_tensor(x, dtype=t.float64) for x in tensors]
    only(all(x.is_floating_point() for x in made), REAL)
    return tuple(t.broadcast_tensors(*made)) if len(made) > 1 else tuple(made)


def unary(name: str) -> Call:
    """An elementwise formula of one tensor."""

    def call(f: Any, x: Any, **options: Any) -> Any:
        only(not {k for k, v in options.items() if v is not None and k != "inplace"}, f"options {sorted(options)}")
        return getattr(f, name)(*real(x))

    return call


def binary(name: str) -> Call:
    """An elementwise formula of two tensors."""
    return lambda f, x, z: getattr(f, name)(*real(x, z))


def reduction(name: str) -> Call:
    """A formula over the last axis, over any axes."""

    def call(f: Any, x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None, **options: Any) -> Any:
        only(dtype in (None, torch().float64), "a dtype of the result")
        (x,) = real(x)
        axes = tuple(range(x.ndim)) if dim is None or dim == () else (dim,) if isinstance(dim, int) else tuple(dim)
        axes = tuple(sorted(a % max(x.ndim, 1) for a in axes))
        if x.ndim == 0:
            return getattr(f, name)(x.reshape(1), **options)
        y = getattr(f, name)(x.movedim(axes, tuple(range(-len(axes), 0))).flatten(-len(axes)), **options)
        if keepdim:
            for a in axes:
                y = y.unsqueeze(a)
        return y

    return call


def along(name: str) -> Call:
    """A formula of the last axis with as many results, along any axis."""

    def call(f: Any, x: Any, dim: Any = None, dtype: Any = None, **options: Any) -> Any:
        only(dtype in (None, torch().float64), "a dtype of the result")
        only(isinstance(dim, int), "no axis")
        (x,) = real(x)
        only(x.numel(), "an empty axis")
        if x.ndim == 0:
            return getattr(f, name)(x.reshape(1), **options).reshape(())
        return getattr(f, name)(x.movedim(dim, -1), **options).movedim(-1, dim)

    return call


def loss(name: str, *names: str) -> Call:
    """An elementwise loss: torch's parameters are the formula's, `names` are those it may have."""

    def call(f: Any, x: Any, t: Any, *more: Any, reduction: str = "mean", **options: Any) -> Any:
        only(reduction in ("mean", "sum", "none"), f"reduction {reduction}")
        own = {k: v for k, v in options.items() if v is not None}
        only(set(own) <= set(names), f"options {sorted(set(own) - set(names))}")
        only(not more, "further arguments")
        return getattr(f, name)(*flat(reduction, *real(x, t)), reduction=reduction, **own)

    return call


def flat(reduction: str, *tensors: Any) -> tuple[Any, ...]:
    """Vectors where the values are reduced anyway."""
    only(reduction != "none" or tensors[0].ndim == 1, "unreduced values of more than one axis")
    return tuple(x.reshape(-1) for x in tensors)


def shaped(name: str, *names: str) -> Call:
    """A loss over `...`: any shape, unreduced too."""

    def call(f: Any, *tensors: Any, reduction: str = "mean", **options: Any) -> Any:
        only(reduction in ("mean", "sum", "none"), f"reduction {reduction}")
        own = {k: v for k, v in options.items() if v is not None}
        only(set(own) <= set(names), f"options {sorted(set(own) - set(names))}")
        return getattr(f, name)(*real(*tensors), reduction=reduction, **own)

    return call


def _gelu(f: Any, x: Any, approximate: str = "none") -> Any:
    return (f.gelu if approximate == "none" else f.gelu_tanh)(x)


def _softplus(f: Any, x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    only(bool((x * beta <= threshold).all()), "beyond torch's threshold, where it drops digits")
    return f.softplus(x, beta=beta)


def _prelu(f: Any, x: Any, weight: Any) -> Any:
    only(x.numel(), "an empty axis")
    if x.ndim < 2:
        return f.prelu(x.reshape(-1, 1), weight.expand(1)).reshape(x.shape)
    return f.prelu(x.movedim(1, -1), weight.expand(x.shape[1])).movedim(-1, 1)


def _clamp(f: Any, x: Any, min: Any = None, max: Any = None) -> Any:
    if min is None:
        return f.clamp_max(*real(x, max))
    if max is None:
        return f.clamp_min(*real(x, min))
    x, a, b = real(x, min, max)
    only(bool((a <= b).all()), "bounds out of order")
    return f.clamp(x, a, b)


def _spread(name: str) -> Call:
    def call(f: Any, x: Any, dim: Any = None, correction: Any = 1, unbiased: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        k = correction if unbiased is None else float(unbiased)
        k = 1.0 if k is None else float(k)
        axes = range(x.ndim) if dim is None or dim == () else [dim] if isinstance(dim, int) else dim
        count = 1
        for a in axes:
            count *= x.shape[a] if x.ndim else 1
        only(count > k, "no degree of freedom")
        return reduction(name)(f, x, dim, keepdim, k=k)

    return call


def _extreme(first: str, shared: str) -> Call:
    def call(f: Any, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return reduction(shared if dim is None else first)(f, x, dim, keepdim)

    return call


def _vector_norm(f: Any, x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    names = {2: "norm2", 1: "norm1", float("inf"): "norm_inf"}
    only(ord in names, f"norm {ord}")
    return reduction(names[ord])(f, x, dim, keepdim, dtype)


def _norm(f: Any, x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return _vector_norm(f, x, 2 if p in (None, "fro") else p, dim, keepdim, dtype)


def _second_norm(f: Any, x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    only(ord is None, f"norm {ord}")
    only(x.numel() > 0, "a norm of nothing")
    return _vector_norm(f, x, 2, dim, keepdim)


def _layer_norm(f: Any, x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    t = torch()
    only(shape[-1:] and all(shape), "nothing to normalize")
    k = len(shape)
    g = t.ones(shape, dtype=x.dtype) if weight is None else weight
    b = t.zeros(shape, dtype=x.dtype) if bias is None else bias
    only(eps > 0, "an eps that is not positive")
    return f.layer_norm(x.flatten(-k), g.flatten(), b.flatten(), eps=eps).reshape(x.shape)


def _rms_norm(f: Any, x: Any, shape: Any, weight: Any = None, eps: Any = None) -> Any:
    t = torch()
    g = t.ones(shape, dtype=x.dtype) if weight is None else weight
    eps = t.finfo(x.dtype).eps if eps is None else eps
    only(eps > 0, "an eps that is not positive")
    return f.rms_norm(x.flatten(-len(shape)), g.flatten(), eps=eps).reshape(x.shape)


def _batch_norm(
    f: Any, x: Any, mean: Any, var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    only(training and x.ndim > 1, "running statistics, no batch")
    t, c = torch(), x.shape[1]
    g = t.ones(c, dtype=x.dtype) if weight is None else weight
    b = t.zeros(c, dtype=x.dtype) if bias is None else bias
    last = x.movedim(1, -1)
    only(eps > 0, "an eps that is not positive")
    return f.batch_norm(last.reshape(-1, c), g, b, eps=eps).reshape(last.shape).movedim(-1, 1)


def _group_norm(f: Any, x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    t, c = torch(), x.shape[1]
    g = t.ones(c, dtype=x.dtype) if weight is None else weight
    b = t.zeros(c, dtype=x.dtype) if bias is None else bias
    only(eps > 0, "an eps that is not positive")
    return f.group_norm(x.reshape(*x.shape[:2], math.prod(x.shape[2:]), 1), g, b, groups=groups, eps=eps).reshape(
        x.shape
    )


def _instance_norm(
    f: Any, x: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    only(use_input_stats, "running statistics")
    t, c = torch(), x.shape[1]
    g = t.ones(c, dtype=x.dtype) if weight is None else weight
    b = t.zeros(c, dtype=x.dtype) if bias is None else bias
    only(eps > 0, "an eps that is not positive")
    return f.instance_norm(x.reshape(*x.shape[:2], math.prod(x.shape[2:]), 1), g, b, eps=eps).reshape(x.shape)


def _one(v: Any) -> int:
    """A number that is the same for every axis."""
    values = {v} if isinstance(v, int) else set(v)
    only(len(values) == 1, "different numbers for rows and columns")
    return int(values.pop())


def _conv(name: str) -> Call:
    def call(
        f: Any, x: Any, W: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        only(not isinstance(padding, str), "padding by name")
        b = torch().zeros(W.shape[0], dtype=x.dtype) if b is None else b
        return getattr(f, name)(x, W, b, s=_one(stride), pad=_one(padding), dilation=_one(dilation), groups=groups)

    return call


def _conv_transpose(
    f: Any, x: Any, W: Any, b: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    only(groups == 1 and _one(dilation) == 1 and _one(output_padding) == 0, "groups, dilation, output padding")
    b = torch().zeros(W.shape[1], dtype=x.dtype) if b is None else b
    return f.conv_transpose2d(x, W, b, s=_one(stride), pad=_one(padding))


def _avg_pool1d(
    f: Any, x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    only(not ceil_mode and count_include_pad, "windows that are cut off")
    k = _one(kernel_size)
    return f.avg_pool1d(x, k=k, s=k if stride in (None, ()) else _one(stride), pad=_one(padding))


def _avg_pool2d(
    f: Any, x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Any:  # fmt: skip
    only(not ceil_mode and _one(padding) == 0 and divisor_override is None, "padding, cut windows, another divisor")
    k = _one(kernel_size)
    return f.avg_pool2d(x, k=k, s=k if stride in (None, ()) else _one(stride))


def _max_pool2d(
    f: Any, x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    only(not ceil_mode and not return_indices and _one(padding) == 0 and _one(dilation) == 1, "padding, dilation, cuts")
    k = _one(kernel_size)
    return f.max_pool2d(x, k=k, s=k if stride in (None, ()) else _one(stride))


def _attention(
    f: Any, q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: Any = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    only(attn_mask is None and not dropout_p and not is_causal and not enable_gqa, "a mask, dropout, groups")
    only(scale is None, "another scale")
    only(q.shape[:-2] == k.shape[:-2] == v.shape[:-2], "batches of different shapes")
    parts = [x.reshape(-1, *x.shape[-2:]) for x in (q, k, v)]
    return f.attention(*parts).reshape(*q.shape[:-1], v.shape[-1])


def _cosine_similarity(f: Any, x: Any, z: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    only(x.ndim > 0, "numbers")
    x, z = real(x, z)
    x, z = x.movedim(dim, -1), z.movedim(dim, -1)
    only(bool((x.norm(dim=-1) > eps).all() and (z.norm(dim=-1) > eps).all()), "norms below eps")
    return f.cosine_similarity(x, z)


def _embedding(f: Any, W: Any, t: Any, padding_idx: Any = None, max_norm: Any = None, **options: Any) -> Any:
    only(padding_idx is None and max_norm is None and not options.get("scale_grad_by_freq"), "changes to the weights")
    return f.embedding(t, W)


def _flatten(f: Any, x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    only(
        x.ndim >= 3 and end_dim % x.ndim - start_dim % x.ndim == 2 and end_dim % x.ndim == x.ndim - 1,
        "not the last three axes",
    )
    return f.flatten(x)


def _ce_options(
    z: Any, t: Any, weight: Any, label_smoothing: float, reduction: str, ignore_index: int
) -> tuple[Any, Any, Any, Any]:
    """Rows of logits, their targets, weights of classes, and which targets count."""
    tt = torch()
    only(t.dtype == tt.int64, "probabilities")
    c = z.shape[1] if z.ndim > 1 else z.shape[0]
    rows, targets = (z.movedim(1, -1).reshape(-1, c) if z.ndim > 1 else z[None]), t.reshape(-1)
    w = tt.ones(c, dtype=z.dtype) if weight is None else weight
    counts = targets != ignore_index
    return rows, tt.where(counts, targets, 0), w, counts.to(z.dtype)


def _cross_entropy(
    f: Any, z: Any, t: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    tt = torch()
    if t.is_floating_point():
        c = z.shape[1] if z.ndim > 1 else z.shape[0]
        rows, q = ((x.movedim(1, -1).reshape(-1, c) if x.ndim > 1 else x[None]) for x in (z, t))
        w = tt.ones(c, dtype=z.dtype) if weight is None else weight
        got = f.cross_entropy_of_probabilities(
            rows, q, w, eps=label_smoothing, reduction="none" if reduction == "none" else "sum"
        )
        return (
            got.reshape(z.shape[:1] + z.shape[2:] if z.ndim > 1 else ())
            if reduction == "none"
            else got / (len(rows) if reduction == "mean" else 1)
        )
    rows, targets, w, counts = _ce_options(z, t, weight, label_smoothing, reduction, ignore_index)
    if weight is None and not label_smoothing and bool(counts.all()) and len(rows):
        got = f.cross_entropy(rows, targets, reduction=reduction)
    else:
        got = f.cross_entropy_full(
            rows, targets, w, counts, eps=label_smoothing, reduction="none" if reduction == "none" else "sum"
        )
        if reduction == "mean":
            got = got / (counts * w[targets]).sum()
    return got.reshape(t.shape) if reduction == "none" else got


def _nll(f: Any, x: Any, t: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    only(weight is None and bool((t != ignore_index).all()) and x.ndim == 2, "weights, ignored targets, images")
    return f.nll(x, t, reduction=reduction)


def _kl_div(f: Any, x: Any, t: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    only(not log_target, "targets as logarithms")
    x, t = real(x, t)
    if reduction == "batchmean":
        return f.kl_div(x, t, reduction="sum") / x.shape[0]
    return f.kl_div(x, t, reduction=reduction)


def _bce(f: Any, p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    only(weight is None, "weights")
    p, t = real(p, t)
    only(bool(((p > 0) & (p < 1)).all()), "probabilities 0 and 1")
    return f.bce(*flat(reduction, p, t), reduction=reduction)


def _bce_logits(f: Any, x: Any, t: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    only(weight is None and pos_weight is None, "weights")
    return f.bce_with_logits(*flat(reduction, *real(x, t)), reduction=reduction)


def _gaussian_nll(
    f: Any, x: Any, t: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    only(not full, "the constant too")
    tt = torch()
    v = var if tt.is_tensor(var) else tt.full_like(x, var)
    if v.ndim == x.ndim - 1:
        v = v[..., None]
    x, t, v = real(x, t, v)
    only(bool((v > eps).all()), "variances below eps")
    return f.gaussian_nll_var(x, t, v, reduction=reduction)


def _poisson_nll(
    f: Any, x: Any, t: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean",
    size_average: Any = None, reduce: Any = None,
) -> Any:  # fmt: skip
    only(not full, "Stirling's terms too")
    x, t = real(x, t)
    if log_input:
        return f.poisson_nll(*flat(reduction, x, t), reduction=reduction)
    return f.poisson_nll_rate(x, t, eps=eps, reduction=reduction)


def _triplet(
    f: Any, a: Any, p: Any, q: Any, margin: float = 1.0, num: float = 2, eps: float = 1e-6, swap: bool = False,
    reduction: str = "mean", **more: Any,
) -> Any:  # fmt: skip
    only(more.get("p", num) == 2 and not more.get("size_average"), "norms other than the second")
    return (f.triplet_swap if swap else f.triplet_eps)(*real(a, p, q), margin=margin, eps=eps, reduction=reduction)


def _cosine_embedding(f: Any, a: Any, b: Any, t: Any, margin: float = 0.0, reduction: str = "mean", **more: Any) -> Any:
    only(a.ndim == 2, "one pair")
    return f.cosine_embedding_eps(*real(a, b), t.to(a.dtype), margin=margin, reduction=reduction)


def _multi_margin(
    f: Any, x: Any, t: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean", **more: Any
) -> Any:
    only(weight is None and x.ndim == 2, "weights, one row")
    return (f.multi_margin if p == 1 else f.multi_margin_squared)(x, t, margin=margin, reduction=reduction)


def _linear(f: Any, x: Any, W: Any, b: Any = None) -> Any:
    only(W.ndim == 2, "one output")
    return f.linear(x, W, torch().zeros(W.shape[0], dtype=x.dtype) if b is None else b)


def _bilinear(f: Any, x: Any, z: Any, W: Any, b: Any = None) -> Any:
    return f.bilinear(x, z, W, torch().zeros(W.shape[0], dtype=x.dtype) if b is None else b)


def _matmul(f: Any, A: Any, B: Any) -> Any:
    only(A.ndim >= 1 and B.ndim >= 1, "numbers")
    M, N = (A[None] if A.ndim == 1 else A), (B[:, None] if B.ndim == 1 else B)
    lead = torch().broadcast_shapes(M.shape[:-2], N.shape[:-2])
    y = f.matmul(M.expand(*lead, *M.shape[-2:]), N.expand(*lead, *N.shape[-2:]))
    y = y.squeeze(-2) if A.ndim == 1 else y
    return y.squeeze(-1) if B.ndim == 1 else y


def _addmm(f: Any, M: Any, A: Any, B: Any, beta: float = 1.0, alpha: float = 1.0, **more: Any) -> Any:
    only(A.ndim == B.ndim and not isinstance(alpha, complex) and not isinstance(beta, complex), REAL)
    shape = (*A.shape[:-1], B.shape[-1])
    return f.addmm(M.expand(shape), A, B, alpha=alpha, beta=beta)


def _pairwise(f: Any, x: Any, z: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    only(p == 2, "norms other than the second")
    y = f.pairwise_distance(*real(x, z), eps=eps)
    return y[..., None] if keepdim else y


def _cdist(f: Any, x: Any, z: Any, p: float = 2.0, compute_mode: Any = None) -> Any:
    only(p == 2 and x.shape[-1] > 0, "norms other than the second")
    lead = torch().broadcast_shapes(x.shape[:-2], z.shape[:-2])
    return f.cdist(x.expand(*lead, *x.shape[-2:]), z.expand(*lead, *z.shape[-2:]))


def _normalize(f: Any, x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    only(p == 2, "norms other than the second")
    return along("normalize")(f, x, dim, eps=eps)


def _power(f: Any, x: Any, z: Any) -> Any:
    t = torch()
    x, z = real(x, z)
    only(bool((x > 0).all()), "powers of what is not positive")
    del t
    return f.float_power(x, z)


def _logit(f: Any, x: Any, eps: Any = None) -> Any:
    only(eps is None, "clamped")
    return f.logit(x)


def _scaled(name: str, weight: str) -> Call:
    def call(f: Any, x: Any, z: Any, w: Any = None, **options: Any) -> Any:
        own = {"v": float(options["value"])} if "value" in options else {}
        return getattr(f, name)(*real(x, z, w), **own)

    return call


def _solve(f: Any, A: Any, B: Any, left: bool = True, **more: Any) -> Any:
    only(A.ndim == 2 and B.ndim == 2 and left and A.shape[0] > 0, "batches and vectors")
    return f.solve(A, B)


def _slogdet(f: Any, A: Any) -> tuple[Any, Any]:
    return torch().linalg.slogdet(A)[0].detach(), f.slogdet(A)


def _diff(f: Any, x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    only(n == 1 and prepend is None and append is None and x.ndim > 0 and x.shape[dim] > 1, "more than one difference")
    return f.diff(x.movedim(dim, -1)).movedim(-1, dim)


def _flip(f: Any, x: Any, dims: Any) -> Any:
    only(x.ndim > 0, "numbers")
    for d in (dims,) if isinstance(dims, int) else dims:
        x = f.flip(x.movedim(d, -1)).movedim(-1, d)
    return x


def _logcumsumexp(f: Any, x: Any, dim: int) -> Any:
    only(bool(torch().isfinite(x).all()), "infinite values")
    return along("logcumsumexp")(f, x, dim)


def _polygamma(f: Any, x: Any, n: int) -> Any:
    only(n <= 4, "an order beyond 4")
    return getattr(f, f"polygamma_{n}")(x)


CALLS: Mapping[str, Call] = {
    **{name: unary(name.replace(".", "_")) for name in UNARY},
    **{name: binary(name) for name in ("atan2", "fmax", "fmin", "logaddexp", "maximum", "minimum", "mul", "xlogy")},
    "true_divide": binary("true_divide"),
    "special.xlog1py": binary("special_xlog1py"),
    "float_power": _power,
    "max/binary": binary("maximum"),
    "min/binary": binary("minimum"),
    **{f"polygamma/polygamma_n_{n}": _polygamma for n in range(5)},
    "add": lambda f, x, z, alpha=1: f.add(*real(x, z), alpha=float(alpha)),
    "sub": lambda f, x, z, alpha=1: f.sub(*real(x, z), alpha=float(alpha)),
    "lerp": lambda f, x, z, w: f.lerp(*real(x, z, w)),
    "addcmul": _scaled("addcmul", "w"),
    "addcdiv": _scaled("addcdiv", "w"),
    "clamp": _clamp,
    "clamp_min": lambda f, x, a: f.clamp_min(*real(x, a)),
    "clamp_max": lambda f, x, a: f.clamp_max(*real(x, a)),
    "where": lambda f, x, c, z: f.where(*torch().broadcast_tensors(c, x, z)),
    "logit": _logit,
    # activations
    "nn.functional.celu": lambda f, x, alpha=1.0, inplace=False: f.celu(x, alpha=alpha),
    "nn.functional.elu": lambda f, x, alpha=1.0, inplace=False: f.elu(x, alpha=alpha),
    "nn.functional.gelu": _gelu,
    "nn.functional.hardshrink": lambda f, x, lambd=0.5: f.hardshrink(x, lam=lambd),
    "nn.functional.hardsigmoid": lambda f, x, inplace=False: f.hard_sigmoid(x),
    "nn.functional.hardswish": lambda f, x, inplace=False: f.hard_swish(x),
    "nn.functional.hardtanh": lambda f, x, min_val=-1.0, max_val=1.0, inplace=False: f.hardtanh(x, a=min_val, b=max_val),
    "nn.functional.leaky_relu": lambda f, x, negative_slope=0.01, inplace=False: f.leaky_relu(x, slope=negative_slope),
    "nn.functional.logsigmoid": lambda f, x: f.log_sigmoid(x),
    "nn.functional.mish": lambda f, x, inplace=False: f.mish(x),
    "nn.functional.prelu": _prelu,
    "nn.functional.relu": lambda f, x, inplace=False: f.relu(x),
    "nn.functional.selu": lambda f, x, inplace=False: f.selu(x),
    "nn.functional.silu": lambda f, x, inplace=False: f.silu(x),
    "nn.functional.softplus": _softplus,
    "nn.functional.softshrink": lambda f, x, lambd=0.5: f.softshrink(x, lam=lambd),
    "nn.functional.softsign": lambda f, x: f.softsign(x),
    "nn.functional.threshold": lambda f, x, a, b, inplace=False: f.threshold(x, a=a, b=b),
    "nn.functional.glu": along("glu"),
    "sigmoid": lambda f, x: f.sigmoid(x),
    "tanh": lambda f, x: f.tanh(x),
    # reductions
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "prod": reduction("prod"),
    "amax": reduction("amax"),
    "amin": reduction("amin"),
    "logsumexp": reduction("logsumexp"),
    "max/reduction_no_dim": reduction("amax"),
    "min/reduction_no_dim": reduction("amin"),
    "max/reduction_with_dim": _extreme("max_first", "amax"),
    "min/reduction_with_dim": _extreme("min_first", "amin"),
    "var": _spread("var"),
    "var/unbiased": _spread("var"),
    "std": _spread("std"),
    "std/unbiased": _spread("std"),
    "norm": _norm,
    "norm/fro": _norm,
    "norm/inf": _norm,
    "linalg.vector_norm": _vector_norm,
    "linalg.norm/subgradients_at_zero": _second_norm,
    "softmax": along("softmax"),
    "log_softmax": along("log_softmax"),
    "nn.functional.softmin": along("softmin"),
    "cumsum": along("cumsum"),
    "cumprod": along("cumprod"),
    "logcumsumexp": _logcumsumexp,
    "diff": _diff,
    "flip": _flip,
    "nn.functional.normalize": _normalize,
    "nn.functional.cosine_similarity": _cosine_similarity,
    "nn.functional.pairwise_distance": _pairwise,
    "cdist": _cdist,
    # products of matrices and their functions
    "matmul": _matmul,
    "__rmatmul__": lambda f, B, A: _matmul(f, A, B),
    "mm": _matmul,
    "bmm": _matmul,
    "mv": lambda f, A, x: f.mv(A, x),
    "dot": lambda f, x, z: f.inner_product(x, z),
    "vdot": lambda f, x, z: f.inner_product(x, z),
    "inner": lambda f, x, z: only(x.ndim == 1 and z.ndim == 1, "matrices") or f.inner_product(x, z),
    "outer": lambda f, x, z: f.outer(x, z),
    "addmm": _addmm,
    "baddbmm": _addmm,
    "linalg.vecdot": lambda f, x, z, dim=-1: f.vecdot(*(a.movedim(dim, -1) for a in real(x, z))),
    "linalg.cross": lambda f, x, z, dim=-1: f.cross(*(a.movedim(dim, -1) for a in real(x, z))).movedim(-1, dim),
    "kron": lambda f, A, B: only(A.ndim == 2 and B.ndim == 2, "not two matrices") or f.kron(A, B),
    "trace": lambda f, X: only(X.shape[0] == X.shape[1], "matrices that are not square") or f.trace(X),
    "tril": lambda f, X, k=0: f.tril(X, k=k),
    "triu": lambda f, X, k=0: f.triu(X, k=k),
    "linalg.det": lambda f, A: only(A.numel(), "an empty axis") or f.det(A),
    "linalg.slogdet": _slogdet,
    "logdet": lambda f, A: only(A.ndim == 2 and A.shape[0] > 0 and bool(torch().det(A) > 0), "batches, no logarithm") or f.log_determinant(A),
    "linalg.inv": lambda f, A: f.inv(A),
    "linalg.solve": _solve,
    # layers
    "nn.functional.linear": _linear,
    "nn.functional.bilinear": _bilinear,
    "nn.functional.embedding": _embedding,
    "nn.functional.layer_norm": _layer_norm,
    "nn.functional.rms_norm": _rms_norm,
    "nn.functional.batch_norm": _batch_norm,
    "nn.functional.group_norm": _group_norm,
    "nn.functional.instance_norm": _instance_norm,
    "nn.functional.conv1d": _conv("conv1d"),
    "nn.functional.conv2d": _conv("conv2d"),
    "nn.functional.conv_transpose2d": _conv_transpose,
    "nn.functional.avg_pool1d": _avg_pool1d,
    "nn.functional.avg_pool2d": _avg_pool2d,
    "nn.functional.max_pool2d": _max_pool2d,
    "nn.functional.pixel_shuffle": lambda f, x, upscale_factor: f.pixel_shuffle(x, r=upscale_factor),
    "nn.functional.scaled_dot_product_attention": _attention,
    "flatten": _flatten,
    # losses
    "nn.functional.binary_cross_entropy": _bce,
    "nn.functional.binary_cross_entropy_with_logits": _bce_logits,
    "nn.functional.cosine_embedding_loss": _cosine_embedding,
    "nn.functional.cross_entropy": _cross_entropy,
    "nn.functional.gaussian_nll_loss": _gaussian_nll,
    "nn.functional.hinge_embedding_loss": shaped("hinge_embedding", "margin"),
    "nn.functional.huber_loss": loss("huber", "delta"),
    "nn.functional.kl_div": _kl_div,
    "nn.functional.l1_loss": loss("l1"),
    "nn.functional.margin_ranking_loss": shaped("margin_ranking", "margin"),
    "nn.functional.mse_loss": loss("mse"),
    "nn.functional.multi_margin_loss": _multi_margin,
    "nn.functional.multilabel_soft_margin_loss": lambda f, x, t, weight=None, reduction="mean": only(weight is None and x.ndim == 2, "weights, one row") or f.multilabel_soft_margin(x, t.to(x.dtype), reduction=reduction),
    "nn.functional.nll_loss": _nll,
    "nn.functional.poisson_nll_loss": _poisson_nll,
    "nn.functional.smooth_l1_loss": lambda f, x, t, beta=1.0, **o: only(beta > 0, "beta of 0") or loss("smooth_l1", "beta")(f, x, t, beta=beta, **o),
    "nn.functional.soft_margin_loss": shaped("soft_margin"),
    "nn.functional.triplet_margin_loss": _triplet,
}  # fmt: skip

assert set(BINARY) <= {n.removeprefix("special.") for n in CALLS} | set(CALLS)
