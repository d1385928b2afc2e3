"""Quotients of two exponentials: shares and their differences, sigmoid and tanh, which never overflow."""

from __future__ import annotations

from fractions import Fraction

from symgrad.algebra.build import add, exp, fn, mul, neg
from symgrad.algebra.terms import HALF, MINUS_ONE, ONE, ZERO, Term, coefficient, num
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def exponent_of(t: Term, context: Context) -> Term | None:
    """x where t = e^x, looked up through names."""
    if t.op == "fn" and t.data == "exp":
        return t.args[0]
    if t.op == "get" and (body := context.body(t)) is not None:
        return exponent_of(body, context)
    return None


def _two_exponentials(t: Term, context: Context) -> dict[Term, Fraction] | None:
    """The exponents of a sum of two exponentials, and their coefficients; a number is a multiple of e^0."""
    if t.op == "get" and (body := context.body(t)) is not None:
        return _two_exponentials(body, context)
    if t.op != "add" or len(t.args) != 2:
        return None
    parts = [(ZERO if rest is ONE else exponent_of(rest, context), c) for c, rest in map(coefficient, t.args)]
    found = {x: c for x, c in parts if x is not None}
    return found if len(found) == 2 else None


def _below(f: Term, context: Context) -> dict[Term, Fraction] | None:
    """What a factor divides by, where that is a sum of two exponentials with positive coefficients."""
    found = _two_exponentials(f.args[0], context) if f.op == "pow" and f.args[1] is MINUS_ONE else None
    if f.op == "fn" and f.data == "sigmoid":
        found = {ZERO: Fraction(1), neg(f.args[0]): Fraction(1)}
    return found if found and all(c > 0 for c in found.values()) else None


def _hyperbolic_tangent(t: Term, context: Context) -> Term | None:
    """(e^a - e^b)/(e^a + e^b) = tanh((a - b)/2)."""
    for f in t.args:
        below = _below(f, context)
        if below is None or len(set(below.values())) > 1:
            continue
        for g in t.args:
            above = _two_exponentials(_without_expm1(g), context) if g is not f else None
            if above is not None and above.keys() == below.keys() and sum(above.values()) == 0:
                (a, c), (b, _) = above.items()
                quotient = mul(num(c / below[a]), fn("tanh", mul(HALF, add(a, neg(b)))))
                return mul(quotient, *(h for h in t.args if h is not f and h is not g))
    return None


def _without_expm1(t: Term) -> Term:
    return add(exp(t.args[0]), MINUS_ONE) if t.op == "fn" and t.data == "expm1" else t


def _share_of_two(t: Term, context: Context) -> Term | None:
    """e^a/(e^a + e^b) = sigmoid(a - b)."""
    for f in t.args:
        below = _below(f, context) if f.op == "pow" else None
        if below is None or len(set(below.values())) > 1:
            continue
        for g in t.args:
            a = exponent_of(g, context)
            if a in below:
                (b,) = (x for x in below if x is not a)
                share = mul(num(1 / below[b]), fn("sigmoid", add(a, neg(b))))
                return mul(share, *(h for h in t.args if h is not f and h is not g))
    return None


TANH = Rule(
    "stabilize/tanh",
    ("mul",),
    r"\frac{e^{x} - e^{-x}}{e^{x} + e^{-x}} = \tanh x",
    "tanh never overflows",
    _hyperbolic_tangent,
    Example("(exp(x[i, j]) - exp(-x[i, j]))/(exp(x[i, j]) + exp(-x[i, j]))", "tanh(x[i, j])"),
)
SHARE = Rule(
    "stabilize/share",
    ("mul",),
    r"\frac{e^{x}}{e^{x} + e^{z}} = \sigma(x - z)",
    "a share of two exponentials is a sigmoid, which never overflows",
    _share_of_two,
    Example("exp(x[i, j])/(exp(x[i, j]) + exp(z[i, j]))", "sigmoid(x[i, j] - z[i, j])"),
)
