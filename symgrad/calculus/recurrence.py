"""Across time: what a step gives to the step before it, and which statements of a recurrence carry a tangent.

h[t] = f(h[t - 1], ...)    gives    dh[t] += [t + 1 < T] dh[t + 1] df/dh at t + 1
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symgrad.algebra.build import add, compare, iverson, mul, neg, sub, substitute
from symgrad.algebra.terms import ZERO, coefficient, extent, is_num, node
from symgrad.calculus.adjoint import Contribution
from symgrad.formula.blocks import Block, axis_of_time
from symgrad.formula.program import Statement


def at_the_step(c: Contribution, reader: Statement, read: Statement) -> Contribution:
    """A contribution of a step to another one, written at the step that receives it.

    `h[t - 1]` read with cotangent e(t) is `h[t]` read with `[t + 1 < T] e(t + 1)`.
    """
    assert reader.recurrence is not None
    time, axis = reader.recurrence.time, axis_of_time(read)
    offset = sub(c.access.args[axis], time)
    if offset is ZERO or not is_num(offset):
        return c
    moved = {time: add(time, neg(offset))}
    ends = compare("<=", ZERO, moved[time]), compare("<", moved[time], extent(time))
    inside = ends[coefficient(offset)[0] < 0]
    subscripts = tuple(time if k == axis else substitute(s, moved) for k, s in enumerate(c.access.args))
    access = node(c.access.op, subscripts, c.access.data)
    return replace(c, access=access, cotangent=mul(iverson(inside), substitute(c.cotangent, moved)))


def is_parallel(reader: Statement, read: Statement) -> bool:
    """Whether both are made step by step over the same time."""
    both = reader.recurrence is not None and read.recurrence is not None
    return both and reader.recurrence.time is read.recurrence.time  # type: ignore[union-attr]


def reached(block: Block, start: Collection[str], forward: bool) -> frozenset[str]:
    """The statements of a block that names lead to, across any number of steps.

    `forward`: those whose value depends on `start`; else those on which a statement of `start` depends.
    """
    found = {s.name for s in block if s.name in start or (forward and s.body.tensors & set(start))}
    while True:
        more = {s.name for s in block if s.body.tensors & found}
        if not forward:
            more = {s.name for s in block if any(s.name in r.body.tensors for r in block if r.name in found)}
        if more <= found:
            return frozenset(found)
        found |= more
