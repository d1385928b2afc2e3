"""`expect` of what flows back into a named value, back through time too: `dh[t, j]: dy[t, j] + ...`."""

from __future__ import annotations

from typing import Any

import pytest

import symgrad
from symgrad.closing.derivation import derive_formula
from symgrad.errors import FormulaError, UnsupportedError, VerdictError
from symgrad.formula.reader import read_mapping

CELL: dict[str, Any] = {
    "name": "cell",
    "inputs": {"x": ["T", "n"], "w": ["n"]},
    "scan": {"h[t, j]": {"first": "tanh(x[0, j])", "next": "tanh(w[j]*h[t - 1, j] + x[t, j])"}},
    "output": {"y[t, j]": "h[t, j]"},
}
BACK = "dy[t, j] + w[j]*(1 - h[t + 1, j]**2)*dh[t + 1, j]"
INPUT = "(1 - h[t, j]**2)*dh[t, j]"
AVERAGE: dict[str, Any] = {
    "name": "average",
    "inputs": {"x": ["T", "n"]},
    "parameters": {"a": {"value": 0.9, "domain": "unit_interval"}},
    "scan": {"s[t, j]": {"first": "x[0, j]", "next": "a*s[t - 1, j] + x[t, j]"}},
    "output": {"y[t, j]": "s[t, j]"},
}
LAYERS: dict[str, Any] = {
    "name": "layers",
    "inputs": {"x": {"shape": ["n", "d"], "given": True}, "W": ["m", "d"], "V": ["m"]},
    "let": {"a[i, j]": "Sum(W[j, l]*x[i, l], l)", "h[i, j]": "tanh(a[i, j])"},
    "loss": "Sum(V[j]*h[i, j], j)**2/2",
}


def proven(formula: dict[str, Any], expect: dict[str, str]) -> dict[str, bool | None]:
    d = derive_formula(read_mapping({**formula, "expect": expect}))
    return {e.input: e.proven for e in d.expected}


def test_a_recurrence_back_through_time_is_proven() -> None:
    assert proven(CELL, {"dh[t, j]": BACK, "x[t, j]": INPUT}) == {"dh": True, "x": True}


def test_a_recurrence_may_run_in_another_quantity_than_the_derivation_s() -> None:
    """The delta of the preactivation, named under scan: delta = (1 - h**2) (dy + w delta at t + 1)."""
    entries = {"first": "x[0, j]", "next": "w[j]*h[t - 1, j] + x[t, j]"}
    cell = {**CELL, "scan": {"p[t, j]": entries, "h[t, j]": "tanh(p[t, j])"}}
    delta = "(1 - h[t, j]**2)*(dy[t, j] + w[j]*dp[t + 1, j])"
    assert proven(cell, {"dp[t, j]": delta, "x[t, j]": "dp[t, j]"}) == {"dp": True, "x": True}


def test_a_sum_over_all_later_steps_is_proven_by_induction() -> None:
    explicit = "Sum(where(u >= t, a**(u - t)*dy[u, j], 0), u)"
    assert proven(AVERAGE, {"ds[t, j]": explicit, "x[t, j]": "ds[t, j]"}) == {"ds": True, "x": True}


def test_what_flows_back_through_the_layers_of_a_network_is_proven() -> None:
    forms = {
        "dh[i, j]": "Sum(V[l]*h[i, l], l)*V[j]/n",
        "da[i, j]": "(1 - h[i, j]**2)*dh[i, j]",
        "W[j, l]": "Sum(da[i, j]*x[i, l], i)",
    }
    assert proven(LAYERS, forms) == dict.fromkeys(("dh", "da", "W"), True)


@pytest.mark.parametrize(
    ("formula", "expect"),
    [
        (CELL, {"dh[t, j]": BACK.replace("h[t + 1, j]**2", "h[t, j]**2")}),
        (CELL, {"dh[t, j]": BACK.replace("w[j]", "w[j]**2")}),
        (CELL, {"dh[t, j]": "dy[t, j]"}),
        (CELL, {"x[t, j]": "dh[t, j]"}),
        (AVERAGE, {"ds[t, j]": "Sum(where(u > t, a**(u - t)*dy[u, j], 0), u)"}),
        (AVERAGE, {"ds[t, j]": "Sum(where(u >= t, a**(u - t + 1)*dy[u, j], 0), u)"}),
        (LAYERS, {"da[i, j]": "dh[i, j]"}),
    ],
)
def test_a_wrong_expectation_is_refused_with_a_point(formula: dict[str, Any], expect: dict[str, str]) -> None:
    assert not any(proven(formula, expect).values())
    name = next(iter(expect)).partition("[")[0]
    with pytest.raises(VerdictError, match=rf"(?s){name} is not what `expect` says.*derived .*, expected .*point"):
        symgrad.derive({**formula, "expect": expect})


@pytest.mark.parametrize("body", ["dh[t, j]", "dy[t, j] + w[j]*dh[t, j]"])
def test_what_is_expected_in_terms_of_itself_at_one_step_is_refused(body: str) -> None:
    with pytest.raises(FormulaError, match="in terms of itself") as caught:
        read_mapping({**CELL, "expect": {"dh[t, j]": body}})
    assert "dh[t + 1, ...]" in str(caught.value)


def test_two_expectations_that_define_each_other_are_refused() -> None:
    with pytest.raises(FormulaError, match="in terms of itself"):
        read_mapping({**LAYERS, "expect": {"dh[i, j]": "da[i, j]", "da[i, j]": "dh[i, j]"}})


def test_the_error_for_a_value_on_the_left_names_what_flows_back_into_it() -> None:
    with pytest.raises(FormulaError, match=r"(?s)h is a value of the formula.*dh\[\.\.\.\]: expression"):
        read_mapping({**CELL, "expect": {"h[t, j]": "dy[t, j]"}})


def test_a_value_that_the_derivation_looks_through_has_no_name_for_it() -> None:
    """log y of a softmax y is a log-softmax: what the textbook calls dy does not occur."""
    formula = {
        "name": "ce",
        "inputs": {"z": ["n", "c"], "t": {"shape": ["n", "c"], "domain": "simplex", "given": True}},
        "let": {"y[i, j]": "softmax(z[i, j], j)"},
        "loss": "-Sum(t[i, j]*log(y[i, j]), j)",
        "expect": {"dy[i, j]": "-t[i, j]/(n*y[i, j])"},
    }
    with pytest.raises(UnsupportedError, match="looks through y"):
        derive_formula(read_mapping(formula))


def test_an_input_of_the_name_of_a_cotangent_is_that_input() -> None:
    formula = {**LAYERS, "inputs": {**LAYERS["inputs"], "dh": ["m"]}, "loss": "Sum(V[j]*h[i, j]*dh[j], j)"}
    assert proven(formula, {"dh[j]": "Sum(h[i, j], i)*V[j]/n"}) == {"dh": True}


def test_two_numbers_are_shown_with_the_digits_that_tell_them_apart() -> None:
    with pytest.raises(VerdictError) as caught:
        symgrad.derive({**CELL, "expect": {"x[t, j]": f"{INPUT} + 1e-7*dy[t, j]"}})
    got, wanted = str(caught.value).partition("derived ")[2].partition(" (")[0].split(", expected ")
    assert got != wanted
