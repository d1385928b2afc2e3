"""Inputs at the ends: extreme logits, masked rows, confident targets, tiny and huge norms, layer norm far from 0.

Our kernels in float32 must be finite and no worse than torch's own. The truth is written out in float64 in a form that
does not cancel: torch's own gradients are exactly 0 at confident targets in float64 too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symgrad
from benchmarks.accuracy.measure import measure
from benchmarks.accuracy.offsets import CASES as NORMS

torch = pytest.importorskip("torch")
F = torch.nn.functional
INF, HALF = float("inf"), 0.5
Rows = list[list[float]]


def error(got: np.ndarray, true: np.ndarray) -> float:
    """The worst relative error where the truth is no subnormal; nan and wrong zeros are infinitely bad."""
    got, true = (np.asarray(a, float)[np.isfinite(true)] for a in (got, true))
    wrong = ~np.isfinite(got) | ((got == 0) & (np.abs(true) > SMALLEST))
    off = np.abs(got - true) / np.maximum(np.abs(true), SMALLEST)
    return float(np.max(np.where(wrong, INF, off), initial=0))


def by_torch(f: Callable[..., object], x: np.ndarray) -> np.ndarray:
    """The gradient of torch's function in float32."""
    t = torch.tensor(x, requires_grad=True)
    f(t).sum().backward()
    return t.grad.numpy()


