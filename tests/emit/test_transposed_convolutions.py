"""Convolutions written as reads of the weights at a distance, held against torch's transposed convolutions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from tests.emit.cases import kernels

F = torch.nn.functional

GROUPED = """
name: grouped
inputs: {x: [..., g, c, h, w], W: {shape: [g, c, o, r, t], outside: 0}}
parameters:
  s: {value: 2, dtype: int, domain: positive}
  pad: {value: 1, dtype: int, domain: nonnegative}
ranges: {p: (h - 1)*s + r - 2*pad, q: (w - 1)*s + t - 2*pad}
output:
  y[..., e, k, p, q]: Sum(x[..., e, l, i, j]*W[e, l, k, p + pad - s*i, q + pad - s*j], l, i, j)
"""
DEPTHWISE = """
name: depthwise
inputs: {x: [..., c, h], W: {shape: [c, r], outside: 0}}
parameters: {s: {value: 3, dtype: int, domain: positive}}
ranges: {p: (h - 1)*s + r}
output:
  y[..., k, p]: Sum(x[..., k, i]*W[k, p - s*i], i)
"""
CAUSAL = """
name: causal
inputs: {x: [..., n], W: {shape: [n], outside: 0}}
ranges: {p: n}
output:
  y[..., p]: Sum(x[..., i]*W[p - i], i)
"""


@dataclass(frozen=True)
class Convolution:
    """A formula, what torch makes of it, shapes of x and W, parameters."""

    text: str
    reference: Callable[..., torch.Tensor]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    params: dict[str, int] = field(default_factory=dict)


def grouped(x: torch.Tensor, W: torch.Tensor, s: int, pad: int) -> torch.Tensor:
    g = W.shape[0]
    y = F.conv_transpose2d(x.flatten(-4, -3), W.flatten(0, 1), stride=s, padding=pad, groups=g)
    return y.unflatten(1, (g, -1))


CASES = {
    "grouped": Convolution(GROUPED, grouped, ((2, 2, 3, 4, 3), (2, 3, 2, 3, 4)), {"s": 2, "pad": 1}),
    "with taps longer than the image": Convolution(
        GROUPED, grouped, ((1, 1, 2, 2, 3), (1, 2, 2, 5, 4)), {"s": 1, "pad": 0}
    ),
    "depthwise": Convolution(
        DEPTHWISE,
        lambda x, W, s: F.conv_transpose1d(x, W[:, None], stride=s, groups=W.shape[0]),
        ((2, 3, 4), (3, 2)),
        {"s": 3},
    ),
    "causal": Convolution(
        CAUSAL, lambda x, W: F.conv_transpose1d(x[:, None], W[None, None])[:, 0, : W.shape[0]], ((2, 5), (5,))
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_torch(name: str) -> None:
    c, k = CASES[name], kernels(CASES[name].text)
    rng = np.random.default_rng(0)
    x, W = (rng.standard_normal(shape) for shape in c.shapes)
    t = [torch.tensor(v, requires_grad=True) for v in (x, W)]
    expected = c.reference(*t, **c.params)
    dy = rng.standard_normal(expected.shape)
    gradients = torch.autograd.grad(expected, t, torch.tensor(dy))
    y, saved = k.numpy.forward(x, W, **c.params)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    mine = torch.autograd.grad(k.function(*t, **c.params), t, torch.tensor(dy))
    for a, b, e in zip(k.numpy.backward(dy, saved), mine, gradients, strict=True):
        np.testing.assert_allclose(a, e.numpy(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(b.numpy(), e.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["grouped", "depthwise"])
def test_no_weight_is_gathered_for_every_position(name: str) -> None:
    source = kernels(CASES[name].text).files["numpy_kernels.py"]
    assert "np.clip" not in source
    assert "_folded(" in source
