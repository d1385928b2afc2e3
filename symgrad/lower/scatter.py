"""Sums that hold [m == e], m a free index of the statement: values are added at the positions e.

`Sum_i dy[i, d]*[v == t[i]]` adds row i to row t[i]; `Sum_p dy[p]*[m == s*p + u]` is the transpose of a window.
Comparing every m with every summed position would cost the product of both extents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.affine import affine_in, solve_for
from symgrad.algebra.build import compare, conjunction, iverson, mul, substitute
from symgrad.algebra.terms import ZERO, Term, extent, factors_of
from symgrad.lower.arrays import Expr, Fold, Frame, Map, Merge, Scatter, is_batch
from symgrad.lower.elementwise import as_real, last_position, lower_integer, mapped, number
from symgrad.lower.frames import complete, transposed
from symgrad.lower.radix import by_length, digits, rising
from symgrad.lower.reduction import flat_index, flattened, reduced
from symgrad.lower.scope import Guard, Scope, is_integer, is_scalar
from symgrad.lower.winners import Target, Winners
from symgrad.rules.sums import outside_zero


@dataclass(frozen=True)
class Scattered:
    """A product with its brackets [m == e] taken out; m is replaced by e in what is left."""

    targets: tuple[Target, ...]
    body: Term


def scattered(body: Term, over: Sequence[Term], scope: Scope) -> Scattered | None:
    """The targets of a product under a sum, if it has some."""
    targets: dict[Term, Term] = {}
    rest: list[Term] = []
    for f in factors_of(body):
        conditions = list(f.args[0].args if f.args[0].op == "and" else (f.args[0],)) if f.op == "iv" else []
        kept = [c for c in conditions if not _target(c, over, scope, targets)]
        if f.op == "iv":
            rest.extend(iverson(c) for c in kept)
        else:
            rest.append(f)
    if not targets:
        return None
    return Scattered(tuple(Target(m, e, e.op == "get") for m, e in targets.items()), _read_at(mul(*rest), targets))


def _target(c: Term, over: Sequence[Term], scope: Scope, targets: dict[Term, Term]) -> bool:
    """Whether the condition is m == e; it is noted."""
    if c.op != "cmp" or c.data != "==" or not all(is_integer(a, scope.signatures) for a in c.args):
        return False
    for m in scope.indices:
        if m in targets or m in over or m not in c.free or is_batch(m):
            continue
        e = solve_for(m, *c.args)
        if e is None or not e.free & frozenset(over) or e.free & frozenset(targets):
            continue
        if any(is_batch(i) and i not in over for i in e.free) or any(m in p.free for p in targets.values()):
            continue
        targets[m] = e
        return True
    return False


def _read_at(body: Term, targets: Mapping[Term, Term]) -> Term:
    """The body where each target index is its position; reads at a position that may be outside give 0 there."""
    for m, e in targets.items():
        if e.op != "get" and not (e.op == "idx" and extent(e) is extent(m)):
            body = outside_zero(body, m)
    return substitute(body, targets)


def lower_scatter(found: Scattered, over: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """Values over positions, everything else summed away, then folded or scattered."""
    winners = Winners(found.body, over, scope)
    over = [v for v in over if v not in winners.arrays]
    targets = [winners.target(t) for t in found.targets]
    values = _values(winners, [v for v in over if not any(v in t.position.free for t in targets)], scope, guard)
    general = []
    for t in targets:
        fold = _fold_of(t, targets, over, scope)
        if fold is None:
            general.append(t)
        else:
            summed = sorted(t.position.free & frozenset(over), key=lambda i: str(i.data))
            values = fold.apply(complete(values, summed, scope.order), scope)
    moving = [t for t in general if t.position.free & frozenset(over)]
    moving.sort(key=lambda t: scope.indices.index(t.index))
    values = _scatter(values, moving, over, scope) if moving else values
    for t in (t for t in general if t not in moving):
        # all that it summed over has a winner: one position is left
        met = scope.lower(compare("==", t.index, t.position))
        values = mapped(scope, "where", met, values, number(ZERO))
    return values


def _values(winners: Winners, gone: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """What is added: the rest of the product, summed over the indices that no position has."""
    from symgrad.lower.contraction import lower_sum

    body, late = winners.body, [v for v in gone if winners.differ_along(v)]
    early = [v for v in gone if v not in late]
    values = winners.chosen(lower_sum(body, early, scope, guard) if early else as_real(scope.lower(body, guard)))
    return reduced("sum", complete(values, late, scope.order), late, scope)


# ---- affine positions: folds ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FoldPlan:
    """m == start + step*slide + dilation*tap."""

    index: Term
    slide: Term
    step: Term
    tap: Term | None
    dilation: Term | None
    start: Term

    def apply(self, values: Expr, scope: Scope) -> Expr:
        """The values with the axes of slide and tap replaced by that of the target."""
        rest = [i for i in values.frame if i not in (self.slide, self.tap)]
        at = len(rest) if self.slide not in values.frame else _place(values.frame, self.slide, self.tap)
        frame = (*rest[:at], self.slide, *rest[at:], *([self.tap] if self.tap is not None else []))
        operand = transposed(values, frame)
        out = (*rest[:at], self.index, *rest[at:])
        axis = at - len(frame) if any(is_batch(i) for i in frame) else at
        folded = Fold(out, "real", operand, axis, self.start, self.step, extent(self.index), self.dilation)
        return scope.part(folded, "folded")


@dataclass(frozen=True)
class MergePlan:
    """m is the row-major number of the digits."""

    index: Term
    digits: tuple[Term, ...]

    def apply(self, values: Expr, scope: Scope) -> Expr:
        """The values with the axes of the digits as that of the target."""
        at = _place(values.frame, self.digits[0], None)
        rest = [i for i in values.frame if i not in self.digits]
        at = len([i for i in values.frame[:at] if i not in self.digits])
        operand = transposed(values, (*rest[:at], *self.digits, *rest[at:]))
        return Merge((*rest[:at], self.index, *rest[at:]), "real", operand, at, len(self.digits))


def _place(frame: Frame, slide: Term, tap: Term | None) -> int:
    return len([i for i in frame[: frame.index(slide)] if i is not tap])


def _fold_of(t: Target, targets: Sequence[Target], over: Sequence[Term], scope: Scope) -> FoldPlan | MergePlan | None:
    """A position start + step*p + dilation*u whose summed indices no other position has."""
    mine = [i for i in over if i in t.position.free]
    others = frozenset(i for o in targets if o is not t for i in o.position.free)
    if not t.position.free <= frozenset(over) or frozenset(mine) & others:
        return None
    if (found_digits := digits(t.position, extent(t.index))) is not None:
        return MergePlan(t.index, found_digits)
    if len(mine) > 2:
        return None
    slopes, rest = [], t.position
    for i in mine:
        split = affine_in(rest, i)
        if split is None or not rising(split[0]):
            return None
        slopes.append(split[0])
        rest = split[1]
    if not is_scalar(rest):
        return None
    ordered = by_length(list(zip(mine, slopes, strict=True)))
    slide, step = ordered[0]
    tap, dilation = ordered[1] if len(ordered) == 2 else (None, None)
    return FoldPlan(t.index, slide, step, tap, dilation, rest)


# ---- integer tensors as positions -----------------------------------------------------------------------------------


def _scatter(values: Expr, targets: Sequence[Target], over: Sequence[Term], scope: Scope) -> Expr:
    """Zeros with values added at positions."""
    positions = [lower_integer(t.position, scope) for t in targets]
    own = scope.order.sort(i for p in positions for i in p.frame if i in over)
    if is_batch(own[0]) and any(i not in own for p in positions for i in p.frame):
        values, positions = flattened(values, scope), [flattened(p, scope) for p in positions]
        own = tuple(flat_index(i) for i in own)
    before, after = _beside(complete(values, own, scope.order), own, positions, scope)
    whole = (*before, *own, *after)
    values = transposed(complete(values, whole, scope.order), whole)
    inside = _inside(targets, scope)
    if inside is not None:
        values = Map(values.frame, "real", "where", (inside, values, number(ZERO)))
    clipped = tuple(_clipped(t, p, scope) for t, p in zip(targets, positions, strict=True))
    out = (*before, *(t.index for t in targets), *after)
    return scope.part(Scatter(out, "real", values, clipped, len(before), len(own)), "scattered")


def _beside(values: Expr, own: Frame, positions: Sequence[Expr], scope: Scope) -> tuple[Frame, Frame]:
    """The axes in front of those that are scattered, all that positions differ along among them, and those behind."""
    others = scope.order.sort(i for e in (values, *positions) for i in e.frame if i not in own)
    moving = frozenset(i for p in positions for i in p.frame)
    first = values.frame.index(own[0])
    before = tuple(i for i in others if i in moving or is_batch(i) or i in values.frame[:first])
    return before, tuple(i for i in others if i not in before)


def _inside(targets: Sequence[Target], scope: Scope) -> Expr | None:
    """Where positions lie in their axes; None where they all surely do."""
    doubtful = [t for t in targets if not t.inside]
    if not doubtful:
        return None
    bounds = [compare("<=", ZERO, t.position) for t in doubtful]
    bounds += [compare("<", t.position, extent(t.index)) for t in doubtful]
    return scope.lower(conjunction(*bounds))


def _clipped(t: Target, p: Expr, scope: Scope) -> Expr:
    return p if t.inside else mapped(scope, "clamp_index", p, last_position(extent(t.index)), dtype="int")
