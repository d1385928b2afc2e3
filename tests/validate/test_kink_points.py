"""A point exactly on each kink is found, also where the condition is not affine in any one element, and judged."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_text
from symgrad.validate.kink_points import gap_of, kink_points, unreached

FORMULAS = {
    "difference of norms": "loss: relu(norm(x[i, j] - y[i, j], j) - norm(x[i, j] - w[i, j], j) + 1)",
    "norm of a difference": "loss: norm(x[i, j] - y[i, j], j)",
    "norm against a bound": "loss: Max(norm(x[i, j], j), 2)",
    "square": "loss: Sum(Abs(x[i, j]**2 - 4), j)",
    "cube of a sum": "loss: relu(Sum(x[i, j], j)**3 - 8)",
    "product": "loss: Sum(Abs(x[i, j]*y[i, j] - 3), j)",
    "two functions": "loss: Sum(Max(exp(x[i, j]), exp(y[i, j])), j)",
    "tie": "loss: amax(x[i, j]*y[i, j], j)",
    "first of a tie": "loss: amin(x[i, j] + w[i, j], j, ties=first)",
    "branches": "loss: Sum(where(x[i, j] < y[i, j], x[i, j]**2, y[i, j]*x[i, j]), j)",
    "clip": "loss: Sum(clip(x[i, j] - y[i, j], -1, 3/2), j)",
    "rounding": "loss: Sum(x[i, j]*floor(y[i, j]), j)",
}
HEAD = "name: kinked\ninputs: {x: [n, c], y: [n, c], w: [n, c]}\n"


@pytest.mark.parametrize("what", FORMULAS)
def test_every_kink_is_listed_and_a_point_lies_exactly_on_it(what):
    d = derive_formula(read_text(HEAD + FORMULAS[what] + "\n", "kinked.yaml"))
    assert d.kinks
    points = list(kink_points(d.program, d.kinks, 0))
    assert unreached(d.kinks, points) == []
    for kink, point in zip(d.kinks, points, strict=True):
        gap = gap_of(d.program, kink.at, point.inputs, point.parameters)
        assert np.any(gap.array == 0)
        assert gap.closes, "an extreme value is reached once only"


def test_a_kink_that_no_float_lies_on_is_said_to_be_unreached():
    d = derive_formula(read_text(HEAD + "loss: Sum(Abs(exp(x[i, j]) - 2), j)\n", "kinked.yaml"))
    assert unreached(d.kinks, list(kink_points(d.program, d.kinks, 0))) == ["exp(x[i, j]) == 2"]
