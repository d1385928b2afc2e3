"""Mistakes of a class that `check` names by one mechanism, each at a formula that no set of faults has."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from symgrad import check
from symgrad.algebra.build import mul, reduce
from symgrad.algebra.terms import dim, get, idx
from symgrad.handwritten.spots import shown

POWER = {
    "name": "power",
    "inputs": {"x": {"shape": ["n"]}, "t": {"shape": ["n"], "given": True}},
    "loss": "(x[i] - t[i])**4/4",
}
MAP = {"name": "map", "inputs": {"x": ["n"], "A": ["n", "n"]}, "loss": "Sum(A[i, j]*A[j, k]*x[k]*x[i], i, j, k)"}
VOLUME = {"name": "volume", "inputs": {"A": ["d", "d"]}, "loss": "-log(Abs(det(A)))"}
ROOTS = {
    "name": "roots",
    "inputs": {"x": ["n", "d"]},
    "parameters": {"a": 0.7, "b": 0.2},
    "loss": "sqrt(a + Sum(x[i, k]**2, k)/(1 + b))",
}
FEW = {
    "name": "few",
    "inputs": {"x": ["n", "d"], "m": {"shape": ["n", "d"], "dtype": "bool"}},
    "loss": "Sum(where(m[i, k], x[i, k]**2, 0), i, k) + Sum(x[i, k]**2, i, k)",
}


def _map(x: Any, A: Any) -> Any:
    B = A @ A
    return (B + B.T) @ x, np.outer(x, A @ x) + np.outer(A.T @ x, x)


def map_one_matrix_short(x: Any, A: Any) -> Any:
    return (A + A.T) @ x, _map(x, A)[1]


def power_of_slope(x: Any, t: Any) -> Any:
    return np.sign(x - t) * (x - t) ** 2 / len(x)


def volume(A: Any) -> Any:
    return -np.linalg.inv(A).T


def roots_exchanged(x: Any, a: float = 0.7, b: float = 0.2) -> Any:
    root = np.sqrt(b + (x**2).sum(1, keepdims=True) / (1 + a))
    return x / root / (1 + a) / len(x)


def few_by_row(x: Any, m: Any) -> Any:
    return 2 * x * m + 2 * x * m.sum(1, keepdims=True)


def tversky_smoothed_above(p: Any, t: Any, alpha: float = 0.3, beta: float = 0.7, eps: float = 1.0) -> Any:
    hit, miss = (p * t).sum(1, keepdims=True), ((1 - p) * t).sum(1, keepdims=True)
    a, b = hit + eps, hit + alpha * (p * (1 - t)).sum(1, keepdims=True) + beta * miss
    return -(t * b - a * (t + alpha * (1 - t) - beta * t)) / b**2 / len(p)


class Weighted(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, t: Any) -> Any:
        ctx.save_for_backward(x - t)
        return (x - t) ** 4 / 4

    @staticmethod
    def backward(ctx: Any, up: Any) -> Any:
        (d,) = ctx.saved_tensors
        return up.sum() / len(up) * d**3, None


class ByFirst(Weighted):
    @staticmethod
    def backward(ctx: Any, up: Any) -> Any:
        (d,) = ctx.saved_tensors
        return up[0] * d**3, None


class Right(Weighted):
    @staticmethod
    def backward(ctx: Any, up: Any) -> Any:
        (d,) = ctx.saved_tensors
        return up * d**3, None


CASES: list[tuple[str | Mapping[str, Any], Callable[..., Any], str, str]] = [
    (MAP, map_one_matrix_short, "missing_factor", "A["),
    (POWER, power_of_slope, "missing_factor", "Abs(x[i] - t[i])"),
    (ROOTS, roots_exchanged, "factor", "a and b have changed places"),
    ("tversky", tversky_smoothed_above, "epsilon", "the gradient of another formula: the term eps is missing, in b"),
    (FEW, few_by_row, "extra_factor", "Sum(where(m["),
]


@pytest.mark.parametrize(("formula", "function", "kind", "words"), CASES, ids=lambda c: getattr(c, "__name__", ""))
def test_the_class_of_a_mistake_is_named(formula: Any, function: Any, kind: str, words: str) -> None:
    result = check(formula, function)
    assert not result.passed
    assert result.cause is not None
    assert (result.cause.kind, words in result.cause.detail) == (kind, True), result.text()


@pytest.mark.parametrize(("function", "words"), [(Weighted, "averaged over the samples"), (ByFirst, "first sample")])
def test_an_upstream_that_is_not_of_each_sample_is_found(function: Any, words: str) -> None:
    result = check(POWER, function, framework="torch")
    assert not result.passed
    assert result.cause is not None
    assert result.text().startswith("wrong     upstream")
    assert words in result.cause.detail


def test_the_upstream_of_each_sample_is_right() -> None:
    assert check(POWER, Right, framework="torch").passed


def test_an_inverse_that_raises_where_the_loss_is_infinite_is_not_accused() -> None:
    result = check(VOLUME, volume)
    assert result.passed, result.text()


def test_an_index_in_a_message_is_no_name_of_the_formula() -> None:
    m, n = dim("m"), dim("n")
    i, j, k = idx("i", n), idx("%1", m), idx("%2", n)
    assert shown(mul(get("j", (i,)), reduce("sum", get("k", (j, k)), [j, k])), [i]) == "j[i]*Sum(k[l, p], l, p)"
