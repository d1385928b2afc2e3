"""Which statements are made together, step by step: those of a recurrence that read one another across time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgrad.algebra.terms import is_access, walk
from symgrad.formula.program import Statement

Block = tuple[Statement, ...]


def blocks(statements: Sequence[Statement]) -> list[Block]:
    """The statements in order, each alone or in its recurrence; what a recurrence does not enter stands before it."""
    at = {s.name: k for k, s in enumerate(statements) if s.recurrence is not None}
    found: list[Block] = []
    k = 0
    while k < len(statements):
        end, j = k, k
        while j <= end:
            if statements[j].recurrence is not None:
                end = max(end, *(at.get(n, 0) for n in statements[j].body.tensors), end)
            j += 1
        span = statements[k : end + 1]
        together = tuple(s for s in span if s.recurrence is not None) if is_recurrent(span) else ()
        found += [(s,) for s in span if s not in together]
        if together:
            found.append(together)
        k = end + 1
    return found


def is_recurrent(block: Iterable[Statement]) -> bool:
    """Whether the statements must be made step by step: one of them reads itself or a later one."""
    waiting = [s for s in block if s.recurrence is not None]
    return any(s.body.tensors & {t.name for t in waiting[k:]} for k, s in enumerate(waiting))


def states(block: Block) -> tuple[Statement, ...]:
    """The statements of a recurrence that are read at another step than their reader's."""
    return tuple(s for s in block if any(_reads_across(r, s) for r in block))


def _reads_across(reader: Statement, read: Statement) -> bool:
    if reader.recurrence is None or read.name not in reader.body.tensors:
        return False
    axis, time = axis_of_time(read), reader.recurrence.time
    return any(is_access(t) and t.data == read.name and t.args[axis] is not time for t in walk(reader.body))


def reads_across(s: Statement) -> bool:
    """Whether a statement of a recurrence reads another step than its own, as far as its body shows."""
    if s.recurrence is None:
        return False
    steps = (a for t in walk(s.body) if is_access(t) for a in t.args)
    return any(a is not s.recurrence.time and s.recurrence.time in a.free for a in steps)


def axis_of_time(s: Statement) -> int:
    """The number of the axis over which a statement of a recurrence runs."""
    assert s.recurrence is not None
    return s.indices.index(s.recurrence.time)
