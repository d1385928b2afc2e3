"""Comparisons of indices: whole numbers that run between known ends. For proofs, where forms must have few brackets."""

from __future__ import annotations

from symgrad.algebra.build import add, compare, iverson, mul, neg, power, reduce, sub
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import ONE, Term, coefficient, factors_of, is_num, num, terms_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.ranges import is_whole

FEW = 3
"""Steps between two ends that are written one by one."""


def _at_an_end(t: Term, context: Context) -> Term | None:
    """0 < i is i != 0, and i <= 0 is i == 0: an index runs from 0 on."""
    a, b = t.args
    if t.data not in ("<", "<=") or not _of_indices(t):
        return None
    low = context.bounds.at_least
    if t.data == "<=":
        return compare("==", a, b) if low(sub(a, b)) else compare("<", a, add(b, ONE))
    if low(sub(b, a)):
        return compare("!=", a, b)
    return compare("==", add(a, ONE), b) if low(sub(add(a, ONE), b)) else None


def _of_indices(t: Term) -> bool:
    return not t.tensors and bool(t.free) and not any(a.height for a in t.args) and all(map(is_whole, t.args))


def _one_by_one(t: Term, context: Context) -> Term | None:
    """[i < j + 1] = [i < j] + [i == j]."""
    c = t.args[0]
    if c.op != "cmp" or c.data != "<" or not _of_indices(c):
        return None
    a, b = (add(*(x for x in terms_of(side) if not is_num(x))) for side in c.args)
    if not (a.free and b.free):
        return None
    k = int(coefficient(sub(sub(c.args[1], b), sub(c.args[0], a)))[0]) if c.args != (a, b) else 0
    if skeleton(b) < skeleton(a):  # whatever the indices are called
        return sub(ONE, iverson(compare("<", add(b, num(k - 1)), a)))
    if k == 0 or abs(k) > FEW:
        return None
    steps = (iverson(compare("==", a, add(b, num(j)))) for j in range(min(k, 0), max(k, 0)))
    return add(iverson(compare("<", a, b)), *(s if k > 0 else neg(s) for s in steps))


def _power_out(t: Term, context: Context) -> Term | None:
    """Sum(a**(i - k)*x[i], i) = a**(-k)*Sum(a**i*x[i], i)."""
    if t.data != "sum":
        return None
    body, variables = context.opened(t)
    parts = [_split(f, frozenset(variables)) for f in factors_of(body)]
    taken = mul(*(outer for outer, _ in parts))
    return None if taken is ONE else mul(taken, reduce("sum", mul(*(inner for _, inner in parts)), variables))


def _split(f: Term, bound: frozenset[Term]) -> tuple[Term, Term]:
    """The part of a factor that is the same for all bound indices, where that is in the exponent; and the rest."""
    if f.op != "pow" or f.args[0].free & bound or not f.args[1].free & bound:
        return ONE, f
    base, e = f.args
    rest = add(*(x for x in terms_of(e) if not x.free & bound))
    return power(base, rest), power(base, sub(e, rest))


AT_AN_END = Rule(
    "proof/end",
    ("cmp",),
    r"[i > 0] = [i \ne 0]",
    "an index runs from 0 on",
    _at_an_end,
    Example("where(i > 0, x[i, j], 0)", "where(i != 0, x[i, j], 0)"),
)
ONE_BY_ONE = Rule(
    "proof/one-by-one",
    ("iv",),
    r"[i < j + 1] = [i < j] + [i = j]",
    "the next whole number",
    _one_by_one,
    Example("Sum(where(k < i + 1, x[k, j], 0), k)", "Sum(x[k, j]*(where(k < i, 1, 0) + where(k == i, 1, 0)), k)"),
)
POWER_OUT = Rule(
    "proof/power",
    ("red",),
    r"\sum_i a^{i - k}\,x_i = a^{-k} \sum_i a^i\,x_i",
    "what the sum does not count leaves the exponent",
    _power_out,
    Example(
        "Sum(a**(k - i)*x[k, j], k)", "a**(-i)*Sum(a**k*x[k, j], k)", parameters="{a: {value: 0.7, domain: positive}}"
    ),
)
WHOLE = (AT_AN_END, ONE_BY_ONE, POWER_OUT)

__all__ = ["AT_AN_END", "ONE_BY_ONE", "POWER_OUT", "WHOLE"]
