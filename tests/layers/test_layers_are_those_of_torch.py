"""Every layer of the catalogue against torch's own: values and gradients, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad

torch = pytest.importorskip("torch")
F = torch.nn.functional

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Like:
    """A layer, the shapes of its real inputs, its parameters, and what torch has for it."""

    name: str
    shapes: dict[str, tuple[int, ...]]
    torch: Callable[..., Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{k}{v}" for k, v in self.parameters.items())])


ONE_LAYER = (True, 1, 0.0, False, False, False)
"""Biases, layers, dropout, training, both directions, batch first."""


def rnn_over_time(x: Any, h0: Any, W: Any, U: Any, b: Any) -> Any:
    """torch's recurrent layer, one bias of its two."""
    return torch.rnn_tanh(x, h0[None], (W, U, b, torch.zeros_like(b)), *ONE_LAYER)[0]


def gru_over_time(x: Any, h0: Any, W: Any, U: Any, b: Any, e: Any) -> Any:
    """torch's gated recurrent units; its gates are stacked."""
    weights = (W.flatten(0, 1), U.flatten(0, 1), b.flatten(), e.flatten())
    return torch.gru(x, h0[None], weights, *ONE_LAYER)[0]


def lstm_over_time(x: Any, h0: Any, c0: Any, W: Any, U: Any, b: Any) -> Any:
    """torch's long short-term memory; its gates are stacked, one bias of its two."""
    weights = (W.flatten(0, 1), U.flatten(0, 1), b.flatten(), torch.zeros_like(b).flatten())
    return torch.lstm(x, (h0[None], c0[None]), weights, *ONE_LAYER)[0]


def averaged(x: Any, a: float = 0.9) -> Any:
    """The recurrence as a loop: torch has no layer for it."""
    steps = [x[0]]
    for row in x[1:]:
        steps.append(a * steps[-1] + (1 - a) * row)
    return torch.stack(steps)


def lstm(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any) -> Any:
    """One bias where torch has two."""
    return torch.lstm_cell(x, (h, c), W, U, b, torch.zeros_like(b))


def heads(x: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, h: int = 2) -> Any:
    """scaled_dot_product_attention between its projections."""
    q, k, v = ((x @ W.T).unflatten(-1, (h, -1)).transpose(-2, -3) for W in (Wq, Wk, Wv))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y.transpose(-2, -3).flatten(-2) @ Wo.T


def rotary(x: Any, theta: float = 10000.0) -> Any:
    """Neighbouring pairs as complex numbers, turned."""
    t, m = x.shape[-2], x.shape[-1] // 2
    angles = torch.arange(t)[:, None] * theta ** (-torch.arange(m, dtype=x.dtype) / m)
    turned = torch.view_as_complex(x.unflatten(-1, (m, 2))) * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(turned).flatten(-2)


def rbf(x: Any, c: Any, b: Any) -> Any:
    """Squared distances by torch."""
    return torch.exp(-b * torch.cdist(x, c, compute_mode="donot_use_mm_for_euclid_dist") ** 2)


def factorization(x: Any, w0: Any, w: Any, V: Any) -> Any:
    """All pairs, one by one."""
    pairs = torch.einsum("nid,njd->nij", x[..., None] * V, x[..., None] * V)
    return w0 + x @ w + torch.triu(pairs, 1).sum((-1, -2))


