"""Sums under [u == argmax(...)]: only the winner counts, so that the sum over u is one read.

    Sum_p,u [u == argmax_v x[s*p + v]] [m == s*p + u] dy[p]    adds dy[p] at m = s*p + winner[p]

Masks over all u, the windows of a pooling for example, are never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.build import mul, open_reduction, substitute
from symgrad.algebra.terms import Term, extent, get, walk
from symgrad.lower.arrays import Along, Broadcast, Expr, Read
from symgrad.lower.links import conditions_apart
from symgrad.lower.scope import Scope, Signature


@dataclass(frozen=True)
class Target:
    """A free index of the statement and the position, in summed indices, where it is met."""

    index: Term
    position: Term
    inside: bool
    """Whether the position is known to lie inside of the axis; what integer tensors hold is checked beforehand."""


class Winners:
    """Summed indices that have one value each: the array that holds it, and the access to that array."""

    def __init__(self, body: Term, over: Sequence[Term], scope: Scope) -> None:
        self.scope = scope
        self.arrays: dict[Term, Read] = {}
        self.accesses: dict[Term, Term] = {}
        self.inside: set[tuple[Term, Term]] = set()
        """Subscripts in the summed indices and the extents of axes which they surely do not leave."""
        self.body = self._found(conditions_apart(body), over)
        """What is left of the product."""

    def _found(self, factors: list[Term], over: Sequence[Term]) -> Term:
        while (found := self._next(factors, over)) is not None:
            condition, index, position = found
            factors.remove(condition)
            self._note_reads(index, position)
            read = self.scope.part(self.chosen(self.scope.lower(position)), "winner")
            signature = Signature(tuple(extent(i) for i in read.frame), "int")
            self.scope.signatures = {**self.scope.signatures, read.name: signature}
            self.arrays[index], self.accesses[index] = read, get(read.name, read.frame)
        return mul(*factors)

    def _next(self, factors: Sequence[Term], over: Sequence[Term]) -> tuple[Term, Term, Term] | None:
        """A bracket [u == argmax(...)], u and the argmax, which reads no index whose winner is still unknown."""
        found = [(f, *pair) for f in factors if (pair := _pair(f, over)) is not None and pair[0] not in self.arrays]
        unknown = {index for _, index, _ in found}
        return next(((f, index, position) for f, index, position in found if not unknown & position.free), None)

    def _note_reads(self, index: Term, position: Term) -> None:
        body, (v,) = open_reduction(position, self.scope.fresh)
        for x in walk(substitute(body, {v: index})):
            if x.op == "get":
                extents = self.scope.signatures[str(x.data)].extents
                self.inside.update(zip(x.args, extents, strict=True))

    def chosen(self, e: Expr) -> Expr:
        """The expression with each of the indices at its winner."""
        for index, read in self.arrays.items():
            if index not in e.frame:
                continue
            missing = [i for i in read.frame if i not in e.frame]
            if missing:
                e = Broadcast(self.scope.order.sort([*e.frame, *missing]), e.dtype, e)
            at = e.frame.index(index)
            e = Along((*e.frame[:at], *e.frame[at + 1 :]), e.dtype, e, at - len(e.frame), read)
        return e

    def target(self, t: Target) -> Target:
        """The target with winners in place of the indices; a position that a `get` reads at lies inside."""
        inside = t.inside or (t.position, extent(t.index)) in self.inside
        return Target(t.index, substitute(t.position, self.accesses), inside)

    def differ_along(self, index: Term) -> bool:
        """Whether a winner that the rest of the product is read at differs from one value of the index to the next."""
        return any(u in self.body.free and index in read.frame for u, read in self.arrays.items())


def _pair(f: Term, over: Sequence[Term]) -> tuple[Term, Term] | None:
    """u and the argmax of a bracket [u == argmax(...)], u one of the summed indices and of the same extent."""
    if f.op != "iv" or f.args[0].op != "cmp" or f.args[0].data != "==":
        return None
    for u, e in (f.args[0].args, f.args[0].args[::-1]):
        if u in over and e.op == "red" and e.data == "argmax" and len(e.args) == 2 and u not in e.free:
            return (u, e) if extent(e.args[1]) is extent(u) else None
    return None
