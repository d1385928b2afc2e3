"""Gradients of what is read in blocks, such as stacked gates: one branch for each block, simplified by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symgrad.algebra.affine import affine_in
from symgrad.algebra.build import add, compare, mul, open_reduction, reduce, sub, substitute, where
from symgrad.algebra.terms import ONE, ZERO, Term, extent, factors_of, terms_of
from symgrad.formula.polynomial import same
from symgrad.rewrite.context import Context
from symgrad.rules.digits import is_whole
from symgrad.rules.sums import outside_zero


@dataclass(frozen=True)
class Block:
    """`value` at `position`, an index of its own, for the positions `start`, `start` + 1, ... of the whole."""

    start: Term
    position: Term
    value: Term


def in_blocks(t: Term, closed: Callable[[Term], Term], context: Context) -> Term | None:
    """sum_j [r == j + o] f(j) + sum_j [r == j + o'] g(j) + ... as branches on r, each in its closed form."""
    parts = terms_of(t)
    if len(parts) < 2:
        return None
    for r in sorted(t.free, key=lambda i: str(i.data)):
        blocks = [_block(p, r, context) for p in parts]
        found = [b for b in blocks if b is not None]
        if len(found) == len(parts):
            ordered = _ordered(_joined(found), context)
            return None if ordered is None or len(ordered) < 2 else _branches(ordered, r, closed)
    return None


def _block(t: Term, r: Term, context: Context) -> Block | None:
    """c * sum_j [r == j + o] f(j), with o free of indices."""
    sums = [f for f in factors_of(t) if f.op == "red" and f.data == "sum" and r in f.free]
    if len(sums) != 1:
        return None
    body, variables = open_reduction(sums[0], context.fresh)
    for f in factors_of(body):
        c = f.args[0] if f.op == "iv" else f
        if c.op != "cmp" or c.data != "==" or r not in c.free:
            continue
        for v in variables:
            start = _offset(c, r, v, context)
            if start is not None:
                rest = mul(
                    *(g for g in factors_of(body) if g is not f), *(g for g in factors_of(t) if g is not sums[0])
                )
                value = reduce("sum", substitute(rest, {r: add(v, start)}), [x for x in variables if x is not v])
                return Block(start, v, value)
    return None


def _offset(c: Term, r: Term, v: Term, context: Context) -> Term | None:
    """o where the condition is r == v + o."""
    parts = affine_in(sub(*c.args), r)
    if parts is None or v not in parts[1].free:
        return None
    slope, rest = parts
    shifted = rest if slope is not ONE else sub(ZERO, rest)
    start = sub(shifted, v)
    return start if not start.free and is_whole(start, context) else None


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that start at the same place as one."""
    found: list[Block] = []
    for b in blocks:
        k = next(
            (k for k, o in enumerate(found) if same(o.start, b.start) and extent(o.position) is extent(b.position)), -1
        )
        if k < 0:
            found.append(b)
        else:
            o = found[k]
            found[k] = Block(o.start, o.position, add(o.value, substitute(b.value, {b.position: o.position})))
    return found


def _ordered(blocks: Sequence[Block], context: Context) -> list[Block] | None:
    """The blocks from the first to the last; None where two may overlap."""
    left, found = list(blocks), []
    while left:
        first = next(
            (b for b in left if all(o is b or context.bounds.at_least(sub(o.start, _end(b))) for o in left)), None
        )
        if first is None:
            return None
        found.append(first)
        left.remove(first)
    return found


def _end(b: Block) -> Term:
    return add(b.start, extent(b.position))


def _branches(blocks: Sequence[Block], r: Term, closed: Callable[[Term], Term]) -> Term:
    """The last block outwards to the first; where no block is the value is 0."""
    last = blocks[-1]
    total, begin = ZERO, extent(r)
    for b in reversed(blocks):
        value = closed(b.value)
        # what is read under a condition is read as the language reads it: 0 where the condition fails
        value = value if b.start is ZERO else outside_zero(value, b.position)
        value = substitute(value, {b.position: sub(r, b.start)})
        rest = total if same(begin, _end(b)) or b is last else where(compare("<", r, begin), ZERO, total)
        total = value if b is last and same(begin, _end(b)) else where(compare("<", r, _end(b)), value, rest)
        begin = b.start
    return total if same(begin, ZERO) else where(compare("<", r, begin), ZERO, total)


__all__ = ["in_blocks"]
