"""A sign that a domain declares and a rule relies on is reported as assumed; else the judge of facts refuses it."""

from __future__ import annotations

from typing import Any

import pytest

import symgrad

POSITIVE, NONNEGATIVE = {"shape": ["n"], "domain": "positive"}, {"shape": ["n"], "domain": "nonnegative", "given": True}
CASES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"x": POSITIVE}, "Abs(x[i])", ["x[i] > 0"]),
    ({"x": POSITIVE}, "relu(x[i])", ["x[i] > 0"]),
    ({"x": ["n"], "t": NONNEGATIVE}, "Abs(t[i])*x[i]", ["t[i] >= 0"]),
    ({"x": ["n"], "t": NONNEGATIVE}, "sqrt(t[i]**2)*x[i]", ["t[i] >= 0"]),
    ({"x": POSITIVE, "t": NONNEGATIVE}, "where(t[i] > 0, t[i]*log(x[i]), 0)", ["t[i] >= 0"]),
    ({"x": {"shape": ["n"], "domain": "interval(1, 2)"}}, "where(x[i] > 0, x[i]**2, 7)", ["x[i] >= 1"]),
    ({"x": POSITIVE, "t": NONNEGATIVE}, "t[i]*exp(x[i])", []),
]


@pytest.mark.parametrize(("inputs", "y", "assumed"), CASES, ids=[y for _, y, _ in CASES])
def test_a_sign_that_a_rule_relies_on_is_assumed(inputs: dict[str, Any], y: str, assumed: list[str]) -> None:
    result = symgrad.derive({"name": "f", "inputs": inputs, "output": {"y[i]": y}})
    assert [f.text for f in result.derivation.assumed] == assumed
    certificate = result.validate()
    assert certificate.passed, certificate.failure
