"""Mistakes at a reduction: other axes, another role of its indices, a mean for a sum, a matrix that is left out.

Sum(a[i, j]*b[j], j)  ->  Sum(a[i, j]*b[j], i), Sum(a[j, i]*b[j], j), a[i, i]*b[i], b[i], ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symgrad.algebra.build import Fresh, div, mul, open_reduction, reduce, substitute
from symgrad.algebra.show import show
from symgrad.algebra.terms import Term, extent, factors_of, is_access, walk
from symgrad.formula.program import Program
from symgrad.handwritten.scenes import is_batch
from symgrad.handwritten.spots import Spot, shown

Local = tuple[str, str, Term, int]


def of_reduction(spot: Spot, program: Program) -> Iterator[Local]:
    """Kind, words, what stands there instead, and a cost."""
    t, fresh = spot.term, Fresh(iter(range(20_000_000, 30_000_000)))
    body, bound = open_reduction(t, fresh)
    kind = str(t.data)
    yield from _other_axes(spot, body, bound, kind)
    for f in sorted(t.free, key=lambda i: i.digest):
        for k in spot.context:
            if k is not f and k not in t.free and not is_batch(k) and not is_batch(f):
                text = f"{shown(t)} is broadcast along the axis {k.data} instead of {f.data}"
                yield "wrong_axis", text, substitute(t, {f: k}), 6
    yield from _alone(spot, body, bound, kind)
    if kind == "sum":
        yield from _other_roles(spot, body, bound)
        for b in bound:
            yield "factor", f"the mean in place of {shown(t)}", div(t, extent(b)), 8
            yield "factor", f"{show(extent(b))} times {shown(t)}: a sum in place of a mean", mul(t, extent(b)), 8


def _alone(spot: Spot, body: Term, bound: Sequence[Term], kind: str) -> Iterator[Local]:
    """One element along an axis in place of all: the one that the gradient is of."""
    t = spot.term
    for b in bound:
        for i in spot.context:
            if extent(i) is extent(b) and i is not b:
                rest = [x for x in bound if x is not b]
                own = reduce(kind, substitute(body, {b: i}), rest) if rest else substitute(body, {b: i})
                if rest:
                    yield "wrong_axis", f"{shown(t, spot.context)} is taken for each {i.data} alone", own, 5
                elif kind == "sum":
                    text = f"the terms of {shown(t, spot.context)} are missing but the one at {i.data}"
                    yield "missing_term", text, own, 5


def _other_roles(spot: Spot, body: Term, bound: Sequence[Term]) -> Iterator[Local]:
    """A factor that joins two indices is transposed, or is not there: as if it were the identity."""
    factors = factors_of(body)
    for b in bound:
        for i in spot.context:
            if extent(i) is not extent(b) or is_batch(b):
                continue
            joining = [f for f in factors if {i, b} <= f.free]
            rest = [f for f in factors if f not in joining]
            if joining and (rest or len(bound) > 1):
                turned = [substitute(f, {i: b, b: i}) for f in joining]
                text = f"{shown(mul(*joining), spot.context)} is transposed in {shown(spot.term, spot.context)}"
                yield "transposed", text, reduce("sum", mul(*turned, *rest), list(bound)), 7
        yield from _without_matrix(spot, factors, bound, b)


def _without_matrix(spot: Spot, factors: Sequence[Term], bound: Sequence[Term], b: Term) -> Iterator[Local]:
    for f in factors:
        others = [i for i in f.free if i is not b and extent(i) is extent(b)]
        if not (is_access(f) or f.op == "mat") or b not in f.free or len(f.free) != 2 or len(others) != 1:
            continue
        rest = mul(*(x for x in factors if x is not f))
        left = [x for x in bound if x is not b]
        own = substitute(rest, {b: others[0]})
        name = shown(f, spot.context)
        yield "missing_factor", f"the factor {name} is missing", reduce("sum", own, left) if left else own, 7


def _other_axes(spot: Spot, body: Term, bound: Sequence[Term], kind: str) -> Iterator[Local]:
    """The same reduction over another axis: the roles of a bound and a free index are swapped."""
    for b in bound:
        for f in sorted(body.free - frozenset(bound), key=lambda i: i.digest):
            for k in spot.context:
                if extent(k) is not extent(b) or k is f or is_batch(b):
                    continue
                swapped = substitute(body, {b: k})
                new = reduce(kind, swapped, [*(x for x in bound if x is not b), f])
                text = f"{shown(spot.term)} runs over the axis {'of the batch' if is_batch(f) else f.data} instead"
                yield "wrong_axis", text, new, 4
                if kind == "sum":
                    mean = div(mul(new, extent(b)), extent(f))
                    yield "wrong_axis", text, mean, 5


def adds_batch(new: Term, old: Term) -> bool:
    """Whether it sums over the batch where the old one did not: people do so over one axis."""
    return _over_batch(new) > _over_batch(old)


def _over_batch(t: Term) -> int:
    return sum(is_batch(i) for x in walk(t) if x.op == "red" for i in x.args[1:])
