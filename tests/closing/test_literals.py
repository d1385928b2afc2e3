"""Numbers of a formula are printed as it has them: 3*0.044715 rather than 0.134145."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symgrad.algebra.decimals import literals_of, with_literals
from symgrad.algebra.show import show
from symgrad.algebra.terms import num
from symgrad.closing.derivation import derive_formula
from symgrad.document import gradient
from symgrad.formula.expression import parse_closed
from symgrad.formula.reader import read_mapping
from symgrad.report.contents import derivation_notation
from symgrad.report.latex_terms import latex


def derived(loss):
    d = derive_formula(read_mapping({"name": "f", "inputs": {"x": ["n"]}, "loss": loss}))
    return d, derivation_notation(d)


@pytest.mark.parametrize(
    ("loss", "closed"),
    [
        ("Sum(x[i] + 0.044715*x[i]**3, i)", "3*0.044715*x[i]**2 + 1"),
        ("Sum(0.7978845608*x[i]**2, i)", "2*0.7978845608*x[i]"),
        ("Sum(-0.044715*x[i]**3, i)", "-3*0.044715*x[i]**2"),
        ("Sum(exp(0.044715*x[i]), i)", "0.044715*exp(0.044715*x[i])"),
        ("Sum(x[i]**2/4, i)", "x[i]/2"),
        ("Sum(0.5*x[i]**3, i)", "3*x[i]**2/2"),
    ],
)
def test_a_multiple_of_a_decimal_is_printed_as_such_and_reads_back(loss, closed):
    d, notation = derived(loss)
    (g,) = d.gradients
    assert gradient(g, d.formula, notation)["closed"] == closed
    assert parse_closed(closed, d.program, g.indices, {}) is g.closed


def test_a_number_that_is_no_simple_multiple_is_printed_as_it_is():
    d, notation = derived("Sum(0.044715*x[i]**17, i)")
    assert gradient(d.gradients[0], d.formula, notation)["closed"] == "0.760155*x[i]**16"


def test_mathematics_on_a_page_has_the_literal_too():
    d, notation = derived("Sum(x[i] + 0.044715*x[i]**3, i)")
    assert "3 \\cdot 0.044715" in latex(d.gradients[0].closed, notation)


def test_integers_and_simple_fractions_are_no_literals():
    terms = [num(3), num(Fraction(1, 3)), num(Fraction(1, 1000)), num(Fraction(44715, 10**6))]
    assert literals_of(terms) == (Fraction(44715, 10**6),)
    assert with_literals(num(Fraction(1, 3)), literals_of(terms)) is num(Fraction(1, 3))
    assert show(with_literals(num(Fraction(-134145, 10**6)), literals_of(terms))) == "-3*0.044715"
