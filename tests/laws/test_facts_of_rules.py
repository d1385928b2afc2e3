"""Rules that look at signs leave a term alone where the sign is not declared, or not strict enough."""

from __future__ import annotations

import pytest

from symgrad.algebra.show import show
from symgrad.closing.derivation import FORWARD_RULES, derive_formula
from symgrad.closing.facts import INFERRED, NORMALIZED
from symgrad.closing.refold import REFOLD
from symgrad.formula.reader import read_text
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Example
from symgrad.rules.elementary import ELEMENTARY
from symgrad.rules.sums import EXPAND, SOLVE_AFFINE
from tests.laws.law import read, surroundings

EVERYTHING = (*FORWARD_RULES, *ELEMENTARY, *EXPAND, SOLVE_AFFINE, NORMALIZED, INFERRED, *REFOLD)
INPUTS = """{x: [n, c], p: {shape: [n], domain: positive}, g: {shape: [n], domain: nonnegative},
             u: {shape: [n], domain: unit_interval}, b: {shape: [n], domain: boolean, given: true},
             h: {shape: [n], domain: boolean}, t: {shape: [n, c], domain: simplex, given: true},
             q: {shape: [n, c], domain: simplex}}"""


def normal(text: str) -> str:
    context = surroundings(Example(text, text, INPUTS))
    return show(rewrite(read(text, context.program), EVERYTHING, context))


@pytest.mark.parametrize(
    "text",
    [
        "log(x[i, 0]*x[i, 1])",
        "log(x[i, 0]**2)",
        "log(x[i, 0]*exp(x[i, 1]))",
        "sqrt(x[i, 0]*x[i, 1])",
        "sign(g[i])",
        "sign(u[i])",
        "Abs(x[i, 0])",
        "sign(x[i, 0])**2",
        "Product(x[i, j], j)",
        "log(Sum(x[i, j]*exp(x[i, j]), j))",
        "h[i]**2",
        "Sum(q[i, j], j)",
        "Sum(t[i, j], i)",
        "Sum(t[i, j]**2, j)",
        "where(x[i, 0] < 0, x[i, 0], 0)",
    ],
)
def test_a_term_without_the_fact_stays(text: str) -> None:
    assert normal(text) == text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("sign(p[i])", "1"),
        ("Abs(g[i])", "g[i]"),
        ("Abs(p[i]*x[i, 0])", "p[i]*Abs(x[i, 0])"),
        ("sign(p[i]*x[i, 0])", "sign(x[i, 0])"),
        ("sqrt(p[i]**2)", "p[i]"),
        ("sqrt(g[i]**2)", "g[i]"),
        ("sqrt(p[i]*x[i, 0])", "sqrt(p[i])*sqrt(x[i, 0])"),
        ("log(p[i]*exp(x[i, 0]))", "log(p[i]) + x[i, 0]"),
        ("log(2*exp(x[i, 0]))", "log(2) + x[i, 0]"),
        ("b[i]**2", "b[i]"),
        ("Sum(t[i, j], j)", "1"),
        ("Sum(p[i]*t[i, j], j)", "p[i]"),
        ("Sum(t[i, j]*x[i, k], j, k)", "Sum(x[i, j], j)"),
    ],
)
def test_a_declared_fact_is_used(text: str, after: str) -> None:
    from symgrad.closing.facts import fact_rules

    context = surroundings(Example(text, text, INPUTS))
    rules = (*EVERYTHING, *fact_rules(context))
    assert show(rewrite(read(text, context.program), rules, context)) == after


def test_an_idempotent_weight_is_named_among_the_facts_assumed():
    text = """name: seen
inputs: {x: [n], s: {shape: [n], domain: boolean, given: true}}
let: {"e[i]": "s[i]*sin(x[i])"}
loss: "Sum(e[i]**2, i)"
"""
    d = derive_formula(read_text(text, "seen.yaml"))
    assert [f.text for f in d.assumed] == ["s[i]**2 == s[i]"]
    assert [f.text for f in derive_formula(read_text(text.replace("e[i]**2", "exp(e[i])"), "seen.yaml")).assumed] == []
