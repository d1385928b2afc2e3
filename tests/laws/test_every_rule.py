"""One test over all rules: each does what its record says, keeps the value, and fires only with its facts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symgrad.algebra.build import fn, mul, open_reduction, power, reduce
from symgrad.algebra.show import show
from symgrad.algebra.terms import ONE, Term, factors_of
from symgrad.calculus.chain import CHAIN, COLUMN, TANGENT
from symgrad.closing.derivation import derive_formula
from symgrad.closing.facts import FACT
from symgrad.closing.rulebook import ALL, RULES_BY_NAME
from symgrad.formula.reader import read_mapping
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.matrices import NO_ADJUGATE
from symgrad.rules.unguarded import UNGUARDED
from tests.laws.law import Disagreement, different_values, disagreements, read, surroundings, violations

CALCULUS = (CHAIN, TANGENT, COLUMN)
"""They relate a name to what the calculus makes of it."""

DROP_GUARDS = (*UNGUARDED, NO_ADJUGATE)
"""Rules for people: what they write has no value at a kink, or where a matrix is singular."""


@pytest.mark.parametrize("rule", [r for r in ALL if r not in (*CALCULUS, *DROP_GUARDS)], ids=lambda r: r.name)
def test_a_rule_does_what_its_record_says(rule: Rule) -> None:
    assert not list(violations(rule))


def _disagreements(rule: Rule) -> list[Disagreement]:
    """Where the two sides of a rule's own example differ, at many points."""
    context = surroundings(rule.example)
    return list(disagreements(context, *_sides(rule.example), points=40))


@pytest.mark.parametrize("rule", DROP_GUARDS, ids=lambda r: r.name)
def test_a_rule_that_drops_a_guard_is_wrong_about_nothing_but_its_values(rule: Rule) -> None:
    assert all(" is nan at " in v for v in violations(rule))


@pytest.mark.parametrize("rule", UNGUARDED, ids=lambda r: r.name)
def test_a_rule_that_drops_a_guard_differs_where_the_guard_gives_0_alone(rule: Rule) -> None:
    found = _disagreements(rule)
    assert found
    assert all(d.before == 0 and not np.isfinite(float(d.after)) for d in found)


def test_a_determinant_times_an_inverse_differs_from_the_adjugate_at_singular_matrices_alone() -> None:
    found = _disagreements(NO_ADJUGATE)
    assert found
    assert all(d.after != d.after and np.linalg.matrix_rank(d.inputs["X"]) < len(d.inputs["X"]) for d in found)


def test_the_chain_rule_does_what_its_record_says() -> None:
    example = CHAIN.example
    lets = surroundings(example).program.statements[:-1]
    mapping = {
        "name": "chain",
        "inputs": {"x": ["n", "c"], "z": ["n", "c"]},
        "let": {"u[i, j]": "x[i, j]*z[i, j]"},
        "output": {"y[i, j]": "exp(u[i, j])"},
    }
    program = read_mapping(mapping).program
    assert [s.body for s in program.statements] == [s.body for s in lets]
    derivation = derive_formula(read_mapping(mapping))
    step = next(s for s in derivation.steps if s.rule is CHAIN and s.subject == "u")
    context = surroundings(replace(example, inputs="{x: [n, c], z: [n, c], du: [n, c], dy: [n, c]}"))
    assert step.before is read(example.before, context.program)
    assert show(step.after) == example.after


@pytest.mark.parametrize("rule", [TANGENT, COLUMN], ids=lambda r: r.name)
def test_the_rules_of_the_second_order_do_what_their_records_say(rule: Rule) -> None:
    loss = {"name": "exponential", "inputs": {"x": ["n", "c"]}, "loss": "Sum(exp(x[i, j]), i, j)"}
    step = next(s for s in derive_formula(read_mapping(loss), order=2).steps if s.rule is rule)
    assert (show(step.before), show(step.after)) == (rule.example.before, rule.example.after)
    assert not list(different_values(surroundings(rule.example), *_sides(rule.example)))


def _sides(example: Example) -> tuple[Term, Term]:
    program = surroundings(example).program
    return read(example.before, program), read(example.after, program)


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len(RULES_BY_NAME) == len(ALL)


# ---- planted faults -------------------------------------------------------------------------------------------------


def _planted(name: str, match: object, **changes: object) -> Rule:
    return replace(RULES_BY_NAME[name], match=match, **changes)  # type: ignore[arg-type]


def _sigmoid_of_the_same_sign(t: Term, context: Context) -> Term | None:
    """1 - sigmoid(x) = sigmoid(x): wrong."""
    if t.op == "add" and ONE in t.args and len(t.args) == 2:
        return fn("sigmoid", t.args[0].args[-1].args[0] if t.args[0] is not ONE else t.args[1].args[-1].args[0])
    return None


def _separate_without_the_extent(t: Term, context: Context) -> Term | None:
    """sum_j a = a: wrong (pitfall 1)."""
    if t.op != "red" or t.data != "sum":
        return None
    body, variables = open_reduction(t, context.fresh)
    outside = [f for f in factors_of(body) if not f.free & set(variables)]
    if not outside:
        return None
    inside = mul(*(f for f in factors_of(body) if f not in outside))
    used = [v for v in variables if v in inside.free]
    return mul(*outside, reduce("sum", inside, used))


def _root_of_a_square(t: Term, context: Context) -> Term | None:
    """(x**2)**(1/2) = x: wrong for negative x."""
    if t.op == "pow" and t.args[0].op == "pow":
        return power(t.args[0].args[0], mul(t.args[0].args[1], t.args[1]))
    return None


def _modulus_of_anything(t: Term, context: Context) -> Term | None:
    """|x| = x without a fact: wrong."""
    return t.args[0] if t.op == "fn" and t.data == "Abs" else None


PLANTED = {
    "a wrong value": (
        _planted(
            "stabilize/one-minus-sigmoid",
            _sigmoid_of_the_same_sign,
            example=Example("1 - sigmoid(x[i, j])", "sigmoid(x[i, j])"),
        ),
        "is ",
    ),
    "an absent index": (
        _planted(
            "sum/separate",
            _separate_without_the_extent,
            example=Example("Sum(x[i, 0]*z[l, k], (j, 0, c - 1), k)", "x[i, 0]*Sum(z[l, k], k)"),
        ),
        " is ",
    ),
    "negative numbers": (
        _planted("power/join", _root_of_a_square, needs=(), example=Example("sqrt(x[i, j]**2)", "x[i, j]")),
        " is ",
    ),
    "another example": (
        replace(RULES_BY_NAME["tanh/ratio"], example=Example("sinh(x[i, j])/cosh(x[i, j])", "tanh(z[i, j])")),
        "becomes",
    ),
    "a fact not needed": (_planted("sign/known", _modulus_of_anything), "without the facts"),
    "never firing": (_planted("sign/abs", lambda t, context: None), "does not fire"),
    "an operation not named": (replace(RULES_BY_NAME["sign/abs"], on=("add",)), "does not fire"),
    "no end": (
        _planted(
            "product/distribute",
            lambda t, context: fn("sinh", t),
            on=("get",),
            example=Example("x[i, j]", "sinh(x[i, j])"),
        ),
        "again",
    ),
    "a fact of nobody": (replace(FACT, name="fact/invented"), "does not fire"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_seen(fault: str) -> None:
    rule, complaint = PLANTED[fault]
    assert any(complaint in v for v in violations(rule)), list(violations(rule))
