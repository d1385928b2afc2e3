"""Forms as people have them on their way: names that stand for sums written out, complements of sigmoids.

Sum(dy[i, l]*y[i, l], l) with y[i, l] = Sum(a[i, j]*h[i, j, l], j)  ->  Sum(a[i, j]*dy[i, l]*h[i, j, l], j, l)
-sigmoid(-x)                                                       ->  sigmoid(x) - 1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from symgrad.algebra.build import Fresh, add, fn, mul, neg, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.terms import ONE, Term, factors_of, is_access, value, walk
from symgrad.handwritten.scenes import Form
from symgrad.validate.precise import Definition


@dataclass(frozen=True)
class Name:
    """A name of a form."""

    name: str
    indices: tuple[Term, ...]
    body: Term


def unfolded(form: Form) -> Form | None:
    """The form with names that are sums written out within its sums; None where there is none."""
    sums = {d.name: d for d in form.where if any(f.op == "red" and f.data == "sum" for f in factors_of(d.body))}
    if not sums:
        return None
    return _changed(form, lambda t: _unfolded(t, sums, False, Fresh(iter(range(70_000_000, 80_000_000)))))


def with_complements(form: Form) -> Form | None:
    """The form with 1 - sigmoid(x) for sigmoid(-x); None where there is none."""
    return _changed(form, _with_complements)


def _changed(form: Form, change: Callable[[Term], Term]) -> Form | None:
    where = tuple(Name(d.name, tuple(d.indices), change(d.body)) for d in form.where)
    closed = change(form.closed)
    if closed is form.closed and all(a.body is b.body for a, b in zip(where, form.where, strict=True)):
        return None
    return replace(form, closed=closed, where=where)


def _with_complements(t: Term) -> Term:
    if t.op == "fn" and t.data == "sigmoid" and any(f.op == "num" and value(f) < 0 for f in factors_of(t.args[0])):
        return add(ONE, neg(fn("sigmoid", neg(t.args[0]))))
    if t.op == "red":
        body, bound = open_reduction(t, Fresh(iter(range(80_000_000 + 100 * t.height, 90_000_000))))
        return reduce(str(t.data), _with_complements(body), bound)
    return rebuild(t, tuple(_with_complements(a) for a in t.args)) if _has_sigmoid(t) else t


def _has_sigmoid(t: Term) -> bool:
    return bool(t.args) and any(x.op == "fn" and x.data == "sigmoid" for x in walk(t))


def _unfolded(t: Term, sums: Mapping[str, Definition], within: bool, fresh: Fresh) -> Term:
    """`within`: under a sum, where a name is written out and its sum becomes one with that around it."""
    if not t.tensors & sums.keys():
        return t
    if is_access(t):
        d = sums.get(str(t.data))
        return substitute(d.body, dict(zip(d.indices, t.args, strict=True))) if d is not None and within else t
    if t.op != "red":
        return rebuild(t, tuple(_unfolded(a, sums, within and t.op == "mul", fresh) for a in t.args))
    body, bound = open_reduction(t, fresh)
    body = _unfolded(body, sums, t.data == "sum", fresh)
    return _merged(body, list(bound), fresh) if t.data == "sum" else reduce(str(t.data), body, bound)


def _merged(body: Term, bound: list[Term], fresh: Fresh) -> Term:
    """A sum of products with a sum among their factors as one sum."""
    for f in factors_of(body):
        if f.op == "red" and f.data == "sum":
            inner, more = open_reduction(f, fresh)
            rest = mul(*(x for x in factors_of(body) if x is not f))
            return _merged(mul(rest, inner), [*bound, *more], fresh)
    return reduce("sum", body, bound)
