"""Sums that are one chain of matrices: C[l, n] X[n, m] V[m, k] A[k, j] over n, m, k is C @ X @ V @ A, however long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.algebra.build import mul
from symgrad.algebra.terms import BATCH, Term, coefficient, factors_of, is_access
from symgrad.closing.arrays.tree import Tree, matmul, product, total, transpose

if TYPE_CHECKING:
    from symgrad.closing.arrays.axes import Order
    from symgrad.closing.arrays.build import Builder

SHORTEST = 3
"""Matrices in a row from which there is nothing to search for."""


def chain(b: Builder, body: Term, over: Sequence[Term], order: Order) -> Tree | None:
    """The sum as a product of matrices, and perhaps a vector at its end, scalars before it; None for other sums."""
    c, rest = coefficient(body)
    links = [f for f in factors_of(rest) if f.free]
    scalars = mul(*(f for f in factors_of(rest) if not f.free))
    if not 1 <= len(order) <= 2 or len(links) < SHORTEST or len(over) != len(links) - 1:
        return None
    if not all(_is_link(f) for f in links):
        return None
    own = _walked(b, links, order)
    if len(order) == 2 and (other := _walked(b, links, order[::-1])) is not None:
        turned = transpose(other)
        own = turned if own is None or turned.cost < own.cost else own
    before = b.element(scalars, ()) if scalars.tensors or scalars.op != "num" else None
    if own is None or (before is None and scalars.op != "num"):
        return None
    whole = (
        own if before is None and abs(c) == 1 else product(abs(c), [*([before] if before is not None else []), own], [])
    )
    return whole if c > 0 else total([whole], [True])


def _is_link(f: Term) -> bool:
    """Whether a factor is an element of a matrix or of a vector at bare indices."""
    subscripts = f.args if is_access(f) else f.args[:-1]
    plain = all(s.op == "idx" and str(s.data) != BATCH for s in subscripts)
    return (is_access(f) or f.op == "mat") and plain and len(set(subscripts)) == len(subscripts) in (1, 2)


def _walked(b: Builder, links: Sequence[Term], order: Order) -> Tree | None:
    """The product from the first index of the order on, link by link."""
    left, at, found = list(links), order[0], None
    while left:
        here = [f for f in left if at in f.free]
        if len(here) != 1:
            return None
        left.remove(here[0])
        others = [i for i in here[0].free if i is not at]
        if not others and (left or len(order) == 2):
            return None
        tree = b.element(here[0], (at, *others))
        if tree is None or tree.ndim != 1 + len(others):
            return None
        found = tree if found is None else matmul(found, tree)
        at = others[0] if others else at
    return found if len(order) == 1 or at is order[1] else None
