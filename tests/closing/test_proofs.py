"""Expected forms that are piecewise: proven by cases, and not where they differ."""

from __future__ import annotations

import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_mapping
from symgrad.rewrite.rule import Rule
from symgrad.rules.comparisons import BOUNDS, BY_CASES
from tests.laws.law import violations

FORMS = {
    "clip(x[i], -1, 1)**2/2": "clip(x[i], -1, 1)*where(Abs(x[i]) <= 1, 1, 0)",
    "x[i]*clip(x[i] + 3, 0, 6)/6": "Piecewise((0, x[i] < -3), (1, x[i] > 3), (x[i]/3 + 1/2, True))",
    "relu(x[i] - 1)": "where(x[i] <= 1, 0, 1)",
    "Max(x[i], 0)": "where(x[i] > 0, 1, where(x[i] == 0, 1/2, 0))",
    "Abs(x[i])": "where(x[i] > 0, 1, where(x[i] < 0, -1, 0))",
}
WRONG = {
    "x[i]*clip(x[i] + 3, 0, 6)/6": "Piecewise((0, x[i] <= -3), (1, x[i] > 3), (x[i]/3 + 1/2, True))",
    "relu(x[i] - 1)": "where(x[i] < 1, 0, 1)",
    "Max(x[i], 0)": "where(x[i] > 0, 1, 0)",
}


def proven(loss: str, expected: str) -> bool | None:
    mapping = {"name": "f", "inputs": {"x": ["n"]}, "loss": f"Sum({loss}, i)", "expect": {"x[i]": expected}}
    return derive_formula(read_mapping(mapping)).expected[0].proven


@pytest.mark.parametrize("loss", FORMS)
def test_a_piecewise_form_is_proven_by_cases(loss: str) -> None:
    assert proven(loss, FORMS[loss])


@pytest.mark.parametrize("loss", WRONG)
def test_a_form_that_differs_at_one_border_is_not_proven(loss: str) -> None:
    assert not proven(loss, WRONG[loss])


@pytest.mark.parametrize("rule", [*BOUNDS, *BY_CASES], ids=lambda r: r.name)
def test_a_rule_of_proofs_does_what_its_record_says(rule: Rule) -> None:
    assert not list(violations(rule))
