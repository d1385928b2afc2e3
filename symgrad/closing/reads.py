"""Reads by an index that runs further than the axis: `where(r < m, c[b, r % m], 0)`.

In the language a bare subscript says how far its index runs, so a closed form never has one on two axes of different
lengths. Bound indices are printed with their limits there; a free one reads its remainder, where it is inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.algebra.binders import rebuild
from symgrad.algebra.build import Fresh, compare, fn, iverson, mul, open_reduction, reduce, sub
from symgrad.algebra.terms import Term, extent, factors_of, is_access, node, walk
from symgrad.formula.inside import Bounds
from symgrad.formula.polynomial import same
from symgrad.formula.program import Program

Shapes = Mapping[str, Sequence[Term]]


def settled_reads(t: Term, free: Sequence[Term], shapes: Shapes, equations: Sequence[tuple[Term, Term]]) -> Term:
    """The term with every read by a free index that the axis does not run along put so that the language reads it."""
    return _Reads(free, shapes, equations).settled(t, frozenset())


class _Reads:
    def __init__(self, free: Sequence[Term], shapes: Shapes, equations: Sequence[tuple[Term, Term]]) -> None:
        self.free, self.shapes, self.equations = frozenset(free), shapes, equations
        self.fresh = Fresh()

    def settled(self, t: Term, known: frozenset[Term]) -> Term:
        """`known`: conditions under which the term is looked at."""
        if not t.free & self.free or not t.tensors:
            return t
        if is_access(t):
            return self.access(t, known)
        if t.op == "where":
            c, a, b = t.args
            return rebuild(t, (self.settled(c, known), self.settled(a, known | {c}), self.settled(b, known)))
        if t.op == "red":
            body, variables = open_reduction(t, self.fresh)
            inner = self.settled(body, known)
            return t if inner is body else reduce(str(t.data), inner, variables)
        held = frozenset(a.args[0] for a in t.args if a.op == "iv") if t.op == "mul" else frozenset()
        parts = tuple(self.settled(a, known | held) for a in t.args)
        return t if all(p is a for p, a in zip(parts, t.args, strict=True)) else rebuild(t, parts)

    def position(self, t: Term, known: frozenset[Term]) -> Term:
        """A subscript: what is gathered by is read where it is inside, and its value elsewhere is of no use."""
        if t.op != "get":
            return t
        settled = self.settled(t, known)
        return next((f for f in factors_of(settled) if f.op == "get"), settled)

    def access(self, t: Term, known: frozenset[Term]) -> Term:
        """tensor[i] as [i < size] tensor[i % size] where i is free and has another extent than size."""
        subscripts, inside = [self.position(s, known) for s in t.args], []
        changed = subscripts != list(t.args)
        for k, (s, size) in enumerate(zip(t.args, self.shapes.get(str(t.data), t.args), strict=True)):
            if s in self.free and not same(extent(s), size, self.equations):
                subscripts[k] = fn("mod", s, size)
                if not Bounds().at_least(sub(size, extent(s))):
                    inside.append(compare("<", s, size))
                changed = True
        if not changed:
            return t
        read = node(t.op, tuple(subscripts), t.data)
        return mul(read, *(iverson(c) for c in inside if c not in known))


def equations_of(program: Program) -> list[tuple[Term, Term]]:
    """Facts `d == h*e` of sizes, a dimension on the left."""
    found = []
    for c in (f.condition for f in program.facts):
        if c.op == "cmp" and c.data == "==" and not c.tensors and not c.free:
            found += [(a, b) for a, b in (c.args, c.args[::-1]) if a.op == "dim" and a not in set(walk(b))][:1]
    return found
