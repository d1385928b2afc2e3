"""Laws of ranges: what an index can be decides comparisons, and whether a read stays inside."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.algebra.build import (
    Fresh,
    add,
    fresh_in,
    mul,
    neg,
    negation,
    open_reduction,
    rebuild,
    reduce,
    sub,
    substitute,
)
from symgrad.algebra.terms import FALSE, MINUS_ONE, TRUE, Term, factors_of, get, get0, is_access, is_num, value, walk
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def decided(t: Term, context: Context) -> Term | None:
    """t >= 0 and t + 1 != 0 hold for every index t, x**2 + 1 != 0 for every number x."""
    if t.op == "cmp" and t.data in ("==", "!=") and t.tensors:
        gap = sub(*t.args)
        apart = context.is_positive(gap) or context.is_positive(neg(gap))
        return None if not apart else FALSE if t.data == "==" else TRUE
    if t.op != "cmp" or t.tensors or not t.free or any(a.height for a in t.args):
        return None
    a, b = t.args
    if not all(is_whole(x) for x in t.args):
        return None
    more, less = sub(a, b), sub(b, a)
    low = context.bounds.at_least
    if t.data == "<":
        return TRUE if low(less, 1) else FALSE if low(more) else None
    if t.data == "<=":
        return TRUE if low(less) else FALSE if low(more, 1) else None
    apart = low(more, 1) or low(less, 1)
    return None if not apart else FALSE if t.data == "==" else TRUE


def is_whole(t: Term) -> bool:
    """Whether the term is made of indices, dimensions and integers."""
    return all(x.op in ("idx", "dim", "num", "add", "mul") and (x.op != "num" or _integer(x)) for x in walk(t))


def _integer(t: Term) -> bool:
    return value(t).denominator == 1


def read_inside(t: Term, context: Context) -> Term:
    """The term with reads that stay inside of their tensor as such: another way to write it, not another term."""
    found = {x: get(str(x.data), x.args) for x in walk(t) if x.op == "get0" and _stays_inside(x, context)}
    return _replaced(t, found, fresh_in(t)) if found else t


def _stays_inside(t: Term, context: Context) -> bool:
    axes = context.axes(str(t.data))
    if axes is None or len(axes) != len(t.args) or not all(is_whole(s) for s in t.args):
        return False
    return all(context.bounds.inside(s, e) for s, e in zip(t.args, axes, strict=True))


def _replaced(t: Term, found: Mapping[Term, Term], fresh: Fresh) -> Term:
    if t in found:
        return found[t]
    if not t.tensors:
        return t
    if t.op == "red":
        # canonical names stay: the accesses were found under them
        return reduce(str(t.data), *_opened(t, found, fresh))
    return rebuild(t, tuple(_replaced(a, found, fresh) for a in t.args))


def _opened(t: Term, found: Mapping[Term, Term], fresh: Fresh) -> tuple[Term, list[Term]]:
    """Body and variables of a reduction, its reads replaced."""
    body = _replaced(t.args[0], found, fresh)
    names = {v: fresh.index(v) for v in t.args[1:]}
    return substitute(body, names), list(names.values())


def _outside_anyway(t: Term, context: Context) -> Term | None:
    """[t + 1 < T] a[t + 1] = a[t + 1], since what is read outside is 0 in a closed form."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op != "iv" or f.args[0].op != "cmp" or f.args[0].tensors or not f.args[0].free:
            continue
        rest = [g for g in t.args if g is not f]
        for g in rest:
            for s, size in _subscripts(g, context):
                if _is_outside(s, size, negation(f.args[0]), context) and not any(_is_partial(h, s) for h in rest):
                    return mul(*(_read_outside(h, s) for h in rest))
    return None


def _subscripts(t: Term, context: Context) -> list[tuple[Term, Term]]:
    """Subscripts that are not plain indices, with the sizes of their axes; also in the products that are summed."""
    if t.op == "red" and t.data == "sum":
        found = [p for f in factors_of(t.args[0]) for p in _subscripts(f, context)]
        return [p for p in found if not p[0].free & frozenset(t.args[1:])]
    axes = context.axes(str(t.data)) if is_access(t) else None
    if axes is None or len(axes) != len(t.args):
        return []
    return [(s, e) for s, e in zip(t.args, axes, strict=True) if s.op == "add" and is_whole(s)]


def _is_outside(s: Term, size: Term, where: Term, context: Context) -> bool:
    """Whether a subscript is outside of its axis wherever a condition holds."""
    at_least = context.bounds.at_least
    return at_least(sub(s, size), 0, (where,)) or at_least(add(neg(s), MINUS_ONE), 0, (where,))


def is_zero_unless(access: Term, c: Term, context: Context) -> bool:
    """Whether a read that gives 0 outside is outside wherever the condition fails."""
    return any(_is_outside(s, size, negation(c), context) for s, size in _subscripts(access, context))


def _is_partial(t: Term, s: Term) -> bool:
    """Whether a function that is not defined everywhere is taken of a read with that subscript."""
    partial = [
        x
        for x in walk(t)
        if x.op in ("fn", "iv", "where") or (x.op == "red" and x.data != "sum") or (x.op == "pow" and not _is_power(x))
    ]
    return any(is_access(a) and s in a.args for x in partial for a in walk(x))


def _is_power(t: Term) -> bool:
    e = t.args[1]
    return is_num(e) and _integer(e) and value(e) > 0


def _read_outside(t: Term, s: Term) -> Term:
    """The term with reads at the subscript giving 0 outside."""
    if t.op == "red":
        body, variables = open_reduction(t, fresh_in(t))
        return reduce(str(t.data), _read_outside(body, s), variables)
    found = {a: get0(str(a.data), a.args) for a in walk(t) if a.op == "get" and s in a.args}
    return substitute(t, found)


def _same_branches(t: Term, context: Context) -> Term | None:
    """where(i == e, f(e), f(i)) = f(i)."""
    if t.op != "where" or t.args[0].op != "cmp" or t.args[0].data not in ("==", "!="):
        return None
    equal, other = t.args[1:] if t.args[0].data == "==" else t.args[:0:-1]
    for v, e in (t.args[0].args, t.args[0].args[::-1]):
        if v.op == "idx" and v in other.free and substitute(other, {v: e}) is equal:
            return other
    return None


DECIDED = Rule(
    "range/decided",
    ("cmp",),
    r"[i + 1 \ne 0] = 1 \quad (i \ge 0)",
    "an index runs from 0 on",
    decided,
    Example("where(i + 1 > 0, x[i, j], 0)", "x[i, j]"),
)
SAME_BRANCHES = Rule(
    "bracket/same-branches",
    ("where",),
    r"\begin{cases} f(e) & i = e \\ f(i) & \text{else} \end{cases} = f(i)",
    "both branches are the same",
    _same_branches,
    Example("where(i == 0, x[0, j], x[i, j])", "x[i, j]"),
)
OUTSIDE = Rule(
    "range/outside",
    ("mul",),
    r"[i + 1 < n]\,x_{i + 1} = x_{i + 1}",
    "what is read outside of a tensor is 0",
    _outside_anyway,
    Example("where(i + 1 < n, x[i + 1, j]*z[i + 1, j], 0)", "x[i + 1, j]*z[i + 1, j]"),
)
RANGES = (DECIDED, SAME_BRANCHES)

__all__ = ["OUTSIDE", "RANGES", "decided", "is_zero_unless", "read_inside"]
