"""Closed forms of the second order: tangents are written out one after the other where that is no longer."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.algebra.terms import Term
from symgrad.algebra.weight import weight
from symgrad.closing.closed import ClosedForms
from symgrad.closing.parts import Definition
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Statement

MOST_TRIALS = 8
"""How many names are tried to be written out, the outermost first."""


class SecondForms(ClosedForms):
    """Closed forms from tangents. Their names are new to the reader, so that each must pay for itself."""

    kept: frozenset[str] = frozenset()
    """Names that several forms read: they stay."""

    def keep(self, forms: Iterable[Term]) -> None:
        """Keep the names that several of these forms need, beside those that are short."""
        reached = [frozenset(self._closure(t)) for t in forms]
        self.kept = frozenset(n for r in reached for n in r if sum(n in other for other in reached) > 1)

    def choose(self, closed: Term) -> tuple[Term, dict[str, Definition]]:
        """Tangents and adjoints by name, or written out, whichever is shorter, definitions included."""
        if not self._adjoints_in(closed):
            return closed, {}
        short = self._short(closed)
        best = self.closed(unfold(closed, short, self.fresh)) if short else closed
        tried = set(self.kept)
        while len(tried) < MOST_TRIALS + len(self.kept):
            name = next((n for n in self._closure(best) if n not in tried), None)
            if name is None:
                break
            tried.add(name)
            best = self._shorter(best, self._without(best, name))
        rest = {n: s for n, s in self.adjoint.items() if n not in self.kept}
        whole = unfold(closed, rest, self.fresh)
        if self._adjoints_in(best) and weight(whole) <= 2 * self._total(best):
            best = self._shorter(best, self.closed(whole))
        return best, self._closure(best)

    def _without(self, t: Term, name: str) -> Term:
        """The form with a name written out; one that only definitions read goes with the first of these."""
        if name not in t.tensors:
            return t
        d = self.closed_adjoint(name)
        return self.closed(unfold(t, {name: Statement(d.name, d.indices, d.body)}, self.fresh))

    def _shorter(self, old: Term, new: Term) -> Term:
        return new if self._total(new) <= self._total(old) else old

    def _total(self, t: Term) -> int:
        found = self._closure(t).values()
        return weight(t) + sum(weight(d.body) + len(d.name) + 2 + 2 * len(d.indices) for d in found)
