"""Ties in closed forms: what is asked for being equal to an extreme value is what the extreme was taken of."""

from __future__ import annotations

import pytest

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
