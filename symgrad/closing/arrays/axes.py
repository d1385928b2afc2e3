"""Orders of axes: how NumPy aligns them from the last, and ways to name, drop and turn them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from symgrad.algebra.terms import (
    BATCH,
    Term,
    is_access,
    walk,
)
from symgrad.closing.arrays.tree import Tree, transpose

Order = tuple[Term, ...]


def is_batch(i: Term) -> bool:
    """Whether the index stands for the leading axes `...`."""
    return i.data == BATCH


def places_of(body: Term, over: Sequence[Term], order: Order) -> Iterator[tuple[Order, list[int], bool, int]]:
    """Orders of the axes of a body, which of them are reduced, and whether they stay as axes of size 1.

    The number: how many axes in front are summed afterwards, as the result has no room for axes of size 1 there.
    """
    present = [i for i in order if i in body.free]
    if any(v not in body.free for v in over):
        return
    first = order.index(present[0]) if present else 0
    absent = [k for k in range(first, len(order)) if order[k] not in body.free]
    if not present or not absent:
        for inner in inner_orders(body, over, present):
            yield inner, [k for k, i in enumerate(inner) if i in over], False, 0
    elif len(over) >= len(absent):
        # sizes of 1 stand where the order has an axis that the body lacks
        more = min(len(over) - len(absent), first)
        front = len(over) - len(absent) - more
        first -= more
        absent = [*range(first, first + more), *absent]
        for vs in permutations(over):
            filled = list(order)
            for k, v in zip(absent, vs[front:], strict=True):
                filled[k] = v
            yield (*vs[:front], *filled[first:]), [k - first + front for k in absent], True, front


def inner_orders(body: Term, over: Sequence[Term], present: Sequence[Term]) -> Iterator[Order]:
    """Orders of all axes of a body: those that its tensors have, else the reduced ones first or last."""
    axes = {*over, *present}
    found: dict[Order, None] = {}
    for t in walk(body):
        if is_access(t) and set(t.args) == axes and [i for i in t.args if i in present] == list(present):
            found[t.args] = None
    # a batch stands before all other axes
    lead = [i for i in (*present, *over) if is_batch(i)]
    rest = [v for v in over if v not in lead]
    for vs in permutations(rest) if len(rest) < 4 else ():
        kept = [i for i in present if i not in lead]
        found.setdefault((*lead, *kept, *vs))
        found.setdefault((*lead, *vs, *kept))
    yield from found


def axis_text(axes: Sequence[int], rank: int, batched: bool) -> str:
    """Numbers of axes as NumPy counts them: from the last where there are batch axes, -1 for the last of several."""
    one = len(axes) == 1
    numbers = [k - rank if batched or (one and 0 < k == rank - 1) else k for k in axes]
    shown = ["..." if batched and k == -rank else str(k) for k in numbers]
    return shown[0] if one else "(" + ", ".join(shown) + ")"


def aligned(axes: Sequence[Term | None], order: Order) -> bool:
    """Whether axes, aligned from the last, are those of the order; one of size 1 fits any."""
    if len(axes) > len(order):
        return False
    return all(a is None or a is o for a, o in zip(axes, order[len(order) - len(axes) :], strict=True))


def variants_of(tree: Tree, axes: tuple[Term | None, ...]) -> Iterator[tuple[Tree, tuple[Term | None, ...]]]:
    """An array and its axes as they stand, and turned."""
    yield tree, axes
    if not axes:
        return
    batched = axes[0] is not None and is_batch(axes[0])
    if len(axes) - batched == 2:
        yield transpose(tree, batched), (*axes[:-2], axes[-1], axes[-2])
    elif not batched and len(axes) > 2:
        yield transpose(tree), axes[::-1]
        yield transpose(tree, True), (*axes[:-2], axes[-1], axes[-2])


def turned_order(order: Order) -> Order | None:
    """The order with its last two axes exchanged, where a transpose does that."""
    batched = bool(order) and is_batch(order[0])
    if len(order) - batched != 2:
        return None
    return (*order[:-2], order[-1], order[-2])
