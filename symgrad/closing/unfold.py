"""Unfolding: names replaced by what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from symgrad.algebra.affine import range_conditions
from symgrad.algebra.build import (
    Fresh,
    conjunction,
    iverson,
    mul,
    open_reduction,
    power,
    rebuild,
    reduce,
    substitute,
)
from symgrad.algebra.terms import Term, coefficient, extent, factors_of, is_access
from symgrad.algebra.weight import weight
from symgrad.formula.program import Statement
from symgrad.rules.sums import outside_zero

SILENT = 80
"""Values of less than this weight are written out where they do not say how far their indices run."""


def is_silent(s: Statement) -> bool:
    """Whether a value is short and one of its indices does not enter it: nothing says how far that one runs."""
    return not frozenset(s.indices) <= s.body.free and weight(s.body) < SILENT and s.recurrence is None


def unfold(t: Term, statements: Mapping[str, Statement], fresh: Fresh) -> Term:
    """The term with accesses to the statements replaced by their bodies, and those in the bodies too.

    Statements that read one another in a circle, as the steps of a recurrence do, keep their names.
    """
    circle = on_a_circle(statements)
    if circle:
        statements = {n: s for n, s in statements.items() if n not in circle}
    return _Unfolding(statements, fresh).apply(t)


def growth(t: Term, statements: Mapping[str, Statement], memo: dict[Term, int]) -> int:
    """By about how much `unfold` would lengthen the text of the term; nothing is built."""
    if not t.tensors & statements.keys():
        return 0
    found = memo.get(t)
    if found is None:
        found = sum(growth(a, statements, memo) for a in t.args)
        s = statements.get(str(t.data)) if is_access(t) else None
        if s is not None:
            found += weight(s.body) - weight(t) + growth(s.body, statements, memo)
        memo[t] = found
    return found


def on_a_circle(statements: Mapping[str, Statement]) -> frozenset[str]:
    """Names of the statements that read themselves, by way of others too."""
    reads = {n: s.body.tensors & statements.keys() for n, s in statements.items()}
    while True:  # what reads nothing that is left is on no circle
        before = len(reads)
        reads = {n: r & reads.keys() for n, r in reads.items() if r & reads.keys()}
        if len(reads) == before:
            break
    return frozenset(n for n in reads if n in _reached(n, reads))


def _reached(name: str, reads: Mapping[str, AbstractSet[str]]) -> set[str]:
    found: set[str] = set()
    queue = [name]
    while queue:
        new = reads[queue.pop()] - found
        found |= new
        queue += sorted(new)
    return found


class _Unfolding:
    def __init__(self, statements: Mapping[str, Statement], fresh: Fresh) -> None:
        self.statements, self.fresh = statements, fresh
        self.names = frozenset(statements)
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        if not t.tensors & self.names:
            return t
        found = self.memo.get(t)
        if found is None:
            found = self.memo[t] = self.inside(t)
        return found

    def inside(self, t: Term) -> Term:
        if t.op == "red":
            body, variables = open_reduction(t, self.fresh)
            return reduce(str(t.data), self.apply(body), variables)
        args = tuple(self.apply(a) for a in t.args)
        if t.op == "pow" and coefficient(args[1])[0] < 0:
            return _divided_inside(args[0], args[1], frozenset(factors_of(t.args[0])))
        s = self.statements.get(str(t.data)) if t.op in ("get", "get0") else None
        if s is None:
            return rebuild(t, args)
        body = s.body
        for i, a in zip(s.indices, args, strict=True) if t.op == "get0" else ():
            body = body if a.op == "idx" else outside_zero(body, i)
        body = self.apply(substitute(body, dict(zip(s.indices, args, strict=True))))
        return body if t.op == "get" else mul(*_brackets(s, args), body)


def _divided_inside(base: Term, exponent: Term, before: frozenset[Term]) -> Term:
    """A negative power: brackets of reads that were unfolded say where they lie inside, and nothing is divided by them.

    1/length[j]  ->  [j < n]/norm(x[j, k], k), not 1/([j < n]*norm(...)), which is 1/0 outside.
    """
    inside = [f for f in factors_of(base) if f.op == "iv" and f not in before]
    return mul(*inside, power(mul(*(f for f in factors_of(base) if f not in inside)), exponent))


def _brackets(s: Statement, args: tuple[Term, ...]) -> list[Term]:
    """Where a read with these subscripts is inside of the statement's ranges."""
    found = []
    for i, a in zip(s.indices, args, strict=True):
        if a.op != "idx" or extent(a) is not extent(i):
            found.append(iverson(conjunction(*range_conditions(a, extent(i)))))
    return found
