"""Steps for people: indices of opened sums get letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, count

from symgrad.algebra.build import substitute
from symgrad.algebra.show import LETTERS
from symgrad.algebra.terms import Term, by_name, extent, idx
from symgrad.rewrite.rule import Step


def readable(steps: Iterable[Step], taken: frozenset[str]) -> tuple[Step, ...]:
    """The steps with letters for `%1`, `%2`, ...; a step that repeats one of the same subject is dropped."""
    found: dict[tuple[str, str, Term, Term], Step] = {}
    for s in steps:
        names = _letters(s.before, s.after, taken)
        before, after = substitute(s.before, names), substitute(s.after, names)
        if before is not after:
            found.setdefault((s.rule.name, s.subject, before, after), replace(s, before=before, after=after))
    return tuple(found.values())


def _letters(before: Term, after: Term, taken: frozenset[str]) -> dict[Term, Term]:
    free = by_name(before.free | after.free)
    used = {str(i.data) for i in free if str(i.data)[0] != "%"} | taken
    opened = sorted((i for i in free if str(i.data)[0] == "%"), key=lambda i: int(str(i.data)[1:]))
    pool = chain((c for c in LETTERS if c not in used), (f"i{k}" for k in count(1)))
    return {i: idx(next(pool), extent(i)) for i in opened}
