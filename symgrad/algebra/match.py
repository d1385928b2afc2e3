"""Matching of a pattern against a term, modulo the order of summands and factors and the names of bound indices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from symgrad.algebra.build import Fresh, substitute
from symgrad.algebra.terms import Term, extent, walk

QUOTIENTS = ("floordiv", "mod")

Binding = Mapping[Term, Term]
_EMPTY: Binding = {}


class Matcher:
    """Finds what the variables of a pattern must be. Indices among `variables` match any index expression of integers;
    other variables (`par('?x')`) match any term."""

    def __init__(self, variables: frozenset[Term], fresh: Fresh) -> None:
        self.variables, self.fresh = variables, fresh
        self.quotients: dict[Term, bool] = {}

    def unify(self, pattern: Term, t: Term, binding: Binding = _EMPTY) -> Iterator[Binding]:
        """Every binding under which the pattern is the term."""
        if pattern in self.variables:
            if binding.get(pattern, t) is t:
                yield {**binding, pattern: t}
        elif pattern is t and (pattern.op == "idx" or not self._open(pattern)):
            yield binding
        elif pattern.op == "fn" and pattern.data in QUOTIENTS and self._bound(pattern, binding):
            if substitute(pattern, binding) is t:
                yield binding
        elif pattern.op == "idx" or _differ(pattern, t):
            return
        elif pattern.op in ("add", "mul", "and", "or"):
            for found, _ in self.subset(pattern.args, t.args, binding):
                yield found
        elif pattern.op == "red":
            yield from self._reduction(pattern, t, binding)
        else:
            yield from self._in_order(pattern, t, binding)

    def _open(self, pattern: Term) -> bool:
        return any(v in pattern.free or v.op != "idx" for v in self.variables)

    def _bound(self, pattern: Term, binding: Binding) -> bool:
        """Whether every variable of the pattern is known."""
        return all(v in binding for v in pattern.free if v in self.variables)

    def _has_quotient(self, pattern: Term) -> bool:
        found = self.quotients.get(pattern)
        if found is None:
            found = any(x.op == "fn" and x.data in QUOTIENTS and x.free & self.variables for x in walk(pattern))
            self.quotients[pattern] = found
        return found

    def _in_order(self, pattern: Term, t: Term, binding: Binding) -> Iterator[Binding]:
        yield from self._sequence(pattern.args, t.args, binding)
        if pattern.op == "cmp" and pattern.data in ("==", "!="):
            yield from self._sequence(pattern.args, t.args[::-1], binding)

    def _sequence(self, patterns: Sequence[Term], terms: Sequence[Term], binding: Binding) -> Iterator[Binding]:
        if not patterns:
            yield binding
            return
        for found in self.unify(patterns[0], terms[0], binding):
            yield from self._sequence(patterns[1:], terms[1:], found)

    def subset(
        self, patterns: Sequence[Term], terms: Sequence[Term], binding: Binding = _EMPTY
    ) -> Iterator[tuple[Binding, list[Term]]]:
        """Bindings under which the patterns are among the terms, with the terms that are left over."""
        if any(self._has_quotient(p) for p in patterns):  # k//e is known where k is: it is matched last
            patterns = sorted(patterns, key=self._has_quotient)
        yield from self._subset(patterns, terms, binding)

    def _subset(
        self, patterns: Sequence[Term], terms: Sequence[Term], binding: Binding
    ) -> Iterator[tuple[Binding, list[Term]]]:
        if not patterns:
            yield binding, list(terms)
            return
        for k, t in enumerate(terms):
            for found in self.unify(patterns[0], t, binding):
                yield from self._subset(patterns[1:], [*terms[:k], *terms[k + 1 :]], found)

    def _reduction(self, pattern: Term, t: Term, binding: Binding) -> Iterator[Binding]:
        ours, theirs = pattern.args[1:], t.args[1:]
        for order in permutations(theirs) if len(theirs) <= 3 else (theirs,):
            if any(extent(a) is not extent(b) for a, b in zip(ours, order, strict=True)):
                continue
            names = [self.fresh.index(v) for v in ours]
            a = substitute(pattern.args[0], dict(zip(ours, names, strict=True)))
            b = substitute(t.args[0], dict(zip(order, names, strict=True)))
            for found in self.unify(a, b, binding):
                if all(not (value.free & frozenset(names)) for key, value in found.items() if key not in binding):
                    yield found


def _differ(pattern: Term, t: Term) -> bool:
    return pattern.op != t.op or pattern.data != t.data or len(pattern.args) != len(t.args)
