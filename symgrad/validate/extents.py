"""Extents at which a formula is judged: small, pairwise distinct where the formula lets them, or of length 1.

dims = choose_extents(program, 0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from symgrad.algebra.terms import BATCH, Term, extent, walk
from symgrad.formula.program import Program, Statement
from symgrad.validate.backends import EvaluationError
from symgrad.validate.conditioning import HOPELESS, condition, needs_regular
from symgrad.validate.sampling import SamplingError, sample_inputs
from symgrad.validate.sizes import dimension_names, integer_of, names_in, rational_of

POOLS = ((3, 4, 2, 5, 6, 7, 8, 9), (2, 5, 3, 7, 4, 6, 9, 8), (1,))
LARGEST_WORK = 60_000
DEARER = 8
MUCH_DEARER = 200
"""Times as many elements are touched rather than to let sizes coincide, or be 1."""
TRIES = 400
LARGEST_SIZE = 64
"""Beyond the small sizes each is looked for up to here."""


def choose_extents(
    program: Program, variant: int = 0, parameters: Mapping[str, Any] | None = None, largest: int = LARGEST_WORK
) -> dict[str, int]:
    """Sizes of all dimensions. Variants 0 and 1: pairwise distinct where the formula lets them; 2: mostly 1; 3, 4, 5:
    as these, in another order, and so on.

    `largest` bounds the elements that the evaluator touches, where the formula lets it: sizes that are distinct, and
    sizes that are no 1, may have more of them (`DEARER`).
    """
    values = {p.name: p.value for p in program.parameters} | dict(parameters or {})
    names = dimension_names(program)
    equations = dict(_equations_of_sizes(program))
    search = _Search(program, variant % 3 == 2, values, names, [n for n in names if n not in equations], largest)
    found = search.among(_small(search.free, variant)) or search.best() or search.among(_growing(search, variant))
    found = found or search.best()
    if found is None:
        raise SamplingError(f"no sizes of {', '.join(names)} were found at which every index has a range")
    return found


class _Search:
    """The smallest sizes so far, by kind: pairwise distinct (True), or not (False), or some that had better be no 1 are
    (None)."""

    def __init__(
        self,
        program: Program,
        is_unit: bool,
        values: Mapping[str, Any],
        names: Sequence[str],
        free: Sequence[str],
        largest: int,
    ) -> None:
        self.program, self.is_unit, self.values, self.largest = program, is_unit, values, largest
        self.names, self.free = names, list(free)
        self.made = [e for e in _all_extents(program) if e.op != "dim" and set(names_in(e)) & set(free)]
        self.loops, self.extents = _loops(program.statements), _all_extents(program)
        self.regular = needs_regular(program)
        self.smallest: dict[bool | None, tuple[int, dict[str, int]]] = {}

    def complete(self, dims: Mapping[str, int]) -> dict[str, int] | None:
        """All sizes, where every index has a range."""
        got = _complete(self.program, dims, self.values, self.extents)
        return None if got is None or any(n not in got for n in self.names) else got

    def among(self, candidates: Iterator[dict[str, int]]) -> dict[str, int] | None:
        """The first of the candidates that is as one would have it; the others are remembered."""
        for dims in candidates:
            got = self.complete(dims)
            if got is None:
                continue
            kind, work = self.kind(got), _elements(self.loops, got, self.values)
            if kind in self.smallest and work >= self.smallest[kind][0]:
                continue
            if self.regular and not _can_be_regular(self.program, got, self.values):
                continue
            if work <= self.largest and kind:
                return got
            self.smallest[kind] = work, got
        return None

    def kind(self, got: Mapping[str, int]) -> bool | None:
        """Of which kind sizes are."""
        if self.is_unit:
            return True
        if not _has_steps(self.program, got, self.values) or 1 in [got[n] for n in self.free]:
            return None
        if any(integer_of(e, got, self.values) == 1 for e in self.made):
            return None
        return len({got[n] for n in self.free}) == len(self.free)

    def best(self) -> dict[str, int] | None:
        """Distinct ones; else ones that are no 1; else any; the first two only if they are not too dear."""
        for kind, times in ((True, DEARER), (False, MUCH_DEARER)):
            if kind in self.smallest and self.smallest[kind][0] <= times * self.largest:
                return self.smallest[kind][1]
        return min(self.smallest.values(), key=lambda found: found[0], default=(0, None))[1]


def _has_steps(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    """Whether each recurrence takes more than its first step."""
    times = {extent(s.recurrence.time) for s in program.statements if s.recurrence is not None}
    return all(integer_of(e, dims, parameters) > 1 for e in times)


def _can_be_regular(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    """Whether the matrices that are inverted are not singular for all data of these sizes."""
    data = sample_inputs(program, dims, (2,), np.random.default_rng(0), 1.0, parameters)
    return condition(program, data, parameters) < HOPELESS


def _small(names: list[str], variant: int) -> Iterator[dict[str, int]]:
    """Sizes below 10; for variant 2 below 5, and mostly 1."""
    pool = POOLS[variant % 3]
    rng = np.random.default_rng(1000 + variant)
    yield {n: pool[(k + variant // 3) % len(pool)] for k, n in enumerate(names)}
    small = np.arange(1, 10) if variant % 3 < 2 else np.array([1, 1, 1, 2, 3, 4])
    for k in range(TRIES):
        top = small[: max(len(names) + 1, 9 - k // 40)] if variant % 3 < 2 else small
        distinct = variant % 3 < 2 and k < TRIES // 2 and len(names) <= len(top)
        picked = rng.choice(
            top[1:] if distinct and len(names) < len(top) else top, size=len(names), replace=not distinct
        )
        yield dict(zip(names, (int(p) for p in picked), strict=True))
    for k in range(TRIES if variant % 3 < 2 else 0):
        picked = rng.integers(1, 4 if k < TRIES // 2 else 3, size=len(names))
        yield dict(zip(names, (int(p) for p in picked), strict=True))


def _growing(search: _Search, variant: int) -> Iterator[dict[str, int]]:
    """Sizes up to `LARGEST_SIZE` where no small ones will do (wide kernels, large steps), each then made smaller."""
    rng = np.random.default_rng(2000 + variant)
    found: dict[bool | None, dict[str, int]] = {}
    for k in range(TRIES):
        top = min(LARGEST_SIZE, 8 + k // 4)
        dims = {n: int(v) for n, v in zip(search.free, rng.integers(1, top + 1, size=len(search.free)), strict=True)}
        got = search.complete(dims)
        if got is not None:
            found.setdefault(search.kind(got), dims)
        if True in found:
            break
    yield from (_reduced(search, dims, kind) for kind, dims in found.items())


def _reduced(search: _Search, dims: dict[str, int], kind: bool | None) -> dict[str, int]:
    """Each size in turn as small as it can be, if possible another than the others and no 1."""
    for n in search.free:
        taken = set() if search.is_unit else {1, *(v for m, v in dims.items() if m != n)}
        smaller = (v for v in range(1, dims[n]) if v not in taken)
        tried = ((v, search.complete({**dims, n: v})) for v in smaller)
        fitting = (v for v, got in tried if got is not None and search.kind(got) in (kind, True))
        dims = {**dims, n: next(fitting, dims[n])}
    return dims


def _complete(
    program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any], extents: Sequence[Term]
) -> dict[str, int] | None:
    """The sizes with those that an equation gives, or None where some of the extents would have no value."""
    got = {**dims, BATCH: 6}
    try:
        for name, t in _equations_of_sizes(program):
            if not any(n not in got for n in names_in(t)):
                got[name] = integer_of(t, got, parameters)
        fits = all(n >= 1 for n in got.values()) and _facts_of_sizes_hold(program, got, parameters)
        fits = fits and all(integer_of(e, got, parameters) >= 1 for e in extents)
    except (EvaluationError, ZeroDivisionError, KeyError):
        return None
    return got if fits else None


def _equations_of_sizes(program: Program) -> list[tuple[str, Term]]:
    """Facts `d == h*e`, one dimension alone on a side."""
    out: dict[str, Term] = {}
    for f in program.facts:
        c = f.condition
        if c.op != "cmp" or c.data != "==" or c.tensors or c.free:
            continue
        for left, right in (c.args, c.args[::-1]):
            if left.op == "dim" and str(left.data) not in names_in(right) and str(left.data) not in out:
                out[str(left.data)] = right
                break
    return list(out.items())


def _facts_of_sizes_hold(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    for f in program.facts:
        c = f.condition
        if c.op == "cmp" and not c.tensors and not any(x.op == "idx" for x in walk(c)):
            a, b = (rational_of(t, dims, parameters) for t in c.args)
            if not {"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b}[str(c.data)]:
                return False
    return True


def _all_extents(program: Program) -> list[Term]:
    """Extents of all indices and axes."""
    found: dict[Term, None] = {}
    for s in program.statements:
        for t in (*s.indices, *walk(s.body)):
            if t.op == "idx":
                found[extent(t)] = None
    for tensor in program.inputs:
        found.update(dict.fromkeys(tensor.shape))
    return list(found)


def work_of(statements: Sequence[Statement], dims: Mapping[str, int], parameters: Mapping[str, Any]) -> int:
    """Elements that the evaluator touches, term by term, about."""
    return _elements(_loops(tuple(statements)), dims, parameters)


Loops = Mapping[tuple[Term, ...], int]


@lru_cache(maxsize=64)
def _loops(statements: tuple[Statement, ...]) -> Loops:
    """The extents over which terms run, and how many terms run over each."""
    found: Counter[tuple[Term, ...]] = Counter()
    for s in statements:
        for t in walk(s.body):
            axes = {*t.free, *(t.args[1:] if t.op == "red" else ())}
            found[tuple(sorted(map(extent, axes), key=lambda e: e.digest))] += 1
    return found


def _elements(loops: Loops, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> int:
    size = {e: integer_of(e, dims, parameters) for e in {e for extents in loops for e in extents}}
    return sum(count * prod(size[e] for e in extents) for extents, count in loops.items())