CONV = {"x": (2, 4, 7, 8), "W": (6, 4, 3, 2), "b": (6,)}
LAYERS = [
    Like("linear", {"x": (2, 3, 4), "W": (5, 4), "b": (5,)}, F.linear),
    Like("bilinear", {"x": (3, 4), "z": (3, 5), "W": (2, 4, 5), "b": (2,)}, F.bilinear),
    Like("conv1d", {"x": (2, 3, 9), "W": (4, 3, 3), "b": (4,)}, F.conv1d),
    Like(
        "conv1d",
        {"x": (2, 4, 11), "W": (6, 2, 3), "b": (6,)},
        lambda x, W, b, s, pad, dilation, groups: F.conv1d(x, W, b, s, pad, dilation, groups),
        {"s": 2, "pad": 3, "dilation": 2, "groups": 2},
    ),
    Like("conv2d", CONV, F.conv2d),
    *(
        Like(
            "conv2d",
            CONV | {"W": (6, 4 // p["groups"], 3, 2)},
            lambda x, W, b, s, pad, dilation, groups: F.conv2d(x, W, b, s, pad, dilation, groups),
            p,
        )
        for p in (
            {"s": 2, "pad": 1, "dilation": 1, "groups": 1},
            {"s": 1, "pad": 2, "dilation": 2, "groups": 2},
            {"s": 3, "pad": 1, "dilation": 1, "groups": 2},
        )
    ),
    *(
        Like(
            "conv_transpose2d",
            {"x": (2, 3, 4, 5), "W": (3, 2, 3, 4), "b": (2,)},
            lambda x, W, b, s, pad: F.conv_transpose2d(x, W, b, stride=s, padding=pad),
            p,
        )
        for p in ({"s": 1, "pad": 0}, {"s": 2, "pad": 1}, {"s": 3, "pad": 0})
    ),
    Like("max_pool2d", {"x": (2, 3, 7, 6)}, lambda x: F.max_pool2d(x, 2)),
    Like("max_pool2d", {"x": (2, 3, 8, 7)}, lambda x, k, s: F.max_pool2d(x, k, s), {"k": 3, "s": 1}),
    Like("avg_pool2d", {"x": (2, 3, 7, 6)}, lambda x: F.avg_pool2d(x, 2)),
    Like("avg_pool2d", {"x": (2, 3, 8, 7)}, lambda x, k, s: F.avg_pool2d(x, k, s), {"k": 3, "s": 2}),
    Like("flatten", {"x": (2, 3, 4, 5)}, lambda x: torch.flatten(x, -3)),
    Like("softmax", {"x": (2, 3, 5)}, lambda x: F.softmax(x, -1)),
    Like("log_softmax", {"x": (2, 3, 5)}, lambda x: F.log_softmax(x, -1)),
    Like("batch_norm", {"x": (6, 3), "g": (3,), "b": (3,)}, lambda x, g, b: F.batch_norm(x, None, None, g, b, True)),
    Like("layer_norm", {"x": (2, 3, 6), "g": (6,), "b": (6,)}, lambda x, g, b: F.layer_norm(x, (6,), g, b)),
    Like("rms_norm", {"x": (2, 3, 6), "g": (6,)}, lambda x, g: F.rms_norm(x, (6,), g, 1e-6)),
    Like("group_norm", {"x": (2, 6, 3, 4), "g": (6,), "b": (6,)}, lambda x, g, b: F.group_norm(x, 2, g, b)),
    Like(
        "group_norm",
        {"x": (2, 6, 3, 2), "g": (6,), "b": (6,)},
        lambda x, g, b, groups: F.group_norm(x, groups, g, b),
        {"groups": 3},
    ),
    Like(
        "instance_norm",
        {"x": (2, 3, 4, 5), "g": (3,), "b": (3,)},
        lambda x, g, b: F.instance_norm(x, weight=g, bias=b),
    ),
    Like(
        "dropout",
        {"x": (3, 6)},
        lambda x, mask: x * mask / 0.5,
        given={"mask": np.arange(18).reshape(3, 6) % 3 > 0},
    ),
    Like("embedding", {"W": (5, 4)}, lambda t, W: F.embedding(t, W), given={"t": np.array([[0, 3, 3], [4, 1, 0]])}),
    Like("attention", {"Q": (2, 3, 4), "K": (2, 5, 4), "V": (2, 5, 6)}, F.scaled_dot_product_attention),
    Like("multi_head_attention", {"x": (2, 3, 6), **dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), (6, 6))}, heads),
    Like("multi_head_attention", {"x": (4, 6), **dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), (6, 6))}, heads, {"h": 3}),
    Like("swiglu", {"x": (3, 4), "W": (5, 4), "V": (5, 4)}, lambda x, W, V: F.silu(x @ W.T) * (x @ V.T)),
    Like("geglu", {"x": (3, 4), "W": (5, 4), "V": (5, 4)}, lambda x, W, V: F.gelu(x @ W.T) * (x @ V.T)),
    Like("rope", {"x": (2, 3, 8)}, rotary),
    Like("rope", {"x": (5, 6)}, rotary, {"theta": 100.0}),
    Like(
        "rnn_cell",
        {"x": (3, 4), "h": (3, 5), "W": (5, 4), "U": (5, 5), "b": (5,)},
        lambda x, h, W, U, b: torch.rnn_tanh_cell(x, h, W, U, b, torch.zeros_like(b)),
    ),
    Like(
        "lstm_cell",
        {"x": (3, 4), "h": (3, 2), "c": (3, 2), "W": (8, 4), "U": (8, 2), "b": (8,)},
        lstm,
    ),
    Like(
        "gru_cell",
        {"x": (3, 4), "h": (3, 2), "W": (6, 4), "U": (6, 2), "b": (6,), "e": (6,)},
        torch.gru_cell,
    ),
    Like("cosine_similarity", {"x": (3, 5), "z": (3, 5)}, lambda x, z: F.cosine_similarity(x, z, eps=0.0)),
    Like("factorization_machine", {"x": (4, 5), "w0": (), "w": (5,), "V": (5, 3)}, factorization),
    Like("rbf", {"x": (4, 3), "c": (5, 3), "b": (5,)}, rbf),
    Like("rnn", {"x": (4, 2, 3), "h0": (2, 5), "W": (5, 3), "U": (5, 5), "b": (5,)}, rnn_over_time),
    Like(
        "gru",
        {"x": (4, 2, 3), "h0": (2, 5), "W": (3, 5, 3), "U": (3, 5, 5), "b": (3, 5), "e": (3, 5)},
        gru_over_time,
    ),
    Like(
        "lstm",
        {"x": (4, 2, 3), "h0": (2, 5), "c0": (2, 5), "W": (4, 5, 3), "U": (4, 5, 5), "b": (4, 5)},
        lstm_over_time,
    ),
    Like("moving_average", {"x": (5, 3)}, averaged),
    Like("moving_average", {"x": (4, 2)}, averaged, {"a": 0.3}),
]


