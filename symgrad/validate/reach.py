"""How far the judges go: the whole protocol where a formula is small; of a large one, each part that it uses alone.

What is looked at follows from terms, sizes and inputs, never from a clock, so that a certificate can be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.formula.program import Formula, Program, Statement
from symgrad.validate.extents import work_of
from symgrad.validate.points import Point, place
from symgrad.validate.precise import Closed
from symgrad.validate.sizes import bind_sizes

LARGE = 10_000
"""Scalar operations of the value at the judged sizes, about, beyond which a formula is judged by its parts too."""
MOST_WORK = 3_000_000
"""Elements that multiprecision touches in all, for each direction in which it differentiates, about."""
OF_A_WHOLE = 2
"""Points at which multiprecision looks at a formula whose parts are judged alone."""
A_TERM = 60
"""Elements that take as long as one more term does."""


@dataclass(frozen=True)
class Reach:
    """How much of the protocol is done, in words; `parts`: formulas to be judged alone."""

    words: str
    points: tuple[Point, ...]
    parts: tuple[Formula, ...] = ()


def reach_of(program: Program, formula: Formula | None, points: Sequence[Point], forms: Sequence[Closed] = ()) -> Reach:
    """Which of the points multiprecision looks at, and which parts are judged alone; `forms`: the closed forms."""
    at = place(program, 0)
    work = work_of(program.statements, at.dims, at.parameters)
    more = work_of(statements_of(forms), at.dims, at.parameters)
    uses: Mapping[str, Formula] = formula.uses if formula is not None and work > LARGE else {}
    parts = {f.sha256: f for f in uses.values()}
    chosen = affordable(program, points, OF_A_WHOLE if parts else len(points))
    words = f"about {work} scalar operations at the judged sizes, {more} in the closed forms"
    if len(chosen) == len(points):
        words += "; every judge at all of its points"
    else:
        words += f"; multiprecision at {len(chosen)} of {len(points)} points"
    if parts:
        words += f"; the parts {', '.join(f.name for f in parts.values())} each alone"
    return Reach(words, tuple(chosen), tuple(parts.values()))


def statements_of(forms: Sequence[Closed]) -> tuple[Statement, ...]:
    """Closed forms and what they define, each definition once."""
    defined = (Statement(d.name, tuple(d.indices), d.body) for f in forms for d in f.where)
    closed = (Statement(f"d{f.input}", tuple(f.indices), f.closed) for f in forms)
    return tuple(dict.fromkeys((*defined, *closed)))


def sizes_of(program: Program, point: Point) -> Mapping[str, int]:
    """Dimension -> size at a point."""
    return bind_sizes(program, {n: tuple(np.shape(a)) for n, a in point.inputs.items()}, point.parameters).dims


def affordable(program: Program, points: Sequence[Point], most: int) -> list[Point]:
    """As many of the points, evenly spread, as multiprecision can look at: one normal one at least."""
    terms = sum(s.body.size for s in program.statements)
    once = [work_of(program.statements, sizes_of(program, p), p.parameters) + A_TERM * terms for p in points]
    cost = sum(once) * (2 + min(len(program.wrt), 4))
    count = max(1, min(most, int(len(points) * min(1.0, MOST_WORK / max(1, cost)))))
    return [points[k * len(points) // count] for k in range(min(count, len(points)))]


def described(points: Mapping[str, Sequence[Point]]) -> list[dict[str, Any]]:
    """Every point with its sizes and the judges that looked at it, in the order in which they did."""
    judges: dict[int, list[str]] = {}
    by_number: dict[int, Point] = {}
    for judge, seen in points.items():
        for p in seen:
            by_number.setdefault(id(p), p)
            judges.setdefault(id(p), []).append(judge)
    return [
        {
            "kind": p.kind,
            "at": p.label,
            "shapes": {n: list(np.shape(a)) for n, a in p.inputs.items()},
            "judges": judges[number],
        }
        for number, p in by_number.items()
    ]
