"""Frames: which axes an array has, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgrad.algebra.terms import Term
from symgrad.lower.arrays import Broadcast, Expr, Frame, Transpose, is_batch


class Order:
    """The order of indices in one statement: its signature first, then bound indices as they are opened."""

    def __init__(self, indices: Iterable[Term]) -> None:
        self.position: dict[Term, int] = {}
        for i in indices:
            self.add(i)

    def add(self, index: Term) -> None:
        """Puts an index behind all others, `...` in front."""
        self.position.setdefault(index, -1 if is_batch(index) else len(self.position))

    def sort(self, indices: Iterable[Term]) -> Frame:
        """The indices in this order."""
        return tuple(
            sorted(dict.fromkeys(indices), key=lambda i: (self.position.get(i, 1 << 20), str(i.data), i.digest))
        )

    def merge(self, frames: Sequence[Frame]) -> Frame:
        """A frame that holds all: the widest one where it does, so that nothing is transposed."""
        if not frames:
            return ()
        widest = max(frames, key=len)
        every = self.sort(i for f in frames for i in f)
        return widest if len(widest) == len(every) else every


def transposed(e: Expr, frame: Frame) -> Expr:
    """The expression with its axes in this order; the same set of axes."""
    if e.frame == frame:
        return e
    operand = e.operand if isinstance(e, Transpose) else e
    return operand if operand.frame == frame else Transpose(frame, e.dtype, operand)


def complete(e: Expr, indices: Sequence[Term], order: Order) -> Expr:
    """The expression with all these indices in its frame."""
    missing = [i for i in indices if i not in e.frame]
    return Broadcast(order.sort([*e.frame, *missing]), e.dtype, e) if missing else e
