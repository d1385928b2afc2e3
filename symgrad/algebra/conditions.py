"""Conditions, brackets and branches: conditions in one normal form, branches that cannot be taken vanish."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, lcm

from symgrad.algebra.arithmetic import add, mul, neg, scale, sub
from symgrad.algebra.terms import (
    FALSE,
    INFINITY,
    ONE,
    TRUE,
    ZERO,
    Term,
    coefficient,
    factors_of,
    is_num,
    node,
    remembered,
    terms_of,
    value,
)

_BELOW = neg(INFINITY)
_INFINITE = (INFINITY, _BELOW)


@remembered
def compare(op: str, a: Term, b: Term) -> Term:
    """a op b, op one of < <= > >= == !=; decided where the difference is a number."""
    if op in (">", ">="):
        return compare("<" if op == ">" else "<=", b, a)
    a, b = (ZERO if x.op == "idx" and x.args[0] is ONE else x for x in (a, b))  # an index of one value
    if a is not b and op in ("<", "<=") and (a in _INFINITE or b in _INFINITE):
        if b is INFINITY or a is _BELOW:  # x <= oo; x < oo says that x is finite
            return TRUE if op == "<=" else node("cmp", (a, b), op)
        if op == "<":
            return FALSE
    d = sub(a, b)
    if is_num(d):
        v = value(d)
        return TRUE if {"<": v < 0, "<=": v <= 0, "==": v == 0, "!=": v != 0}[op] else FALSE
    a, b = _sides(d, a, b)
    if len(terms_of(sub(a, b))) < len(terms_of(d)):  # a multiple of a sum was multiplied out
        return compare(op, a, b)
    if op in ("==", "!=") and b.digest < a.digest:
        a, b = b, a
    return node("cmp", (a, b), op)


def _sides(d: Term, a: Term, b: Term) -> tuple[Term, Term]:
    """The sides of a comparison, each summand where its sign is positive: 0 < 1 - x and x < 1 are one condition."""
    if any(x.op == "const" and x.data == "oo" for t in (a, b) for x in factors_of(t)):
        return a, b
    content = _content([coefficient(t)[0] for t in terms_of(d)])
    left: list[Term] = []
    right: list[Term] = []
    for t in terms_of(d):
        c, r = coefficient(t)
        (left if c > 0 else right).append(scale(abs(c) / content, r))
    if not (left and right):  # x + 1 < 0 is x < -1
        one = left or right
        number = neg(add(*(t for t in one if is_num(t))))
        rest = add(*(t for t in one if not is_num(t)))
        return (rest, number) if left else (number, rest)
    return add(*left), add(*right)


def _content(coefficients: list[Fraction]) -> Fraction:
    """The largest number of which all coefficients are integer multiples."""
    numerator, denominator = 0, 1
    for c in coefficients:
        numerator = gcd(numerator, abs(c.numerator))
        denominator = lcm(denominator, c.denominator)
    return Fraction(numerator, denominator)


def conjunction(*items: Term) -> Term:
    """All of the conditions."""
    return _logical("and", TRUE, FALSE, items)


def disjunction(*items: Term) -> Term:
    """Any of the conditions."""
    return _logical("or", FALSE, TRUE, items)


def _logical(op: str, unit: Term, absorbing: Term, items: Iterable[Term]) -> Term:
    flat: set[Term] = set()
    for item in items:
        flat.update(item.args if item.op == op else (item,))
    flat.discard(unit)
    if absorbing in flat or any(negation(a) in flat for a in flat):
        return absorbing
    if not flat:
        return unit
    ordered = sorted(flat, key=lambda t: t.digest)
    return ordered[0] if len(ordered) == 1 else node(op, tuple(ordered))


@remembered
def negation(c: Term) -> Term:
    """Not c. The opposite of a < b is b <= a: data are numbers or compare as nan does in torch's branches."""
    if c.op == "lit":
        return FALSE if c is TRUE else TRUE
    if c.op == "not":
        return c.args[0]
    if c.op == "cmp":
        a, b = c.args
        opposite = {"<": ("<=", b, a), "<=": ("<", b, a), "==": ("!=", a, b), "!=": ("==", a, b)}[str(c.data)]
        return compare(*opposite)
    if c.op in ("and", "or"):
        parts = tuple(negation(a) for a in c.args)
        return disjunction(*parts) if c.op == "and" else conjunction(*parts)
    return node("not", (c,))


def iverson(c: Term) -> Term:
    """[c]: 1 where the condition holds, else 0; [a and b] is [a] [b]."""
    if c.op == "lit":
        return ONE if c is TRUE else ZERO
    if c.op == "and":
        return node("mul", tuple(node("iv", (a,)) for a in sorted(c.args, key=_bracket_order)))
    return node("iv", (c,))


def _bracket_order(c: Term) -> bytes:
    return node("iv", (c,)).digest


def where(c: Term, a: Term, b: Term) -> Term:
    """a where c holds, else b. A branch that is 0 leaves a bracket."""
    if c.op == "lit":
        return a if c is TRUE else b
    a, b = assume(a, c, True), assume(b, c, False)
    if a is b:
        return a
    if b is ZERO:
        return mul(iverson(c), a)
    if a is ZERO:
        return mul(iverson(negation(c)), b)
    return node("where", (c, a, b))


def assume(t: Term, c: Term, holds: bool) -> Term:
    """The term where condition c is known to hold (or not to hold): only its outer branches are looked at."""
    if t.op == "where" and t.args[0] in (c, negation(c)):
        return t.args[1] if (t.args[0] is c) == holds else t.args[2]
    if t.op == "iv" and t.args[0] in (c, negation(c)):
        return ONE if (t.args[0] is c) == holds else ZERO
    if t.op in ("mul", "add"):
        parts = [assume(a, c, holds) for a in t.args]
        if any(p is not a for p, a in zip(parts, t.args, strict=True)):
            return mul(*parts) if t.op == "mul" else add(*parts)
    return t
