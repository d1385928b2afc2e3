"""Every rule fires in the derivation of some formula: one of the catalogue, or one of these."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.closing.rulebook import ALL, RULES_BY_NAME
from symgrad.formula.reader import read_file, read_text

CATALOGUE = Path(__file__).parents[2] / "formulas"
ROWS = "inputs: {x: [n, c]}\n"

USES: dict[str, str] = {
    "stabilize/softmax": ROWS + 'output: {"y[i, j]": "exp(x[i, j])/Sum(exp(x[i, k]), k)"}',
    "stabilize/sigmoid": ROWS + 'output: {"y[i, j]": "1/(1 + exp(-x[i, j]))"}',
    "stabilize/log1p": ROWS + 'output: {"y[i, j]": "log1p(exp(x[i, j]))"}',
    "stabilize/exp-sigmoid": ROWS + 'output: {"y[i, j]": "exp(x[i, j])*sigmoid(-x[i, j])"}',
    "stabilize/named-exp": 'inputs: {x: [n, c], z: [n, c]}\nlet: {"e[i, j]": "exp(x[i, j])"}\noutput: {"y[i, j]": "e[i, j]*exp(-z[i, j])"}',
    "lse/shift": 'inputs: {x: [n, c], v: [n]}\noutput: {"y[i]": "logsumexp(x[i, j] + v[i], j)"}',
    "fact/normalized": 'inputs: {x: [n, c], v: [n]}\nlet: {"l[i]": "logsumexp(x[i, k], k)"}\noutput: {"y[i]": "v[i]*Sum(exp(x[i, j] - l[i]), j)"}',
    "power/split": 'inputs: {x: [n, c], p: {shape: [n], domain: positive}}\noutput: {"y[i, j]": "sqrt(p[i]*(1 + x[i, j]**2))"}',
    "power/even": ROWS + 'output: {"y[i, j]": "Abs(x[i, j])**3"}',
    "sign/abs": ROWS + 'output: {"y[i, j]": "Abs(x[i, j])*sign(x[i, j])*x[i, j]"}',
    "sign/known": 'inputs: {p: {shape: [n], domain: positive}}\noutput: {"y[i]": "Abs(p[i])"}',
    "tanh/ratio": 'inputs: {x: [n], z: [n]}\noutput: {"y[i]": "z[i]*sinh(x[i])/cosh(x[i])"}',
    "function/relu": ROWS + 'output: {"y[i, j]": "relu(x[i, j])**2"}',
    "bracket/branch": ROWS + 'output: {"y[i, j]": "where(x[i, j] > 0, x[i, j]**2, x[i, j])*where(x[i, j] > 0, x[i, j], 0)"}',
    "bracket/inside": ROWS + 'output: {"y[i, j]": "where(x[i, j] > 0, exp(where(x[i, j] > 0, x[i, j]**2, 0)), 0)"}',
    "bracket/exclude": ROWS + 'output: {"y[i, j]": "relu(x[i, j])*relu(-x[i, j]) + x[i, j]"}',
    "bracket/absorb": 'inputs: {x: [n, n]}\noutput: {"y[i, j]": "softmax(Piecewise((x[i, j], j <= i), (-oo, True)), j)"}',
    "norm/guard": ROWS + 'output: {"y[i]": "norm(x[i, j], j)**3"}',
    "delta/solve-affine": (
        'inputs: {x: [n], k: [r]}\nranges: {p: n - r + 1}\noutput: {"y[p]": "Sum(k[q]*x[p + q], q)"}'
    ),
    "fact/zero-one": 'inputs: {x: [n], t: {shape: [n], domain: boolean, given: true}}\nloss: "t[i]**2*x[i]"',
}


@cache
def used_by_the_catalogue() -> frozenset[str]:
    return frozenset(
        s.rule.name for path in sorted(CATALOGUE.rglob("*.yaml")) for s in derive_formula(read_file(str(path))).steps
    )


@pytest.mark.parametrize("name", USES)
def test_a_rule_fires_in_a_formula_made_for_it(name: str) -> None:
    steps = derive_formula(read_text(f"name: use\n{USES[name]}\n", name)).steps
    assert name in {s.rule.name for s in steps}


def test_every_rule_is_used() -> None:
    assert {r.name for r in ALL} - used_by_the_catalogue() - set(USES) == set()


def test_every_step_bears_a_rule_of_the_book() -> None:
    assert used_by_the_catalogue() <= set(RULES_BY_NAME)