@cache
def derived(name: str) -> Any:
    """The layer of the catalogue."""
    return symgrad.derive(name)


@pytest.mark.parametrize("like", LAYERS, ids=str)
def test_a_layer_is_that_of_torch(like: Like) -> None:
    layer = derived(like.name)
    rng = np.random.default_rng(5)
    data = {n: rng.standard_normal(s) for n, s in like.shapes.items()} | like.given
    data = {i.name: data[i.name] for i in layer.derivation.program.inputs}
    tensors = {n: torch.tensor(a, requires_grad=n in like.shapes) for n, a in data.items()}
    expected = like.torch(*tensors.values(), **like.parameters)
    expected = expected if isinstance(expected, tuple) else (expected,)
    values, saved = layer.numpy.forward(*data.values(), **like.parameters)
    values = values if isinstance(values, tuple) else (values,)
    for value, wanted in zip(values, expected, strict=True):
        np.testing.assert_allclose(value, wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    cotangents = [rng.standard_normal(v.shape) for v in values]
    gradients = layer.numpy.backward(*cotangents, saved)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    leaves = [tensors[n] for n in layer.derivation.program.wrt]
    wanted = torch.autograd.grad(expected, leaves, [torch.tensor(c) for c in cotangents])
    for name, gradient, other in zip(layer.derivation.program.wrt, gradients, wanted, strict=True):
        np.testing.assert_allclose(gradient, other.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def test_every_layer_is_compared() -> None:
    from symgrad.catalogue import paths

    layers = {name for name, path in paths().items() if Path(path).parent.name == "layers"}
    assert layers == {like.name for like in LAYERS}