def weights(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The softmax of the rows and what is left of 1, in float64."""
    e = np.exp(z.astype(float) - z.max(1, keepdims=True))
    others = np.stack([np.delete(e, k, axis=1).sum(1) for k in range(z.shape[1])], axis=1)
    return e / e.sum(1, keepdims=True), others / e.sum(1, keepdims=True)


LOGITS: dict[str, Rows] = {
    "a thousand apart": [[1e3, -1e3, 0.0, 3.0], [-1e3, 1e3, 1e3, 0.0]],
    "ten thousand apart": [[1e4, -1e4, 0.0, 1.0], [-1e4, -1e4, -1e4, -1e4], [1e4, 1e4, 0.0, 5.0]],
    "confident": [[30.0, 0.0, 0.0, 0.0], [0.0, 60.0, 1.0, -1.0], [90.0, 0.0, -5.0, 5.0]],
    "in part masked": [[1.0, -INF, 2.0, -INF], [-INF, 0.5, -INF, -INF]],
}
SMALLEST = 2.0**-126
NO_WORSE = 4 * 2.0**-24
"""Relative error below which nobody is better."""


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize("hot", [0, 1, 2])
def test_cross_entropy_of_extreme_logits(logits: str, hot: int) -> None:
    z = np.array(LOGITS[logits], np.float32)
    target = np.full(len(z), hot)
    if np.isinf(z[np.arange(len(z)), target]).any():
        target = z.argmax(1)
    got = symgrad.derive("cross_entropy").numpy.grad(z, target, reduction="sum")
    theirs = by_torch(lambda t: F.cross_entropy(t, torch.tensor(target), reduction="sum"), z)
    y, left = weights(z)
    true = np.where(np.arange(z.shape[1]) == target[:, None], -left, y)
    assert error(got, true) <= max(error(theirs, true), NO_WORSE)


@pytest.mark.parametrize("logits", LOGITS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_extreme_logits(logits: str, name: str) -> None:
    z = np.array(LOGITS[logits], np.float32)
    numpy = symgrad.derive(name).numpy
    y, saved = numpy.forward(z)
    f = F.softmax if name == "softmax" else F.log_softmax
    share, left = weights(z)
    with np.errstate(divide="ignore"):
        true = share if name == "softmax" else np.where(share > HALF, np.log1p(-left), np.log(share))
        true = np.where((share == 0) & np.isfinite(z), z - z.max(1, keepdims=True), true) if name != "softmax" else true
    assert error(y, true) <= max(error(f(torch.tensor(z), -1).numpy(), true), NO_WORSE)
    weight = np.array([[1.0, 0.5, -2.0, 3.0]], np.float32) * np.isfinite(z)
    got = numpy.backward(weight, saved)
    assert np.isfinite(got).all()
    assert (got[np.isinf(z)] == 0).all()


def test_a_row_that_is_masked_as_a_whole_gives_zeros() -> None:
    z = np.full((2, 4), -INF, np.float32)
    y, saved = symgrad.derive("softmax").numpy.forward(z)
    assert not y.any()
    assert not symgrad.derive("softmax").numpy.backward(np.ones_like(z), saved).any()
    t = torch.tensor(z, requires_grad=True)
    y = symgrad.derive("softmax").torch.softmax(t)
    y.sum().backward()
    assert not t.grad.any()


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1e-8, 1.0, 1e8, 1e19, 1e30])
def test_norms_of_tiny_and_huge_rows(size: float) -> None:
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n", "c"]}, "output": {"y[i]": "sqrt(Sum(x[i, j]**2, j))"}})
    x = (np.array([[3.0, -4.0, 12.0], [1.0, 0.0, 0.0]]) * size).astype(np.float32)
    y, saved = result.numpy.forward(x)
    got = result.numpy.backward(np.ones(2, np.float32), saved)
    theirs = by_torch(lambda t: torch.linalg.vector_norm(t, dim=-1), x)
    true = x / np.sqrt((x.astype(float) ** 2).sum(1, keepdims=True))
    assert error(got, true) <= max(error(theirs, true), NO_WORSE)
    np.testing.assert_allclose(y, np.sqrt((x.astype(float) ** 2).sum(1)), rtol=1e-6)


@pytest.mark.parametrize("p", [2.0**-24, 1e-30, 0.5, 1 - 2.0**-24])
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_probabilities_near_0_and_1(p: float, t: float) -> None:
    x, target = np.array([p], np.float32), np.array([t], np.float32)
    got = symgrad.derive("bce").numpy.grad(x, target, reduction="sum")
    theirs = by_torch(lambda q: F.binary_cross_entropy(q, torch.tensor(target)), x)
    true = -1 / x.astype(float) if t else 1 / (1 - x.astype(float))
    assert error(got, true) <= max(error(theirs, true), NO_WORSE)


@pytest.mark.parametrize("x", [-1e4, -1e3, -100.0, 100.0, 1e3, 1e4])
@pytest.mark.parametrize("t", [0.0, 1.0])
def test_binary_logits_at_their_ends(x: float, t: float) -> None:
    z, target = np.array([x], np.float32), np.array([t], np.float32)
    got = symgrad.derive("bce_with_logits").numpy.grad(z, target, reduction="sum")
    theirs = by_torch(lambda q: F.binary_cross_entropy_with_logits(q, torch.tensor(target)), z)
    small = np.exp(-np.abs(z.astype(float)))
    share = np.where((z > 0) == (t == 0), 1, small) / (1 + small)
    true = -share if t else share
    assert error(got, true) <= max(error(theirs, true), NO_WORSE)


@pytest.mark.parametrize("case", NORMS, ids=lambda c: c.name)
def test_layer_norm_far_from_0_is_no_worse_than_torchs(case) -> None:  # type: ignore[no-untyped-def]
    """The worst over five offsets: at one offset both are 0.5 to 1.4 ulp, and the draw decides which is less."""
    worst = dict.fromkeys(("numpy", "torch", "built-in"), 0.0)
    for offset in (1.0, 10.0, 100.0, 1e3, 1e4):
        rng = np.random.default_rng(int(offset))

        def moved(inputs, offset=offset, rng=rng):  # type: ignore[no-untyped-def]
            x = offset + rng.standard_normal(inputs["x"].shape)
            return {**inputs, "x": np.asarray(x, np.float32).astype(float)}

        scores = measure(case, 1, 0, tuple(worst), moved).scores["float32"]
        assert scores["numpy"].nan == scores["numpy"].zeros == scores["torch"].nan == scores["torch"].zeros == 0
        worst = {name: max(w, scores[name].worst) for name, w in worst.items()}
    assert max(worst["numpy"], worst["torch"]) <= worst["built-in"], worst
