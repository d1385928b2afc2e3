"""Reductions of one array, and what `...` needs: several axes made one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgrad.algebra.terms import Term, extent, idx
from symgrad.lower.arrays import Expr, Flatten, Frame, Read, Reduce, Transpose, Window, is_batch
from symgrad.lower.elementwise import as_real
from symgrad.lower.frames import complete, transposed
from symgrad.lower.scope import Guard, Scope, is_short
from symgrad.lower.sharing import wish

FIRST = {"max_first": "max", "min_first": "min"}


def lower_reduction(kind: str, body: Term, over: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """Any reduction but a sum: the body is computed elementwise, then reduced."""
    operand = complete(as_real(scope.lower(body, guard)), over, scope.order)
    if kind == "argmax":
        operand = transposed(operand, (*(i for i in operand.frame if i not in over), *over))
    return reduced(FIRST.get(kind, kind), operand, over, scope)


def reduced(kind: str, operand: Expr, over: Iterable[Term], scope: Scope) -> Expr:
    """The reduction over those indices; batch axes are made one axis first, unless everything is reduced by a sum."""
    gone = frozenset(over) & frozenset(operand.frame)
    if not gone:
        return operand
    if any(is_batch(i) for i in gone) and not (kind == "sum" and len(gone) == len(operand.frame)):
        operand = flattened(operand, scope)
        gone = frozenset(flat_index(i) for i in gone)
    rest = tuple(i for i in operand.frame if i not in gone)
    summed = tuple(i for i in operand.frame if i in gone)
    dtype = "int" if kind == "argmax" else operand.dtype
    return Reduce(rest, dtype, kind, operand, summed, _are_taps(operand, summed, scope))


def _are_taps(e: Expr, over: Frame, scope: Scope) -> bool:
    """Whether the axes are those of windows of the operand, or of a size that no input has."""
    if all(is_short(i) for i in over):
        return bool(over)
    while isinstance(e, Transpose) or (isinstance(e, Read) and scope.part_of(e) is not None):
        e = e.operand if isinstance(e, Transpose) else scope.part_of(e) or e
    taps = set()
    while isinstance(e, Window):
        taps |= {e.frame[-1]} if e.size is not None else set()
        e = e.operand
    return bool(over) and set(over) <= taps


def flat_index(index: Term) -> Term:
    """The index of the axis that the batch axes become."""
    return idx("batch", extent(index)) if is_batch(index) else index


def flattened(e: Expr, scope: Scope) -> Expr:
    """The array with its batch axes made one; an array without them as it is."""
    if not any(is_batch(i) for i in e.frame):
        return e
    if not isinstance(e, Read):
        e = scope.part(e, wish(e))
    return Flatten(tuple(flat_index(i) for i in e.frame), e.dtype, e)
