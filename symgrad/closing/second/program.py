"""The program of the second order: tangents of all statements, for machines; it shares the values of the gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgrad.algebra.build import Fresh
from symgrad.algebra.terms import Term, coefficient, terms_of, walk
from symgrad.algebra.weight import weight
from symgrad.closing.economy import cost, diagonal_reads, width, without_single_readers
from symgrad.closing.fold import foldings
from symgrad.closing.reverse import TRIVIAL
from symgrad.closing.second.directional import Directional, Simplify
from symgrad.closing.second.directions import Directions, UniqueNames
from symgrad.closing.simplify import Simplifier
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Statement

MOST_WRITTEN_OUT = 1500
"""Weight of a product beyond which kernels do not try it without named tangents."""


@dataclass(frozen=True)
class SecondProgram:
    """Statements that read inputs, directions, forward and backward statements; `product_of`: input -> its result."""

    product: tuple[Statement, ...]
    product_of: Mapping[str, str]
    diagonal: tuple[Statement, ...]
    diagonal_of: Mapping[str, str]


class SecondPrograms:
    """Works it out."""

    def __init__(self, directions: Directions) -> None:
        self.directions, self.context = directions, directions.context
        self.program, self.adjoints = directions.program, directions.adjoints
        self.unique = UniqueNames(directions.taken())
        self.plain: Simplify
        self.full: Simplify

    def derive(self) -> SecondProgram:
        """Products with directions, and diagonals."""
        named = [s for s in self.program.statements if s.kind != "loss"]
        adjoints = {s.name: s for s in self.adjoints.statements}
        results = {n: adjoints.pop(g) for n, g in self.adjoints.gradient_of.items()}
        folds = foldings(named, self.context, machines=True)
        self.plain, self.full = (
            Simplifier(self.context, folds, closed=False, multiply_out=m).simplify for m in (False, True)
        )
        with self.context.quietly():
            along = Directional(self.directions.names, self.full, self.unique, TRIVIAL)
            along.push((*self.program.statements, *adjoints.values()))
            products = {
                n: Statement(self.unique(f"Hv_{n}"), s.indices, along.of(s.body), "tangent") for n, s in results.items()
            }
            diagonals = {n: self._diagonal(n, s, along.statements) for n, s in products.items()}
            tangents, products = without_single_readers(along.statements, products, self.full)
        return SecondProgram(
            (*tangents, *products.values()),
            {n: s.name for n, s in products.items()},
            tuple(s for statements in diagonals.values() for s in statements),
            {n: statements[-1].name for n, statements in diagonals.items()},
        )

    def _diagonal(self, name: str, product: Statement, tangents: Sequence[Statement]) -> Sequence[Statement]:
        """The diagonal as the last of its statements: columns of each tangent, or all written out.

        Written out and multiplied out, `y c**2` less the square of `y c` cancels: only where an index less is needed.
        """
        s = replace(product, name=self.unique(f"hess_{name}"))
        known = self._exponentials((product, *tangents))
        best = self._in_columns(name, s, tangents, self.full)
        if not self._exponentials(best) <= known:
            other = self._in_columns(name, s, tangents, self.plain)
            best = other if self._exponentials(other) <= known else best
        whole = unfold(s.body, {t.name: t for t in tangents}, Fresh())
        if width(best) > len(s.indices) and weight(whole) <= MOST_WRITTEN_OUT:
            for simplify, key in ((self.plain, cost), (self.full, width)):
                form = [self._written_out(name, s, whole, simplify)]
                if width(best) > len(s.indices) and self._exponentials(form) <= known:
                    best = min(best, form, key=key)
        return best

    def _exponentials(self, statements: Sequence[Statement]) -> frozenset[tuple[Fraction, ...]]:
        """How log-sum-exps stand in the exponentials: e^z and e^(-2 lse), split off from a softmax, may overflow."""
        lse = {s.name for s in self.program.statements if s.body.op == "red" and s.body.data == "lse"}
        exponents = (x.args[0] for s in statements for x in walk(s.body) if x.op == "fn" and x.data == "exp")
        return frozenset(
            tuple(c for c, r in map(coefficient, terms_of(e)) if r.data in lse or r.data == "lse") for e in exponents
        )

    def _written_out(self, name: str, s: Statement, whole: Term, simplify: Simplify) -> Statement:
        """The diagonal without any named tangent."""
        return replace(s, body=self.directions.columns(name, (), simplify, self.unique).at(whole, s.indices))

    def _in_columns(
        self, name: str, s: Statement, tangents: Sequence[Statement], simplify: Simplify
    ) -> list[Statement]:
        """The diagonal from the columns of each tangent that it needs."""
        work = self.directions.columns(name, tangents, simplify, self.unique, TRIVIAL)
        known = {c.name: c for c in work.statements}
        result = replace(s, body=diagonal_reads(work.at(s.body, s.indices), known, simplify))
        needed, kept = set(result.body.tensors), []
        for c in reversed(work.statements):
            if c.name in needed:
                kept.append(c)
                needed |= c.body.tensors
        columns, results = without_single_readers(kept[::-1], {name: result}, simplify)
        return [*columns, results[name]]
