"""All sums of a gradient along another axis at once: a layer's statistics over features instead of the batch.

s*(g*dy - (Sum(g*dy, i) + u*Sum(g*dy*u, i))/n)  ->  s*(g*dy - (Sum(g*dy, k) + u*Sum(g*dy*u, k))/d)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from symgrad.algebra.build import Fresh, add, mul, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.terms import Term, extent, factors_of, walk
from symgrad.handwritten.scenes import Form, is_batch


def along_others(form: Form) -> Iterator[tuple[str, Form]]:
    """Words and the changed form, for each pair of axes; a factor beside the sums may stand in them."""
    indices = [i for i in form.indices if not is_batch(i)]
    for k, f in permutations(indices, 2):
        for closed in (form.closed, *_pushed(form.closed)):
            new = _turned(closed, k, f, Fresh(iter(range(90_000_000, 100_000_000))))
            if new is not closed:
                yield f"what is summed along the axis {k.data} is summed along {f.data}", replace(form, closed=new)


def _turned(t: Term, k: Term, f: Term, fresh: Fresh) -> Term:
    """Sums over the axis of k run over f, and sizes of that axis are those of the other."""
    if t is extent(k):
        return extent(f)
    if t.op != "red":
        return rebuild(t, tuple(_turned(a, k, f, fresh) for a in t.args)) if t.args and not _is_leaf(t) else t
    body, bound = open_reduction(t, fresh)
    own = next((b for b in bound if extent(b) is extent(k)), None)
    if own is None or f not in body.free or k in body.free:
        return t
    rest = [b for b in bound if b is not own]
    return reduce(str(t.data), substitute(body, {own: k}), [*rest, f])


def _is_leaf(t: Term) -> bool:
    return t.op in ("num", "const", "dim", "par", "idx", "get", "get0", "mat")


def _pushed(t: Term) -> Iterator[Term]:
    """The product with one of its factors inside of the sums."""
    factors = factors_of(t)
    for g in factors:
        others = [f for f in factors if f is not g]
        if g.free and g.op != "add" and any(_has_sum(f) for f in others):
            yield _into(mul(*others), g)


def _into(t: Term, g: Term) -> Term:
    if t.op == "add":
        return add(*(_into(a, g) for a in t.args))
    if t.op == "red" and t.data == "sum":
        body, bound = open_reduction(t, Fresh(iter(range(100_000_000 + 100 * t.height, 110_000_000))))
        return reduce("sum", mul(body, g), bound)
    holder = next((f for f in factors_of(t) if f.op in ("add", "red") and _has_sum(f)), None)
    if holder is None or holder is t:
        return mul(t, g)
    return mul(_into(holder, g), *(f for f in factors_of(t) if f is not holder))


def _has_sum(t: Term) -> bool:
    return any(x.op == "red" and x.data == "sum" for x in walk(t))
