"""Ties in closed forms: what is asked for being equal to an extreme value is what the extreme was taken of."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import symgrad
from symgrad.algebra.show import show
from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_mapping

TORN = [
    "(w[k] - w[j])/(1 + softmax(w[k], k)**2)",
    "(w[k] - w[j])*log(1/(1 + exp(-w[k])))",
    "(w[k] - w[j])*exp(w[k])/Sum(exp(w[i]), i)",
]


@pytest.mark.parametrize("body", TORN)
@pytest.mark.parametrize("kind", ["amax", "amin"])
def test_a_value_that_holds_an_extreme_is_defined_by_the_name_whose_ties_are_looked_for(kind: str, body: str) -> None:
    mapping = {
        "name": "torn",
        "inputs": {"M": ["c", "d"], "w": ["c"]},
        "let": {"u[j]": f"{kind}({body}, k) + M[j, 0]"},
        "loss": "Sum(u[s]**2, s)",
    }
    d = derive_formula(read_mapping(mapping))
    where = next(g for g in d.gradients if g.input == "w").where
    found = {w.name: w.body for w in where}
    assert list(found) == ["e", "u"], "names are defined before they are used"
    assert "e" in found["u"].tensors, show(found["u"])


def test_a_difference_of_norms_on_its_margin_is_compared_as_it_is_written() -> None:
    """The form that keeps the digits of u - v rounds, and would call a tie the one side or the other."""
    grad = symgrad.derive("triplet_margin").numpy.grad
    for near, far in combinations(np.arange(1, 24) / 2, 2):  # norms of one element each: exact
        a, p, q = np.zeros((1, 2)), np.array([[near, 0]]), np.array([[0, far]])
        got = grad(a, p, q, margin=far - near)
        assert not any(np.any(g) for g in got), (near, far)
