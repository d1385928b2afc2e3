"""Differences of functions that run into a bound: their digits are lost where both are near it."""

from __future__ import annotations

from symgrad.algebra.build import add, exp, fn, mul, neg, sub
from symgrad.algebra.terms import ONE, Term, coefficient, num, terms_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.powers import multiplied_out


def _of_sigmoids(t: Term, context: Context) -> Term | None:
    """sigmoid(a) - sigmoid(b) = sigmoid(a)*sigmoid(-b)*(1 - exp(b - a)), a > b.

    Two scores beside one another on one side of 0 have sigmoids that differ in the last digits only.
    """
    for f in t.args:
        for g in t.args:
            (c, a), (d, b) = coefficient(f), coefficient(g)
            if c > 0 and c == -d and a.data == b.data == "sigmoid":
                u = _apart(a.args[0], b.args[0])
                if not context.is_positive(u):
                    continue
                difference = mul(num(c), a, fn("sigmoid", neg(b.args[0])), sub(ONE, exp(neg(u))))
                return add(difference, *(h for h in t.args if h is not f and h is not g))
    return None


def _apart(a: Term, b: Term) -> Term:
    """a - b with their common parts gone."""
    return add(*(p for x in (*terms_of(a), *terms_of(neg(b))) for p in multiplied_out(x)))


DIFFERENCE_OF_SIGMOIDS = Rule(
    "stabilize/difference-of-sigmoids",
    ("add",),
    r"\sigma(a) - \sigma(b) = \sigma(a)\,\sigma(-b)\,(1 - e^{b - a}) \quad (a > b)",
    "the difference of two sigmoids keeps its digits where both are near 0 or 1",
    _of_sigmoids,
    Example(
        "sigmoid(x[i] + p[i]) - sigmoid(x[i] - 1)",
        "sigmoid(x[i] + p[i])*sigmoid(1 - x[i])*(1 - exp(-p[i] - 1))",
        "{x: [n], p: {shape: [n], domain: positive}}",
    ),
    needs=("sign",),
)

__all__ = ["DIFFERENCE_OF_SIGMOIDS"]
