"""Integer expressions that are affine in an index."""

from __future__ import annotations

from symgrad.algebra.build import add, compare, mul, neg, sub
from symgrad.algebra.terms import MINUS_ONE, ONE, TRUE, ZERO, Term, extent, factors_of, terms_of


def affine_in(t: Term, v: Term) -> tuple[Term, Term] | None:
    """a, b with t = a*v + b, neither holding v; None where t is not affine in v."""
    slope, rest = [], []
    for a in terms_of(t):
        if v not in a.free:
            rest.append(a)
            continue
        others = [f for f in factors_of(a) if f is not v]
        if len(others) == len(factors_of(a)) or any(v in f.free for f in others):
            return None
        slope.append(mul(*others))
    return add(*slope), add(*rest)


def solve_for(v: Term, a: Term, b: Term) -> Term | None:
    """e with a == b exactly where v == e, for coefficients of 1 and -1; None elsewhere."""
    found = affine_in(sub(a, b), v)
    if found is None:
        return None
    slope, rest = found
    if slope is ONE:
        return neg(rest)
    if slope is MINUS_ONE:
        return rest
    return None


def range_conditions(e: Term, size: Term) -> list[Term]:
    """0 <= e and e < size, without what an index or an argmax satisfies by its own range."""
    low, high = compare("<=", ZERO, e), compare("<", e, size)
    return [c for c in (low, high) if c is not TRUE and not _by_range(c)]


def _by_range(c: Term) -> bool:
    if c.op != "cmp":
        return False
    a, b = c.args
    if c.data == "<" and _count(a) is b:
        return True
    return a is ZERO and _count(b) is not None and c.data == "<="


def _count(t: Term) -> Term | None:
    """How many values an index or an argmax may have, from 0 on."""
    if t.op == "idx":
        return extent(t)
    if t.op == "red" and t.data == "argmax":
        return mul(*(extent(v) for v in t.args[1:]))
    return None
