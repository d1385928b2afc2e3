"""Definitions beside a closed form say how far their indices run, or what sums over them states its limits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from symgrad.algebra.terms import dim, get, idx
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.closing.parts import Definition, stated_axes
from symgrad.document import gradient
from symgrad.formula.reader import read_mapping
from symgrad.report.contents import derivation_notation

OF_A_SUM = {
    "name": "f",
    "inputs": {"v": ["n"], "w": ["c"], "x": ["n", "c"]},
    "let": {"b[j]": "Sum(Sum(where(k <= j, v[q], w[j]), q), (k, 0, c - 1))"},
    "output": {"o[p, s]": "sin(b[p]*x[s, p])*tanh(b[p])"},
}
"""What flows back into each summand is the same number: it differs along j alone."""


def _derived(mapping: Mapping[str, object]) -> Derivation:
    return derive_formula(read_mapping(mapping))


def test_what_flows_back_into_the_summands_of_a_sum_has_no_axis_for_them() -> None:
    d = _derived(OF_A_SUM)
    sizes = {s.name: len(s.indices) for s in d.backward}
    assert {n: k for n, k in sizes.items() if n.startswith("dtotal")} == {"dtotal": 1}
    for s in d.backward:
        if s.name not in d.gradient_of.values():
            assert set(s.indices) <= s.body.free


@pytest.mark.parametrize("batch", ["Sum(1/n, (k, 0, d - 1))", "exp(-1)*Sum(s0, (k, 0, d - 1))"])
def test_a_batch_that_its_definition_does_not_read_is_written_out(batch: str) -> None:
    mapping = {
        "name": "f",
        "inputs": {"x": ["...", "n"], "w": ["...", "d"], "s0": []},
        "let": {"b[...]": f"where(1 > 1, Sum(w[..., i], i), {batch})"},
        "output": {"y[..., i]": "exp(b[...]*sin(x[..., i]))*b[...]"},
    }
    d = _derived(mapping)
    notation = derivation_notation(d)
    for g in d.gradients:
        assert "b[...]" not in str(gradient(g, d.formula, notation))


def test_a_sum_over_an_axis_that_a_definition_leaves_open_states_its_limits() -> None:
    i, j = idx("i", dim("n")), idx("j", dim("m"))
    open_ = Definition("u", (i, j), get("x", (i,)), True)
    reads = Definition("v", (i, j), get("u", (i, j)), True)
    own = Definition("a", (i, j), get("x", (i,)), False)
    axes = stated_axes((open_, reads, own), {"x": (dim("n"),)})
    said = {name: [str(e) for e in axes[name]] for name in ("u", "v", "a")}
    assert said == {"u": ["n", "0"], "v": ["n", "0"], "a": ["n", "m"]}


def test_a_value_of_the_formula_that_its_definition_does_not_range_over_is_written_out() -> None:
    mapping = {
        "name": "f",
        "inputs": {
            "x": ["n", "c"],
            "w": ["c"],
            "s": [],
            "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"},
        },
        "let": {
            "a[i]": "Piecewise((2*s, w[i] > w[i]), (gelu(s), True))",
            "b[i, p]": "log(1 + a[t[p]]**2) + x[p, i]",
        },
        "loss": "Sum(b[i, q]**2, i)",
    }
    d = _derived(mapping)
    notation = derivation_notation(d)
    for g in d.gradients:
        assert "a[" not in str(gradient(g, d.formula, notation)["where"])
