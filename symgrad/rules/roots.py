"""Roots of squares before anything is differentiated: moduli and norms, which have a derivative at 0 by convention.

`sqrt(x**2)` and `sqrt(sum_j x_j**2)` give 0/0 there, and lose values below 1e-154 and beyond 1e154.
"""

from __future__ import annotations

from symgrad.algebra.build import fn, mul, open_reduction, power, reduce
from symgrad.algebra.terms import HALF, ONE, TWO, Term, base_exponent, coefficient, factors_of, is_num, num, value
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _root_of_square(t: Term, context: Context) -> Term | None:
    """(x**n)**e = |x|**(n e), n even."""
    b, e = t.args
    if b.op != "pow" or not is_num(b.args[1]):
        return None
    n = value(b.args[1])
    return power(fn("Abs", b.args[0]), mul(b.args[1], e)) if n > 0 and n.denominator == 1 and n % 2 == 0 else None


def _root_of_sum(t: Term, context: Context) -> Term | None:
    """sqrt(sum_j x_j**2) = norm(x, j)."""
    b, e = t.args
    if not is_num(e) or value(e).denominator != 2 or b.op != "red" or b.data != "sum":
        return None
    body, variables = open_reduction(b, context.fresh)
    root = _root(body)
    return None if root is None else power(reduce("norm", root, variables), mul(TWO, e))


def _root_of_multiple(t: Term, context: Context) -> Term | None:
    """sqrt(a sum_j x_j**2 sum_k y_k**2) = sqrt(a) norm(x, j) norm(y, k), a > 0."""
    b, e = t.args
    if b.op != "mul" or not is_num(e):
        return _root_of_sum(t, context)
    sums = [f for f in b.args if f.op == "red"]
    rest = mul(*(f for f in b.args if f.op != "red"))
    norms = [n for s in sums if (n := _root_of_sum(power(s, e), context)) is not None]
    if not norms or len(norms) < len(sums) or not (rest is ONE or context.is_positive(rest)):
        return None
    return mul(power(rest, e), *norms)


def _root(t: Term) -> Term | None:
    """x where t = x**2."""
    c, rest = coefficient(t)
    halves = []
    for f in factors_of(rest):
        b, e = base_exponent(f)
        if not is_num(e) or value(e).denominator != 1 or value(e) % 2:
            return None
        halves.append(power(b, mul(HALF, e)))
    root = power(num(c), HALF)
    return mul(root, *halves) if c > 0 and root.op == "num" and halves else None


ROOT_OF_SQUARE = Rule(
    "stabilize/modulus",
    ("pow",),
    r"\sqrt{x^2} = |x|",
    "the root of a square is a modulus: nothing leaves the range of numbers, and the derivative at 0 is 0",
    _root_of_square,
    Example("sqrt(x[i, j]**2)", "Abs(x[i, j])"),
)
ROOT_OF_SUM = Rule(
    "stabilize/norm",
    ("pow",),
    r"\sqrt{a \textstyle\sum_j x_j^2} = \sqrt{a}\,\lVert x \rVert",
    "the root of a sum of squares is a norm, whose derivative at 0 is 0 by convention",
    _root_of_multiple,
    Example("sqrt(Sum((x[i, j] - z[i, j])**2, j))", "norm(x[i, j] - z[i, j], j)"),
)
ROOTS = (ROOT_OF_SQUARE, ROOT_OF_SUM)
