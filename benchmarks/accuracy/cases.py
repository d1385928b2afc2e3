"""What is measured: formulas of the catalogue, and some that no catalogue has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

Tensors = Mapping[str, torch.Tensor]
BuiltIn = Callable[[Tensors], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """A formula, by catalogue name or as the keys of a file. `rows`: whether it treats each row of its inputs alone."""

    name: str
    formula: str | Mapping[str, Any]
    builtin: BuiltIn | None = None
    rows: bool = True
    sizes: Mapping[str, int] = field(default_factory=dict)
    wrt: tuple[str, ...] | None = None
    """Inputs whose gradient is measured; None: those that have rows, or all."""
    per_terms: int = 1
    """Terms of its longest contraction: its bound is times 1 + log2 of it."""
    bound: tuple[float, float] | None = None
    """float32, float64, where the promise says something else (matrices: 4 times the size)."""


def _catalogue(name: str, builtin: BuiltIn | None = None, **more: Any) -> Case:
    return Case(name, name, builtin, **more)


def _scalar(name: str, expression: str, builtin: BuiltIn | None = None, **more: Any) -> Case:
    """An elementwise function of x that no catalogue has."""
    return Case(name, {"name": name, "inputs": {"x": ["..."]}, "output": {"y[...]": expression}, **more}, builtin)


def _loss(name: str, inputs: Mapping[str, Any], loss: str, builtin: BuiltIn | None = None, **more: Any) -> Case:
    """A loss that no catalogue has."""
    return Case(name, {"name": name, "inputs": dict(inputs), "loss": loss, **more}, builtin)


def _soft_targets(f: Callable[..., torch.Tensor]) -> BuiltIn:
    return lambda a: f(F.log_softmax(a["z"], -1), a["t"], reduction="none").sum(-1)


GIVEN = {"shape": ["n"], "given": True}
ROWS = {"shape": ["n", "c"]}

LOSSES = (
    _catalogue("softmax_cross_entropy", lambda a: F.cross_entropy(a["z"], a["t"], reduction="none")),
    _catalogue("cross_entropy", lambda a: F.cross_entropy(a["z"], a["t"], reduction="none")),
    _catalogue("label_smoothing", lambda a: F.cross_entropy(a["z"], a["t"], reduction="none", label_smoothing=0.1)),
    _catalogue("bce", lambda a: F.binary_cross_entropy(a["p"], a["t"], reduction="none")),
    _catalogue("bce_with_logits", lambda a: F.binary_cross_entropy_with_logits(a["x"], a["t"], reduction="none")),
    _catalogue("focal_binary"),
    _catalogue("focal_multiclass"),
    _catalogue("gaussian_nll", lambda a: F.gaussian_nll_loss(a["m"], a["t"], torch.exp(a["s"]), reduction="none")),
    _catalogue("huber", lambda a: F.huber_loss(a["x"], a["t"], reduction="none")),
    _catalogue("smooth_l1", lambda a: F.smooth_l1_loss(a["x"], a["t"], reduction="none")),
    _catalogue("kl_divergence", _soft_targets(F.kl_div)),
    _catalogue("jensen_shannon"),
    _catalogue("log_cosh"),
    _catalogue("mse", lambda a: F.mse_loss(a["x"], a["t"], reduction="none")),
    _catalogue("poisson_nll", lambda a: F.poisson_nll_loss(a["x"], a["t"], reduction="none")),
    _catalogue("nll_mixture_density"),
    _catalogue("vae_elbo"),
    _catalogue("triplet_margin", lambda a: F.triplet_margin_loss(a["a"], a["p"], a["q"], reduction="none")),
    _catalogue("cosine_embedding", lambda a: F.cosine_embedding_loss(a["a"], a["b"], a["t"].sign(), reduction="none")),
    _catalogue("contrastive"),
    _catalogue("dice"),
    _catalogue("tversky"),
    _catalogue("dpo"),
    _catalogue("squared_hinge"),
)
ACTIVATIONS = (
    _catalogue("celu", lambda a: F.celu(a["x"])),
    _catalogue("elu", lambda a: F.elu(a["x"])),
    _catalogue("gelu", lambda a: F.gelu(a["x"])),
    _catalogue("gelu_tanh", lambda a: F.gelu(a["x"], approximate="tanh")),
    _catalogue("hard_swish", lambda a: F.hardswish(a["x"])),
    _catalogue("log_sigmoid", lambda a: F.logsigmoid(a["x"])),
    _catalogue("mish", lambda a: F.mish(a["x"])),
    _catalogue("selu", lambda a: F.selu(a["x"])),
    _catalogue("sigmoid", lambda a: torch.sigmoid(a["x"])),
    _catalogue("silu", lambda a: F.silu(a["x"])),
    _catalogue("softplus", lambda a: F.softplus(a["x"])),
    _catalogue("softsign", lambda a: F.softsign(a["x"])),
    _catalogue("tanh", lambda a: torch.tanh(a["x"])),
)
LAYERS = (
    _catalogue("softmax", lambda a: F.softmax(a["x"], -1)),
    _catalogue("log_softmax", lambda a: F.log_softmax(a["x"], -1)),
    _catalogue("layer_norm", lambda a: F.layer_norm(a["x"], a["x"].shape[-1:], a["g"], a["b"]), sizes={"c": 6}),
    _catalogue("rms_norm", lambda a: F.rms_norm(a["x"], a["x"].shape[-1:], a["g"], eps=1e-6), sizes={"c": 6}),
    _catalogue("cosine_similarity", lambda a: F.cosine_similarity(a["x"], a["z"], dim=-1)),
    _catalogue("swiglu"),
    _catalogue(
        "batch_norm",
        lambda a: F.batch_norm(a["x"], None, None, a["g"], a["b"], training=True),
        rows=False,
        sizes={"n": 5, "c": 2},
        per_terms=5,
    ),
    _catalogue(
        "attention",
        lambda a: F.scaled_dot_product_attention(a["Q"], a["K"], a["V"]),
        rows=False,
        sizes={"b": 1, "t": 3, "r": 4, "d": 2, "e": 2},
        per_terms=4,
    ),
)
MATRICES = (
    _catalogue("log_determinant", lambda a: torch.logdet(a["X"]), rows=False, sizes={"n": 3}, bound=(12, 12)),
    _catalogue("determinant", lambda a: torch.linalg.det(a["X"]), rows=False, sizes={"n": 3}, bound=(12, 12)),
    _catalogue("frobenius_norm", lambda a: torch.linalg.norm(a["X"]), rows=False, sizes={"m": 3, "n": 2}, per_terms=6),
    _catalogue("euclidean_distance", lambda a: torch.linalg.norm(a["x"] - a["a"]), rows=False, per_terms=4),
    _catalogue("quadratic_form_inverse", rows=False, sizes={"n": 3}, bound=(12, 12)),
)
UNSEEN = (
    _scalar("guarded_root", "where(x[...] > 0, sqrt(x[...]), 0)"),
    _scalar("log_one_plus_square", "log(1 + x[...]**2)"),
    _scalar("bent_identity", "(sqrt(x[...]**2 + 1) - 1)/2 + x[...]"),
    _scalar("square_plus", "(x[...] + sqrt(x[...]**2 + 4))/2"),
    _scalar("log_of_one_minus_exp", "where(x[...] < 0, log(1 - exp(x[...])), 0)"),
    _scalar("logistic_written_out", "1/(1 + exp(-x[...]))"),
    _scalar("tanh_written_out", "(exp(x[...]) - exp(-x[...]))/(exp(x[...]) + exp(-x[...]))"),
    _scalar("hyperbolic_gate", "x[...]*tanh(exp(x[...]))"),
    _scalar("gaussian_bump", "x[...]*exp(-x[...]**2)"),
    _scalar("rational_bump", "1/(1 + x[...]**2)"),
    _scalar("soft_sine", "x[...] + sin(x[...])**2"),
    _scalar("versine", "1 - cos(x[...])"),
    _loss("charbonnier", {"x": ["n"], "t": GIVEN}, "sqrt(1 + (x[i] - t[i])**2) - 1"),
    _loss("geman_mcclure", {"x": ["n"], "t": GIVEN}, "(x[i] - t[i])**2/(1 + (x[i] - t[i])**2)"),
    _loss("cauchy", {"x": ["n"], "t": GIVEN}, "log(1 + (x[i] - t[i])**2/2)"),
    _loss("welsch", {"x": ["n"], "t": GIVEN}, "1 - exp(-(x[i] - t[i])**2/2)"),
    _loss(
        "squared_log_error",
        {"x": {"shape": ["n"], "domain": "nonnegative"}, "t": {**GIVEN, "domain": "nonnegative"}},
        "(log(1 + x[i]) - log(1 + t[i]))**2",
    ),
    _loss("entropy_of_softmax", {"z": ROWS}, "-Sum(y[i, j]*log(y[i, j]), j)", let={"y[i, j]": "softmax(z[i, j], j)"}),
    _loss(
        "hellinger_of_softmax",
        {"z": ROWS, "t": {"shape": ["n", "c"], "domain": "simplex", "given": True}},
        "1 - Sum(sqrt(y[i, j]*t[i, j]), j)",
        let={"y[i, j]": "softmax(z[i, j], j)"},
    ),
    _loss(
        "brier_of_softmax",
        {"z": ROWS, "t": {"shape": ["n", "c"], "domain": "one_hot", "given": True}},
        "Sum((y[i, j] - t[i, j])**2, j)",
        let={"y[i, j]": "softmax(z[i, j], j)"},
    ),
    _loss(
        "divergence_of_normals",
        {"m": ["n"], "s": ["n"], "u": GIVEN, "v": GIVEN},
        "(v[i] - s[i] + (exp(s[i]) + (m[i] - u[i])**2)*exp(-v[i]) - 1)/2",
    ),
    _loss(
        "divergence_of_bernoullis",
        {"x": ["n"], "q": {**GIVEN, "domain": "interval(1/1024, 1023/1024)"}},
        "p[i]*log(p[i]/q[i]) + (1 - p[i])*log((1 - p[i])/(1 - q[i]))",
        let={"p[i]": "sigmoid(x[i])"},
    ),
    _loss("ranking", {"a": ["n"], "b": ["n"]}, "log(1 + exp(b[i] - a[i]))", lambda a: F.softplus(a["b"] - a["a"])),
    _loss(
        "distance_by_root",
        {"a": ROWS, "b": ROWS},
        "sqrt(Sum((a[i, j] - b[i, j])**2, j))",
        lambda a: torch.linalg.vector_norm(a["a"] - a["b"], dim=-1),
    ),
    _loss(
        "spread",
        {"x": ROWS},
        "mean(x[i, j]**2, j) - mean(x[i, j], j)**2",
        lambda a: torch.var(a["x"], -1, correction=0),
    ),
)

CASES = LOSSES + ACTIVATIONS + LAYERS + MATRICES + UNSEEN
