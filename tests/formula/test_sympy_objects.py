"""Formulas from SymPy objects mean what the same text means."""

from __future__ import annotations

import pytest
import sympy
from sympy import Idx, IndexedBase, Integer, KroneckerDelta, Max, Piecewise, Rational, Sum, exp, log, oo, sqrt, symbols

import symgrad
from symgrad.errors import FormulaError
from symgrad.formula.program import Formula
from symgrad.formula.reader import read_mapping, read_text
from symgrad.formula.sympy_objects import build_formula, text_of

n, c = symbols("n c", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", c), Idx("k", c)
z, t = IndexedBase("z", shape=(n, c)), IndexedBase("t", shape=(n, c))
x, y = symbols("x y")


def test_the_formula_of_the_contract_is_read() -> None:
    softmax = exp(z[i, j]) / Sum(exp(z[i, k]), (k, 0, c - 1))
    f = build_formula(
        name="ce",
        inputs={z: {}, t: {"domain": "simplex", "given": True}},
        loss=-Sum(t[i, j] * log(softmax), (j, 0, c - 1)),
    )
    same = read_text(
        "name: ce\ninputs:\n  z: [n, c]\n  t: {shape: [n, c], domain: simplex, given: true}\n"
        "loss: -Sum(t[i, j]*log(exp(z[i, j])/Sum(exp(z[i, k]), k)), j)\n"
    )
    assert isinstance(f, Formula)
    assert f.program.loss.body is same.program.loss.body
    assert [fact.text for fact in f.program.facts] == [fact.text for fact in same.program.facts]


def test_symgrad_formula_is_this() -> None:
    assert symgrad.Formula is build_formula


def test_scalars_parameters_lets_and_assumptions_may_be_objects() -> None:
    beta, a, m = sympy.Symbol("beta"), sympy.Symbol("a"), IndexedBase("m")
    f = build_formula(
        name="f",
        inputs={z: {}, a: {}},
        parameters={beta: {"value": Rational(1, 2), "domain": "positive"}},
        let={m[i]: Sum(z[i, j], (j, 0, c - 1)) * a / beta},
        loss=Sum(m[i], (i, 0, n - 1)),
        assume=[beta > Rational(1, 4)],
        gradient=[z],
    )
    assert f.program.wrt == ("z",)
    assert [p.value for p in f.program.parameters] == [Rational(1, 2)]
    assert [fact.text for fact in f.program.facts] == ["beta > 0", "beta > 1/4"]


def test_a_mapping_may_hold_objects_too() -> None:
    f = read_mapping({"name": "f", "inputs": {"z": ["n", "c"]}, "loss": Sum(z[i, j] ** 2, (j, 0, c - 1))})
    assert f.written["loss"] == "Sum(z[i, j]**2, (j, 0, c - 1))"


TEXTS = {
    x / y: "x/y",
    -x / y / 2: "-x/2/y",
    (x + y) * 3: "3*x + 3*y",
    x * (y - 1): "x*(y - 1)",
    (x - y) / (x + y): "(x - y)/(x + y)",
    sqrt(x): "sqrt(x)",
    x ** Rational(1, 3): "x**(1/3)",
    Integer(-2) ** x: "(-2)**x",
    Piecewise((x, x > 0), (-oo, True)): "Piecewise((x, x > 0), (-oo, True))",
    Max(x, y): "Max(x, y)",
    KroneckerDelta(i, j): "where(i == j, 1, 0)",
    sympy.Function("softmax")(z[i, j], j): "softmax(z[i, j], j)",
    sympy.Float("0.1") * x: "0.1*x",
    sympy.And(x > 0, sympy.Ne(y, 1)): "And(x > 0, y != 1)",
    sympy.Mod(x, 3) * 2: "2*(x % 3)",
    sympy.E * sympy.pi: "pi*E",
}


@pytest.mark.parametrize("expression", TEXTS, ids=str)
def test_an_expression_is_printed_in_the_language(expression: sympy.Basic) -> None:
    assert sorted(text_of(expression).split("*")) == sorted(TEXTS[expression].split("*"))


@pytest.mark.parametrize(
    "expression", [sympy.I * x, sympy.zoo, sympy.nan, sympy.Derivative(exp(x), x), sympy.Symbol("a + b")], ids=str
)
def test_what_the_language_lacks_is_refused(expression: sympy.Basic) -> None:
    with pytest.raises(FormulaError):
        build_formula(name="f", inputs={x: {}}, loss=expression + x)


def test_an_indexed_base_without_a_shape_is_refused() -> None:
    with pytest.raises(FormulaError, match="w has no shape"):
        build_formula(name="f", inputs={IndexedBase("w"): {}}, loss=x)
