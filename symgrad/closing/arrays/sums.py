"""Sums of products as chains of matrix products; outer products and diagonals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from symgrad.algebra.build import add, mul, power, reduce, substitute
from symgrad.algebra.show import show, split_fraction
from symgrad.algebra.terms import BATCH, ONE, Term, coefficient, extent, factors_of, is_access, node, num, terms_of
from symgrad.closing.arrays.chains import chain
from symgrad.closing.arrays.tree import Tree, call, matmul, name, product

if TYPE_CHECKING:
    from symgrad.closing.arrays.axes import Order
    from symgrad.closing.arrays.build import Builder

MOST_FACTORS = 7
ROW_TIMES_MATRIX = 11
"""A @ v is what people write where v @ A.T would do: the other counts as so much longer."""


def contractions(b: Builder, body: Term, over: Sequence[Term], order: Order) -> Iterator[Tree]:
    """Ways of a sum by matrix products: one index at a time, what does not depend on it outside."""
    if body.op == "add":
        parts = [coefficient(a) for a in terms_of(body)]
        found = b.element(add(*(mul(num(c), reduce("sum", r, over)) for c, r in parts)), order)
        if found is not None and all(set(over) <= a.free for a in terms_of(body)):
            yield found
        return
    row = chain(b, body, over, order)
    if row is not None:
        yield row
        return
    c, rest = coefficient(body)
    factors = list(factors_of(rest))
    if len(factors) > MOST_FACTORS or len(over) > 4:
        return
    if len(over) == 1:
        yield from _single(b, num(c), factors, over[0], order)
    if len(over) > 1 and any(map(_is_wide, factors)):
        yield from _distributed(b, num(c), factors, over, order)
        return
    for k in _first_of(over, factors) if len(over) > 1 and any(not set(over) <= f.free for f in factors) else ():
        inside = [f for f in factors if k in f.free]
        outside = [f for f in factors if k not in f.free]
        partial = reduce("sum", mul(*inside), [k])
        others = [v for v in over if v is not k]
        found = b.element(reduce("sum", mul(num(c), partial, *outside), others), order)
        if found is not None:
            yield found
    if len(over) == 2 and not any(i in body.free for i in order):
        yield from _traces(b, c, factors, over)


def _distributed(b: Builder, c: Term, factors: Sequence[Term], over: Sequence[Term], order: Order) -> Iterator[Tree]:
    """A sum over several indices whose factor is a sum itself, summand by summand: each is a chain of its own."""
    first = next(f for f in factors if _is_wide(f))
    others = [f for f in factors if f is not first]
    sums = [reduce("sum", mul(c, *others, a), over) for a in terms_of(first)]
    found = b.element(add(*sums), order)
    if found is not None:
        yield found


def _first_of(over: Sequence[Term], factors: Sequence[Term]) -> Sequence[Term]:
    """Indices worth summing over first: links of two matrices, whose order does not show, else all."""
    links = []
    for k in over:
        held = [f for f in factors if k in f.free]
        if len(held) == 2 and len((held[0].free | held[1].free) - {k}) <= 2:
            links.append(k)
    return links[:2] or over


def _is_wide(f: Term) -> bool:
    """Whether a factor is a sum over more than two axes, which no matrix is."""
    return f.op == "add" and sum(i.data != BATCH for i in f.free) > 2


def _single(b: Builder, c: Term, factors: Sequence[Term], k: Term, order: Order) -> Iterator[Tree]:
    inside = [f for f in factors if k in f.free]
    outside = [f for f in factors if k not in f.free]
    if outside or c is not ONE:
        found = b.element(mul(c, *outside, reduce("sum", mul(*inside), [k])), order)
        if found is not None:
            yield found
        return
    if len(inside) == 1 and inside[0].op != "mul":
        yield from _diagonal_sum(b, inside[0], k)
    for left, right in _halves(inside):
        found = _product(b, left, right, k, order)
        if found is not None:
            yield found


def _halves(factors: Sequence[Term]) -> Iterator[tuple[Term, Term]]:
    """Ordered ways to split the factors of a sum into two."""
    for size in range(1, len(factors)):
        for left in combinations(factors, size):
            yield mul(*left), mul(*(f for f in factors if f not in left))


def _product(b: Builder, left: Term, right: Term, k: Term, order: Order) -> Tree | None:
    """left @ right over k, where its axes are exactly the last ones of the order."""
    if k.data == BATCH:
        return None
    free = (left.free | right.free) - {k}
    exact = tuple(i for i in order if i in free)
    if exact != order[len(order) - len(exact) :] or not free <= set(order):
        return None
    if len(exact) >= 2:
        *lead, i, j = exact
        if i in left.free and j in right.free and i not in right.free and j not in left.free:
            return _joined(b, (left, (*lead, i, k)), (right, (*lead, k, j)))
    if right.free & (free | {k}) == {k}:
        found = _joined(b, (left, (*exact, k)), (right, (k,)))
        # x @ A @ x rather than A @ x @ x
        return _penalized(found, 1) if found is not None and not exact and left.op == "red" else found
    if exact and left.free & set(exact) == set(exact[:-1]) and right.free == {k, exact[-1]}:
        found = _joined(b, (left, (*exact[:-1], k)), (right, (k, exact[-1])))
        return _penalized(found, ROW_TIMES_MATRIX) if found is not None and len(exact) == 1 else found
    return None


def _joined(b: Builder, left: tuple[Term, Order], right: tuple[Term, Order]) -> Tree | None:
    x, y = b.element(*left), b.element(*right)
    if x is None or y is None or _lacks_axes(x, left) or _lacks_axes(y, right):
        return None
    return matmul(x, y)


def _lacks_axes(t: Tree, asked: tuple[Term, Order]) -> bool:
    """Whether the array has not the last axes that a matrix product needs."""
    wanted = min(2, len(asked[1]))
    return t.ndim < wanted or any(i not in asked[0].free for i in asked[1][-wanted:])


def _penalized(t: Tree, cost: int) -> Tree:
    return replace(t, penalty=t.penalty + cost)


# ---- traces, outer products, diagonals ------------------------------------------------------------------------------


def _diagonal_sum(b: Builder, f: Term, k: Term) -> Iterator[Tree]:
    """Sum(A[k, k], k) is trace(A)."""
    if is_access(f) and f.args == (k, k):
        other = b.fresh.index(k)
        matrix = b.element(substitute_last(f, other), (k, other))
        if matrix is not None:
            yield call("trace", [matrix], 0)


def substitute_last(f: Term, new: Term) -> Term:
    """A[k, k] -> A[k, new]."""
    return node(f.op, (f.args[0], new), f.data)


def _traces(b: Builder, c: Fraction, factors: Sequence[Term], over: Sequence[Term]) -> Iterator[Tree]:
    """Sum(L[i, k]*R[k, i], i, k) is trace(L @ R)."""
    i, k = over
    for left, right in _halves(factors):
        if not ({i, k} <= left.free and {i, k} <= right.free):
            continue
        x, y = b.element(left, (i, k)), b.element(right, (k, i))
        if x is not None and y is not None and x.ndim == y.ndim == 2:
            trace = call("trace", [matmul(x, y)], 0)
            yield trace if c == 1 else product(c, [trace], [])


def outer(b: Builder, c: Fraction, above: Sequence[Term], below: Sequence[Term], order: Order) -> Iterator[Tree]:
    """a[..., i]*b[..., j] as outer(a, b), v[i]*A[i, j] as diag(v) @ A; scalars stand before."""
    if len(order) < 2 or order[-2].data == BATCH:
        return
    *lead, i, j = order
    factors = [*above, *(power(f, num(-1)) for f in below)]
    scalars = [f for f in factors if not any(k in f.free for k in order)]
    rows = [f for f in factors if i in f.free and j not in f.free]
    columns = [f for f in factors if j in f.free and i not in f.free]
    if not rows:
        return
    if len(rows) + len(columns) + len(scalars) == len(factors):
        left, right = b.element(mul(*rows), (*lead, i)), b.element(mul(*columns), (*lead, j))
        if columns and left is not None and right is not None:
            yield from _scaled(b, c, scalars, call("outer", [left, right], max(left.ndim, right.ndim) + 1))
        return
    others = [f for f in factors if f not in rows and f not in scalars]
    if not lead and all({i, j} <= f.free for f in others):
        left, right = b.element(mul(*rows), (i,)), b.element(mul(*others), (i, j))
        if left is not None and right is not None:
            yield from _scaled(b, c, scalars, matmul(call("diag", [left], 2), right))


def diagonal(b: Builder, conditions: Sequence[Term], body: Term, order: Order) -> Iterator[Tree]:
    """[i == j]*v[i] as diag(v), [i == j] as eye(n)."""
    if len(order) != 2 or len(conditions) != 1:
        return
    i, j = order
    c = conditions[0].args[0]
    if c.op != "cmp" or c.data != "==" or set(c.args) != {i, j} or extent(i) is not extent(j):
        return
    factors = factors_of(substitute(body, {j: i}))
    inside, outside = [f for f in factors if i in f.free], [f for f in factors if i not in f.free]
    if inside:
        vector = b.element(mul(*inside), (i,))
        core = call("diag", [vector], 2) if vector is not None else None
    else:
        core = call("eye", [name(show(extent(i)), 0)], 2)
    if core is not None:
        yield from _scaled(b, Fraction(1), outside, core)


def _scaled(b: Builder, c: Fraction, scalars: Sequence[Term], core: Tree) -> Iterator[Tree]:
    more, above, below = split_fraction(mul(num(c), *scalars))
    top, bottom = b.elements(above, ()), b.elements(below, ())
    if top is not None and bottom is not None and more > 0:
        yield product(more, [*top, core], bottom)
