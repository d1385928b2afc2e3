"""Whether conditions leave no case open: all signs of all differences that they compare are tried."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from symgrad.algebra.build import compare, disjunction, neg, sub
from symgrad.algebra.terms import TRUE, ZERO, Term, coefficient, terms_of, walk

MOST = 5


def covers(conditions: Sequence[Term]) -> bool:
    """Whether at least one condition holds in every case. True means proven; False means not shown."""
    if disjunction(*conditions) is TRUE:
        return True
    atoms = {t for c in conditions for t in walk(c) if t.op in ("cmp", "fn") and (t.op == "cmp" or t.data == "truth")}
    keys = sorted({_key(t) for t in atoms}, key=lambda t: t.digest)
    if len(keys) > MOST:
        return False
    return all(
        any(_holds(c, dict(zip(keys, signs, strict=True))) for c in conditions)
        for signs in product((-1, 0, 1), repeat=len(keys))
    )


def _key(t: Term) -> Term:
    """The difference that a comparison asks the sign of, up to its own sign; the condition itself for a bool input."""
    if t.op == "fn":
        return t
    d = sub(t.args[0], t.args[1])
    return d if _leads(d) else neg(d)


def _leads(d: Term) -> bool:
    return coefficient(min(terms_of(d), key=lambda a: coefficient(a)[1].digest, default=ZERO))[0] >= 0


def _holds(c: Term, signs: dict[Term, int]) -> bool:
    if c.op == "lit":
        return c is TRUE
    if c.op == "not":
        return not _holds(c.args[0], signs)
    if c.op in ("and", "or"):
        return (all if c.op == "and" else any)(_holds(a, signs) for a in c.args)
    if c.op == "fn":
        return signs[c] > 0
    sign = signs[_key(c)] * (1 if _leads(sub(c.args[0], c.args[1])) else -1)
    return {"<": sign < 0, "<=": sign <= 0, "==": sign == 0, "!=": sign != 0}[str(c.data)]


__all__ = ["compare", "covers"]
