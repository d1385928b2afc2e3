"""Sums: of products by pairwise contraction, of everything else by an elementwise map and a reduction.

Factors with the same indices are multiplied elementwise; an index that only one factor has is summed there first; then
pairs are contracted, the cheapest first. No array over all indices is made unless a factor already has them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.build import conjunction, iverson, mul
from symgrad.algebra.terms import ZERO, Term, coefficient, extent, factors_of, terms_of, walk
from symgrad.lower.arrays import Contract, Expr, Frame, is_batch
from symgrad.lower.elementwise import as_real, mapped, number, select
from symgrad.lower.links import linked
from symgrad.lower.matrices import solution
from symgrad.lower.products import fraction, lower_divisors, split_powers, times
from symgrad.lower.reduction import flat_index, flattened, reduced
from symgrad.lower.scatter import lower_scatter, scattered
from symgrad.lower.scope import Guard, Scope, is_scalar

TYPICAL_EXTENT, TYPICAL_BATCH = 64, 512


def lower_sum(body: Term, over: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """body summed over indices; an index that the body lacks multiplies by its extent."""
    unused = [v for v in over if v not in body.free]
    if unused:
        used = [v for v in over if v in body.free]
        rest = lower_sum(body, used, scope, guard) if used else as_real(scope.lower(body, guard))
        c, scalars = coefficient(mul(*(extent(v) for v in unused)))
        return fraction(scope, c, (list(factors_of(scalars)), []), [rest], [])
    if body.op == "add" and _split(body, over, scope):
        total = lower_sum(terms_of(body)[0], over, scope, guard)
        for t in terms_of(body)[1:]:
            total = mapped(scope, "add", total, lower_sum(t, over, scope, guard))
        return total
    body, over = linked(body, over, scope) or (body, over)
    if not over:
        return as_real(scope.lower(body, guard))
    found = scattered(body, over, scope)
    if found is not None:
        return lower_scatter(found, over, scope, guard)
    return _product_sum(body, over, scope, guard)


def _split(body: Term, over: Sequence[Term], scope: Scope) -> bool:
    """Whether the terms of a sum are summed one by one: where one scatters, or no access has all the indices."""
    if any(linked(t, over, scope) or scattered(t, over, scope) for t in terms_of(body)):
        return True
    return not any(t.op in ("get", "get0", "mat") and t.free >= body.free for t in walk(body))


def _product_sum(body: Term, over: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    c, rest = coefficient(body)
    outer = [f for f in factors_of(rest) if not f.free & frozenset(over)]
    inner = [f for f in factors_of(rest) if f.free & frozenset(over)]
    brackets = [f.args[0] for f in outer if f.op == "iv"]
    above, below = split_powers([f for f in outer if f.op != "iv"])
    guard = (*guard, *brackets)
    tops = [as_real(scope.lower(f, guard)) for f in above if not is_scalar(f)]
    bottoms = [e for f in below if not is_scalar(f) for e in lower_divisors(f, scope, guard)]
    total = contracted(groups_of(inner, scope, guard), over, scope)
    scalars = [f for f in above if is_scalar(f)], [f for f in below if is_scalar(f)]
    e = fraction(scope, c, scalars, [*tops, total], bottoms)
    if not brackets:
        return e
    return select(scope, scope.lower(conjunction(*brackets)), e, number(ZERO))


# ---- factors grouped by their indices -------------------------------------------------------------------------------


@dataclass
class Group:
    """Factors over the same indices, and the brackets that are applied to their product."""

    free: frozenset[Term]
    factors: list[Term]
    conditions: list[Term]

    def lower(self, scope: Scope, guard: Guard) -> Expr:
        """The product, elementwise."""
        e = scope.lower(mul(*self.factors, *(iverson(c) for c in self.conditions)), guard)
        return as_real(e)


def groups_of(factors: Sequence[Term], scope: Scope, guard: Guard) -> list[Expr]:
    """The factors of a product, those over the same indices multiplied; all of them are finite where a bracket is 0."""
    groups: dict[frozenset[Term], Group] = {}
    conditions: list[Term] = []
    for f in factors:
        if f.op == "iv":
            conditions.append(f.args[0])
        else:
            groups.setdefault(f.free, Group(f.free, [], [])).factors.append(f)
    listed = list(groups.values())
    for c in conditions:
        listed = _attach(c, listed)
    return [g.lower(scope, (*guard, *conditions)) for g in listed]  # 0 in one group, infinite in another


def _attach(c: Term, groups: list[Group]) -> list[Group]:
    """A bracket goes to the smallest group that has its indices, else to the largest that it covers, else alone."""
    covering = [g for g in groups if g.free >= c.free]
    if covering:
        min(covering, key=lambda g: len(g.free)).conditions.append(c)
        return groups
    covered = [g for g in groups if g.free <= c.free and g.free]
    if covered:
        g = max(covered, key=lambda g: len(g.free))
        g.conditions.append(c)
        g.free = c.free
        return groups
    return [*groups, Group(c.free, [], [c])]


# ---- pairwise contraction -------------------------------------------------------------------------------------------


def contracted(operands: Sequence[Expr], over: Sequence[Term], scope: Scope) -> Expr:
    """The sum over indices of a product of arrays."""
    work = _merge_equal(list(operands), scope)
    gone = frozenset(over)
    while len(work) > 1:
        work = [_presum(e, k, work, gone, scope) for k, e in enumerate(work)]
        work = _merge_equal(work, scope)
        if len(work) == 1:
            break
        a, b = _cheapest(work, gone)
        left, right = work[a], work[b]
        rest = [e for k, e in enumerate(work) if k not in (a, b)]
        work = _merge_equal([*rest, _pair(left, right, _closing(left, right, rest, gone), scope)], scope)
    return reduced("sum", work[0], over, scope)


def _merge_equal(work: list[Expr], scope: Scope) -> list[Expr]:
    """Arrays over the same indices, multiplied elementwise."""
    merged: dict[frozenset[Term], list[Expr]] = {}
    for e in work:
        merged.setdefault(frozenset(e.frame), []).append(e)
    return [times(scope, group) for group in merged.values()]


def _presum(e: Expr, k: int, work: Sequence[Expr], gone: frozenset[Term], scope: Scope) -> Expr:
    others = frozenset(i for j, o in enumerate(work) if j != k for i in o.frame)
    return reduced("sum", e, [i for i in e.frame if i in gone and i not in others], scope)


def _closing(left: Expr, right: Expr, rest: Sequence[Expr], gone: frozenset[Term]) -> Frame:
    later = frozenset(i for e in rest for i in e.frame)
    return tuple(i for i in left.frame if i in right.frame and i in gone and i not in later)


def _size(frame: frozenset[Term]) -> int:
    size = 1
    for i in sorted(frame, key=lambda i: str(i.data)):
        size *= TYPICAL_BATCH if is_batch(i) else TYPICAL_EXTENT
    return size


def _cheapest(work: Sequence[Expr], gone: frozenset[Term]) -> tuple[int, int]:
    best: tuple[int, int, int, int] | None = None
    for a in range(len(work)):
        for b in range(a + 1, len(work)):
            both = frozenset(work[a].frame) | frozenset(work[b].frame)
            rest = [e for k, e in enumerate(work) if k not in (a, b)]
            result = both - frozenset(_closing(work[a], work[b], rest, gone))
            best = min(best or (1 << 200, 0, 0, 0), (_size(both), _size(result), a, b))
    assert best is not None
    return best[2], best[3]


def _pair(left: Expr, right: Expr, over: Frame, scope: Scope) -> Expr:
    """One contraction; without a common summed index an elementwise product."""
    if not over:
        return times(scope, [left, right])
    if any(is_batch(i) for i in over):
        left, right = flattened(left, scope), flattened(right, scope)
        return _pair(left, right, tuple(flat_index(i) for i in over), scope)
    return contraction(left, right, over, scope)


def contraction(left: Expr, right: Expr, over: Frame, scope: Scope) -> Expr:
    """The contraction of two arrays, the left one being the one whose indices come first in the result."""
    solved = solution(left, right, over, scope)
    if solved is not None:
        return solved
    shared = [i for i in left.frame if i in right.frame and i not in over]
    own = [i for i in left.frame if i not in right.frame]
    new = [i for i in right.frame if i not in left.frame]
    if not own or (new and scope.order.sort([*own, *new])[0] in new):
        left, right, own, new = right, left, new, own
    shared = [i for i in left.frame if i in shared]
    aligned = list(left.frame[: len(shared)]) == list(right.frame[: len(shared)]) == shared
    frame = (*(shared if aligned else scope.order.sort(shared)), *own, *new)
    batch = [i for i in frame if is_batch(i)]  # `...` leads every array
    return Contract((*batch, *(i for i in frame if i not in batch)), "real", left, right, over)
