"""Recurrences in the independent evaluator: which definitions read one another in a circle, and in which order.

Nothing is marked in a printed form, so the circle itself is found here, and the way that time runs: the first index
counts the steps, and what a step reads at t - 1 (or t + 1, backwards) was made before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symgrad.algebra.build import sub
from symgrad.algebra.terms import BATCH, ZERO, Term, is_access, is_num, value, walk
from symgrad.formula.program import Statement
from symgrad.validate.backends import EvaluationError


@dataclass(frozen=True)
class Circle:
    """Statements that read one another, in the order of one step. `step`: 1 forwards in time, -1 backwards."""

    statements: tuple[Statement, ...]
    step: int


def in_order(statements: Iterable[Statement]) -> tuple[Statement | Circle, ...]:
    """Each statement after those that it reads."""
    return _in_order(tuple(statements))


@lru_cache(maxsize=64)
def _in_order(statements: tuple[Statement, ...]) -> tuple[Statement | Circle, ...]:
    return tuple(_sorted(statements))


def _sorted(statements: Iterable[Statement]) -> Iterator[Statement | Circle]:
    waiting = {s.name: s for s in statements}
    while waiting:
        name = next((n for n, s in waiting.items() if not s.body.tensors & waiting.keys()), None)
        if name is not None:
            yield waiting.pop(name)
            continue
        circle = _first_circle(waiting)
        for s in circle:
            del waiting[s.name]
        yield _circle(circle)


def is_recurrent(statements: Iterable[Statement]) -> bool:
    """Whether some of the statements read one another in a circle."""
    return any(isinstance(s, Circle) for s in in_order(statements))


def _first_circle(waiting: dict[str, Statement]) -> list[Statement]:
    """Statements that read one another and nothing else that waits."""
    reach = {n: _reached(n, waiting) for n in waiting}
    for n in waiting:
        if n in reach[n] and all(n in reach[m] for m in reach[n]):
            return [s for m, s in waiting.items() if m in reach[n]]
    raise EvaluationError("definitions that nothing leads to")


def _reached(name: str, waiting: dict[str, Statement]) -> frozenset[str]:
    found: set[str] = set()
    queue = [name]
    while queue:
        for m in sorted(waiting[queue.pop()].body.tensors & waiting.keys()):
            if m not in found:
                found.add(m)
                queue.append(m)
    return frozenset(found)


def time_axis(s: Statement) -> int:
    """The axis that counts the steps: the first one behind the batch."""
    axis = int(bool(s.indices) and str(s.indices[0].data) == BATCH)
    if axis >= len(s.indices):
        raise EvaluationError(f"{s.name} is defined by itself and has no index to run over")
    return axis


def _circle(statements: Sequence[Statement]) -> Circle:
    members = {s.name: s for s in statements}
    signs: set[int] = set()
    now: dict[str, set[str]] = {n: set() for n in members}
    for s in statements:
        for t in walk(s.body):
            if is_access(t) and str(t.data) in members:
                offset = _offset(t.args[time_axis(members[str(t.data)])], s.indices[time_axis(s)])
                if offset:
                    signs.add(offset)
                else:
                    now[s.name].add(str(t.data))
    if len(signs) != 1:
        raise EvaluationError(f"{', '.join(members)}: steps of a recurrence that read each other both ways, or not")
    order: list[Statement] = []
    while len(order) < len(members):
        done = {s.name for s in order}
        ready = next((s for n, s in members.items() if n not in done and now[n] <= done), None)
        if ready is None:
            raise EvaluationError(f"{', '.join(members)} read each other in the same step")
        order.append(ready)
    return Circle(tuple(order), -signs.pop())


def _offset(subscript: Term, time: Term) -> int:
    """The sign of subscript - time."""
    d = sub(subscript, time)
    if not is_num(d):
        raise EvaluationError(f"a recurrence over {time!r} that reads at {subscript!r}")
    return 0 if d is ZERO else 1 if value(d) > 0 else -1
