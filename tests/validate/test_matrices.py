"""Functions of matrices in the evaluators, and the data at which they are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgrad.formula.program import Program
from symgrad.formula.reader import read_mapping
from symgrad.validate.conditioning import condition
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.extents import choose_extents
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.sampling import sample_inputs
from symgrad.validate.special_points import special_points
from symgrad.validate.torch_backend import TorchBackend


def program(inputs: dict[str, Any], loss: str) -> Program:
    return read_mapping({"name": "f", "inputs": inputs, "loss": loss}).program


@pytest.mark.parametrize(
    "loss",
    ["det(X)", "log(Abs(det(X)))", "Sum(inv(X)**2)", "trace(inv(X))", "Sum(solve(X, X @ X))", "logdet(X.T @ X)"],
)
def test_the_backends_agree(loss: str) -> None:
    p = program({"X": ["n", "n"]}, loss)
    x = {"X": np.random.default_rng(3).standard_normal((4, 4))}
    exact = float(evaluate_program(p, x, backend=MpmathBackend(40))["loss"])
    for backend in (None, TorchBackend()):
        assert abs(float(evaluate_program(p, x, backend=backend)["loss"]) - exact) <= 1e-10 * (1 + abs(exact))


@pytest.mark.parametrize("backend", [None, MpmathBackend(30), TorchBackend()])
def test_what_has_no_value_is_not_finite(backend: Any) -> None:
    singular = {"X": np.array([[1.0, 2.0], [1.0, 2.0]])}
    assert float(evaluate_program(program({"X": ["n", "n"]}, "det(X)"), singular, backend=backend)["loss"]) == 0
    for loss in ("Sum(inv(X))", "logdet(X)", "logdet(-X @ X.T - X)"):
        value = float(evaluate_program(program({"X": ["n", "n"]}, loss), singular, backend=backend)["loss"])
        assert not np.isfinite(value), loss


def test_torch_has_the_gradient_of_a_determinant_at_a_singular_matrix() -> None:
    import torch

    x = torch.tensor([[1.0, 2.0], [1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    value = evaluate_program(program({"X": ["n", "n"]}, "det(X)"), {"X": x}, backend=TorchBackend())["loss"]
    (grad,) = torch.autograd.grad(value, [x])
    assert grad.tolist() == [[2.0, -1.0], [-2.0, 1.0]]


def test_an_inverted_input_is_well_conditioned_and_a_logdet_has_a_value() -> None:
    p = program({"X": ["n", "n"], "Y": ["n", "n"]}, "logdet(X) + trace(inv(Y))")
    for seed in range(20):
        data = sample_inputs(p, {"n": 4}, (), np.random.default_rng(seed))
        assert condition(p, data, {}) < 10


def test_sizes_at_which_a_matrix_is_always_singular_are_not_taken() -> None:
    p = program({"X": ["m", "n"]}, "logdet(X.T @ X)")
    for variant in (0, 1):
        dims = choose_extents(p, variant)
        assert dims["m"] >= dims["n"]


def test_a_determinant_is_looked_at_where_it_is_zero() -> None:
    p = program({"X": ["n", "n"]}, "det(X)")
    at = next(q for q in special_points(p, 0) if "singular" in q.label)
    assert np.linalg.matrix_rank(at.inputs["X"]) == len(at.inputs["X"]) - 1
