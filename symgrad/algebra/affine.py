"""Integer expressions that are affine in an index."""

from __future__ import annotations

from symgrad.algebra.build import add, mul, neg, sub
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, factors_of, terms_of


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


def constant(t: Term) -> bool:
    """Whether no index enters the term."""
    return not t.free


__all__ = ["ZERO", "affine_in", "constant", "solve_for"]
