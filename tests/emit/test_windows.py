"""Largest values of windows, held against torch: ties, overlaps, padding, gaps, values at the winner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from tests.emit.cases import kernels

F = torch.nn.functional
POOL = """
name: pool
inputs: {x: {shape: [..., h, w], outside: 0}}
parameters:
  k: {value: 3, dtype: int, domain: positive}
  s: {value: 2, dtype: int, domain: positive}
  d: {value: 1, dtype: int, domain: positive}
  pad: {value: 0, dtype: int, domain: nonnegative}
ranges: {p: (h + 2*pad - d*(k - 1) - 1)//s + 1, q: (w + 2*pad - d*(k - 1) - 1)//s + 1, u: k, v: k}
output:
  y[..., p, q]: amax(x[..., s*p + d*u - pad, s*q + d*v - pad], u, v, ties=first)
"""
POOL_3D = """
name: pool_3d
inputs: {x: [..., f, h, w]}
parameters: {k: {value: 2, dtype: int, domain: positive}}
ranges: {o: f//k, p: h//k, q: w//k, t: k, u: k, v: k}
output:
  y[..., o, p, q]: amax(x[..., k*o + t, k*p + u, k*q + v], t, u, v, ties=first)
"""
LEAST = """
name: least
inputs: {x: [..., h]}
parameters: {k: {value: 3, dtype: int, domain: positive}}
ranges: {p: h - k + 1, u: k}
output:
  y[..., p]: amin(x[..., p + u], u, ties=first)
"""
SQUARES = """
name: squares
inputs: {x: [..., h, w]}
parameters: {k: {value: 2, dtype: int, domain: positive}}
ranges: {p: h//k, q: w//k, u: k, v: k}
output:
  y[..., p, q]: amax(x[..., k*p + u, k*q + v]**2, u, v, ties=first)
"""


@dataclass(frozen=True)
class Pooling:
    """A formula, what torch makes of its windows, the shape of x, parameters."""

    text: str
    reference: Callable[..., torch.Tensor]
    shape: tuple[int, ...]
    params: dict[str, int] = field(default_factory=dict)


def pool(x: torch.Tensor, k: int = 3, s: int = 2, d: int = 1, pad: int = 0) -> torch.Tensor:
    """What lies outside counts as 0, unlike in torch's own padding."""
    y = F.max_pool2d(F.pad(x, (pad,) * 4).reshape(1, -1, x.shape[-2] + 2 * pad, x.shape[-1] + 2 * pad), k, s, 0, d)
    return y.reshape(*x.shape[:-2], *y.shape[-2:])


POOLINGS = {
    "apart": Pooling(POOL, pool, (2, 3, 9, 8), {"k": 2, "s": 2}),
    "overlapping": Pooling(POOL, pool, (2, 9, 8), {"k": 3, "s": 1}),
    "with gaps": Pooling(POOL, pool, (9, 12), {"k": 2, "s": 4}),
    "padded": Pooling(POOL, pool, (3, 6, 7), {"k": 3, "s": 2, "pad": 1}),
    "dilated": Pooling(POOL, pool, (2, 9, 10), {"k": 3, "s": 2, "d": 2, "pad": 1}),
    "of three axes": Pooling(POOL_3D, lambda x, k=2: F.max_pool3d(x, k), (2, 4, 5, 6), {}),
    "least": Pooling(LEAST, lambda x, k=3: -F.max_pool1d(-x, k, 1), (2, 8), {}),
    "a value at the winner": Pooling(SQUARES, lambda x, k=2: F.max_pool2d(x**2, k), (2, 4, 5), {}),
}


def data(shape: tuple[int, ...], ties: bool) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(1, 4, shape).astype(float) if ties else rng.standard_normal(shape)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("name", POOLINGS)
def test_the_gradient_goes_to_the_first_largest_value_of_each_window(name: str, ties: bool) -> None:
    c, k = POOLINGS[name], kernels(POOLINGS[name].text)
    x = data(c.shape, ties)
    t = torch.tensor(x, requires_grad=True)
    expected = c.reference(t, **c.params)
    dy = np.random.default_rng(1).standard_normal(expected.shape)
    gradient = torch.autograd.grad(expected, t, torch.tensor(dy))[0].numpy()
    y, saved = k.numpy.forward(x, **c.params)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(k.numpy.backward(dy, saved), gradient, rtol=1e-12, atol=1e-12)
    mine = torch.autograd.grad(k.function(t, **c.params), t, torch.tensor(dy))[0].numpy()
    np.testing.assert_allclose(mine, gradient, rtol=1e-12, atol=1e-12)


def test_a_window_with_nan_gives_its_gradient_to_the_first_nan() -> None:
    x = np.array([1.0, np.nan, 2.0, np.nan, 0.0, 1.0])
    k = kernels(LEAST)
    _, saved = k.numpy.forward(x, k=3)
    assert k.numpy.backward(np.ones(4), saved).tolist() == [0, 2, 0, 2, 0, 0]


@pytest.mark.parametrize("name", POOLINGS)
def test_no_mask_over_the_elements_of_windows_is_made(name: str) -> None:
    source = kernels(POOLINGS[name].text).files["numpy_kernels.py"]
    backward = source[source.index("def backward") : source.index("def check_inputs")]
    assert "==" not in backward
    assert "_scattered(" in backward
