"""Accesses: whole arrays, slices, windows, gathers.

A subscript that is affine in one or two indices of its own is a slice or a window, a view of the array; everything else
(integer tensors, remainders, an index used twice) is a gather. Reads that can fall outside give 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symgrad.algebra.affine import affine_in
from symgrad.algebra.build import add, compare, conjunction, rebuild
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, by_name, extent, get0, idx, walk
from symgrad.errors import UnsupportedError
from symgrad.lower.arrays import Along, Expr, Frame, Gather, Map, Pick, Read, Split, Step, Window, is_batch
from symgrad.lower.arrays import walk as parts
from symgrad.lower.elementwise import last_position, lower_integer, mapped, number
from symgrad.lower.frames import transposed
from symgrad.lower.radix import by_length, digits, rising
from symgrad.lower.scope import Guard, Scope, Signature, is_scalar


def lower_access(t: Term, scope: Scope, guard: Guard) -> Expr:
    """tensor[subscripts]."""
    name = str(t.data)
    signature = scope.signatures[name]
    if signature.steps is not None:
        return _lower_step(t, signature, scope, guard)

    def whole(frame: Frame) -> Expr:
        return Read(frame, signature.dtype, name)

    counted = t.op == "get" and _is_counted(t, scope)
    return read_at(whole, name, signature.extents, t.args, scope, t.op == "get0" or (bool(guard) and not counted))


def _is_counted(t: Term, scope: Scope) -> bool:
    """Whether an axis is read at the number of a step: a `get` there stays inside at every step."""
    counters = {k for k, g in scope.signatures.items() if g.dtype == "step"}
    return any(x.op == "par" and f"parameter {x.data}" in counters for s in t.args for x in walk(s))


def _lower_step(t: Term, signature: Signature, scope: Scope, guard: Guard) -> Expr:
    """A value of the loop being lowered, at this step or the one before."""
    steps, name = signature.steps, str(t.data)
    assert steps is not None
    rest = tuple(s for k, s in enumerate(t.args) if k != steps.axis)
    extents = tuple(e for k, e in enumerate(signature.extents) if k != steps.axis)

    def whole(frame: Frame) -> Expr:
        if not steps.kept:
            return Read(frame, signature.dtype, name)
        return Step(frame, signature.dtype, name, steps.axis, t.args[steps.axis])

    return read_at(whole, f"{name}_step", extents, rest, scope, t.op == "get0" or bool(guard))


def read_at(
    whole: Callable[[Frame], Expr], wish: str, extents: Frame, subscripts: Frame, scope: Scope, padded: bool
) -> Expr:
    """An array at subscripts. `whole`: the array with its axes labelled; `wish`: its name where it needs one.

    `padded`: reads that fall outside give 0.
    """
    labels = placeholders(extents)
    split, views, general = _split_axes(subscripts, extents)
    if not split and not views and not general:
        return whole(subscripts)
    seen = {*split, *views, *general}
    operand = whole(tuple(labels[k] if k in seen else s for k, s in enumerate(subscripts)))
    if not isinstance(operand, Read):
        operand = scope.part(operand, wish)
    for k, found in split.items():
        at = operand.frame.index(labels[k])
        frame = (*operand.frame[:at], *found, *operand.frame[at + 1 :])
        operand = Split(frame, operand.dtype, operand, at, len(found))
    for k in views:
        operand = _view(operand, labels[k], subscripts[k], padded)
    if any(isinstance(e, Window) and e.size is not None for e in parts(operand)):
        operand = scope.part(operand, f"{_name(operand)}_windows")
    if not general:
        return operand
    axes = [(labels[k], subscripts[k]) for k in general]
    gathered = _gather(operand, axes, scope, padded)
    outside = [(s, extent(label)) for label, s in axes if padded and not _plain(s)]
    return _zero_outside(gathered, outside, scope) if outside else gathered


def placeholders(extents: Sequence[Term]) -> Frame:
    """Labels for the axes of an array."""
    return tuple(
        idx("..." if str(e.data) == "..." and e.op == "dim" else f"axis {k}", e) for k, e in enumerate(extents)
    )


def _plain(s: Term) -> bool:
    return s.op == "get"


def _split_axes(
    subscripts: Sequence[Term], extents: Sequence[Term]
) -> tuple[dict[int, tuple[Term, ...]], list[int], list[int]]:
    """Axes read by digits, axes read as views, and axes that must be gathered; all others are read whole."""
    views, general = [], []
    split: dict[int, tuple[Term, ...]] = {}
    for k, (s, e) in enumerate(zip(subscripts, extents, strict=True)):
        others = frozenset(i for j, o in enumerate(subscripts) if j != k for i in o.free)
        if s.op == "idx" and s not in others and (extent(s) is e or is_batch(s)):
            continue
        if s.op == "idx" and is_batch(s):
            continue
        if not s.free & others and (found := digits(s, e)) is not None:
            split[k] = found
        elif s.free & others or not _is_view(s):
            general.append(k)
        else:
            views.append(k)
    return split, views, general


def _is_view(s: Term) -> bool:
    return is_scalar(s) or _slopes(s) is not None


def _slopes(s: Term) -> tuple[list[tuple[Term, Term]], Term] | None:
    """(index, coefficient) pairs and the rest of a subscript with one or two indices that count upwards."""
    indices = by_name(s.free)
    if s.tensors or not 1 <= len(indices) <= 2:
        return None
    pairs, rest = [], s
    for i in indices:
        found = affine_in(rest, i)
        if found is None or not rising(found[0]):
            return None
        pairs.append((i, found[0]))
        rest = found[1]
    return (pairs, rest) if is_scalar(rest) else None


def _view(operand: Expr, label: Term, s: Term, padded: bool) -> Expr:
    """One axis read at a fixed position, as a slice or as windows."""
    frame = operand.frame
    at = frame.index(label)
    axis = at - len(frame) if any(is_batch(i) for i in frame) else at
    if is_scalar(s) and padded and s is not ZERO and s is not add(extent(label), MINUS_ONE):
        # outside it is 0, like every other read
        one = idx("one", ONE)
        window = Window((*frame[:at], one, *frame[at + 1 :]), operand.dtype, operand, axis, s, ONE, ONE)
        return Pick((*frame[:at], *frame[at + 1 :]), operand.dtype, window, axis, ZERO)
    if is_scalar(s):
        return Pick((*frame[:at], *frame[at + 1 :]), operand.dtype, operand, axis, s)
    found = _slopes(s)
    assert found is not None
    pairs, start = by_length(found[0]), found[1]
    slide, step = pairs[0]
    count = extent(slide)
    if len(pairs) == 1:
        out: Frame = (*frame[:at], slide, *frame[at + 1 :])
        inside = not padded and start.op == "num" and start.data >= 0  # type: ignore[operator]
        return Window(out, operand.dtype, operand, axis, start, step, count, None, None, inside)
    tap, dilation = pairs[1]
    out = (*frame[:at], slide, *frame[at + 1 :], tap)
    return Window(out, operand.dtype, operand, axis, start, step, count, extent(tap), dilation, False)


def _name(e: Expr) -> str:
    while isinstance(e, Window | Pick | Split):
        e = e.operand
    return e.name.split("_windows")[0] if isinstance(e, Read) else "part"


# ---- gathers --------------------------------------------------------------------------------------------------------


def _gather(operand: Expr, axes: Sequence[tuple[Term, Term]], scope: Scope, padded: bool) -> Expr:
    batched = any(is_batch(i) for i in operand.frame)
    positions = [_position(label, s, scope, padded) for label, s in axes]
    frame = scope.order.merge([p.frame for p in positions])
    if batched and any(is_batch(i) for i in frame):
        return _along(operand, axes, positions, scope)
    labels = tuple(label for label, _ in axes)
    shared = [i for i in frame if i in operand.frame]
    if shared:
        raise UnsupportedError(f"an index of {_name(operand)} that is both a subscript and inside another subscript")
    rest = tuple(i for i in operand.frame if i not in labels)
    if batched:
        return Gather(
            (*rest, *frame), operand.dtype, transposed(operand, (*rest, *labels)), tuple(positions), last=True
        )
    return Gather((*frame, *rest), operand.dtype, transposed(operand, (*labels, *rest)), tuple(positions))


def _position(label: Term, s: Term, scope: Scope, padded: bool) -> Expr:
    # where a read is 0 outside, what it is gathered by may be read outside too
    e = lower_integer(_padded(s) if padded else s, scope)
    if not padded or (s.op == "idx" and extent(s) is extent(label)):
        return e
    return mapped(scope, "clamp_index", e, last_position(extent(label)), dtype="int")


def _padded(s: Term) -> Term:
    """A subscript whose own reads give 0 outside."""
    if s.op == "get":
        return get0(str(s.data), tuple(map(_padded, s.args)))
    return rebuild(s, tuple(map(_padded, s.args))) if s.args and s.op != "idx" else s


def _along(operand: Expr, axes: Sequence[tuple[Term, Term]], positions: Sequence[Expr], scope: Scope) -> Expr:
    """A gather whose positions run over the batch axes too: one axis only."""
    label = axes[0][0]
    own = [i for i in positions[0].frame if i not in operand.frame]
    if len(axes) > 1 or len(own) > 1:
        raise UnsupportedError(f"a gather of several axes of {_name(operand)} along batch axes")
    at = operand.frame.index(label)
    frame = tuple(i for k, i in enumerate(operand.frame) if k != at)
    out = (*frame[:at], *own, *frame[at:])
    return Along(out, operand.dtype, operand, at - len(operand.frame), positions[0])


def _zero_outside(e: Expr, axes: Sequence[tuple[Term, Term]], scope: Scope) -> Expr:
    bounds = [c for s, n in axes for c in (compare("<=", ZERO, s), compare("<", s, n))]
    inside = conjunction(*bounds)
    if inside.op == "lit":
        return e
    c = scope.lower(inside)
    return Map(scope.order.merge([c.frame, e.frame]), e.dtype, "where", (c, e, number(ZERO)))
