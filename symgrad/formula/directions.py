"""Names for the direction in each differentiated input: v, or vx and vW; apart from every name of the formula."""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.algebra.terms import walk
from symgrad.formula.program import Program

DIRECTION = "v"
"""The direction of a single input; that of one of several is this with the input's name behind it."""


def direction_names(program: Program, index_names: Iterable[str]) -> dict[str, str]:
    """Input -> the name of the direction in it, for a program as it was read."""
    taken = _names(program) | set(index_names)
    found = {}
    for name in program.wrt:
        new = DIRECTION if len(program.wrt) == 1 else DIRECTION + name
        while new in taken:
            new += "_"
        taken.add(new)
        found[name] = new
    return found


def _names(program: Program) -> set[str]:
    names = {i.name for i in program.inputs} | {p.name for p in program.parameters}
    names |= {s.name for s in program.statements} | {f"d{s.name}" for s in program.statements}
    names |= {f"d{i.name}" for i in program.inputs}
    terms = [e for i in program.inputs for e in i.shape] + [s.body for s in program.statements]
    terms += [i for s in program.statements for i in s.indices]
    return names | {str(t.data) for e in terms for t in walk(e) if t.op in ("dim", "idx")}
