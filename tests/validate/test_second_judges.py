"""The judges of the second order: Hessians of zero, and places where the gradient has a kink."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad
from symgrad.validate.second.autograd import _beside


@pytest.mark.parametrize("loss", ["Abs(x[i] - t[i])", "Max(x[i], t[i])", "3*x[i]"])
def test_a_loss_whose_hessian_is_0_is_judged(loss: str) -> None:
    inputs = {"x": ["n"], "t": {"shape": ["n"], "given": True}}
    formula = {"name": "flat", "inputs": inputs, "loss": f"{loss} + t[i]"}
    certificate = symgrad.derive(formula, order=2).validate()
    assert certificate.passed
    assert any(j.judge == "second autograd" and j.points > 5 for j in certificate.judges)


@pytest.mark.parametrize(("got", "accepted"), [(0.0, True), (1.0, True), (0.5, True), (0.3, False), (1.1, False)])
def test_beside_a_kink_a_hessian_is_one_of_the_sides_or_midway(got: float, accepted: bool) -> None:
    near = [np.array([0.0, 2.0]), np.array([1.0, 2.0])]
    settled = _beside(np.array([got, 2.5]), np.array([7.0, 2.0]), near)
    assert settled.tolist() == [got if accepted else 7.0, 2.0]


def test_a_formula_that_reads_its_first_row_is_not_asked_for_no_rows() -> None:
    formula = {"name": "first", "inputs": {"x": ["n", "c"]}, "loss": "Sum(x[i, j]*x[0, j], j)"}
    assert symgrad.derive(formula).validate().passed
