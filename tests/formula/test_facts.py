"""Domains and assumptions become facts, with texts that can be read and an honest `usable`."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import add, compare, reduce
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, dim, get, idx, par
from symgrad.formula.expression import program_environment, read_condition
from symgrad.formula.program import Fact, Formula
from symgrad.formula.reader import read_text
from symgrad.formula.source import loose

n, c = dim("n"), dim("c")
i, j = idx("i", n), idx("j", c)


def read(inputs: str, more: str = "loss: Sum(z[i, j], i, j)") -> Formula:
    return read_text(f"name: f\ninputs: {inputs}\n{more}\n", "f.yaml")


def facts(inputs: str, more: str = "loss: Sum(z[i, j], i, j)") -> dict[str, Fact]:
    return {f.text: f for f in read(inputs, more).program.facts}


def test_a_simplex_sums_to_one_and_is_not_negative() -> None:
    found = facts("{z: [n, c], t: {shape: [n, c], domain: simplex, given: true}}", "loss: -Sum(t[i, j]*z[i, j], j)")
    assert list(found) == ["t[i, j] >= 0", "t[i, j] <= 1", "Sum(t[i, j], j) == 1"]
    fact = found["Sum(t[i, j], j) == 1"]
    assert fact.condition is compare("==", reduce("sum", get("t", (i, j)), [j]), ONE)
    assert fact.source == "t is a simplex"
    assert fact.usable


def test_equations_of_a_differentiated_input_are_not_usable_but_inequalities_are() -> None:
    found = facts("{z: {shape: [n, c], domain: simplex}}")
    assert {text: f.usable for text, f in found.items()} == {
        "z[i, j] >= 0": True,
        "z[i, j] <= 1": True,
        "Sum(z[i, j], j) == 1": False,
    }


def test_a_real_input_that_is_not_differentiated_counts_as_given() -> None:
    found = facts("{z: [n, c], w: {shape: [n, c], domain: simplex}}", "gradient: [z]\nloss: Sum(z[i, j]*w[i, j], i, j)")
    assert found["Sum(w[i, j], j) == 1"].usable


DOMAINS = {
    "positive": ["z[i, j] > 0"],
    "nonnegative": ["z[i, j] >= 0"],
    "unit_interval": ["z[i, j] >= 0", "z[i, j] <= 1"],
    "'interval(-1, 1/2)'": ["z[i, j] >= -1", "z[i, j] <= 1/2"],
    "greater_than(2)": ["z[i, j] > 2"],
    "boolean": ["z[i, j] >= 0", "z[i, j] <= 1", "z[i, j]**2 == z[i, j]"],
    "one_hot": ["z[i, j] >= 0", "z[i, j] <= 1", "z[i, j]**2 == z[i, j]", "Sum(z[i, j], j) == 1"],
    "sphere": ["Sum(z[i, j]**2, j) == 1"],
    "real": [],
}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_gives_its_facts_in_the_letters_of_the_formula(domain: str) -> None:
    f = read(f"{{z: {{shape: [n, c], domain: {domain}}}}}")
    assert [fact.text for fact in f.program.facts] == DOMAINS[domain]
    for fact in f.program.facts:
        assert read_condition(loose(fact.text), program_environment(f.program)).body is fact.condition


MATRICES = {
    "symmetric": ["A[a, b] == A[b, a]"],
    "positive_definite": ["A[a, b] == A[b, a]", "A[a, a] > 0"],
    "lower_triangular": ["Or(b <= a, A[a, b] == 0)"],
    "orthogonal": ["Sum(A[i, a]*A[i, b], i) == where(a == b, 1, 0)"],
}


@pytest.mark.parametrize("domain", MATRICES)
def test_a_matrix_domain_speaks_of_the_last_two_axes(domain: str) -> None:
    f = read(f"{{A: {{shape: [d, d], domain: {domain}, given: true}}, x: [d]}}", "loss: Sum(x[a]*A[a, b]*x[b], a, b)")
    assert [fact.text for fact in f.program.facts] == MATRICES[domain]
    for fact in f.program.facts:
        assert read_condition(loose(fact.text), program_environment(f.program)).body is fact.condition


def test_letters_of_a_fact_meet_no_name_of_the_formula() -> None:
    found = facts("{i: [n, c], j: {shape: [n], domain: positive}}", "loss: Sum(i[a, b]*j[0], a, b)")
    assert list(found) == ["j[k] > 0"]


def test_an_int_input_that_only_gathers_ranges_over_the_axis_that_it_subscripts() -> None:
    f = read("{z: [n, c], t: {shape: [n], dtype: int}}", "loss: -z[i, t[i]]")
    assert f.program.input("t").domain.bounds == (ZERO, add(c, MINUS_ONE))
    assert [fact.text for fact in f.program.facts] == ["t[i] >= 0", "t[i] <= c - 1"]


def test_parameters_carry_their_facts() -> None:
    more = "parameters: {delta: {value: 1, domain: positive}}\nloss: Sum(delta*z[i, j], i, j)"
    (fact,) = facts("{z: [n, c]}", more).values()
    assert fact.condition is compare("<", ZERO, par("delta"))
    assert (fact.text, fact.source) == ("delta > 0", "delta is positive")


def test_assumptions_keep_their_text_and_are_not_usable_where_they_bind_what_is_differentiated() -> None:
    more = (
        "let:\n  p[i, j]: z[i, j]**2\n"
        "assume: ['Sum(p[i, j], j) == 1', 'Sum(t[i, j], j) == 1', 'z[i, j] > 2', n == c*2]\n"
        "loss: Sum(p[i, j]*t[i, j], j)"
    )
    found = facts("{z: [n, c], t: {shape: [n, c], given: true}}", more)
    assert {text: f.usable for text, f in found.items()} == {
        "Sum(p[i, j], j) == 1": False,
        "Sum(t[i, j], j) == 1": True,
        "z[i, j] > 2": True,
        "n == c*2": True,
    }


def test_what_is_always_true_is_no_fact() -> None:
    assert facts("{z: [n, c]}", "assume: [1 == 1, n == n]\nloss: Sum(z[i, j], j)") == {}
