"""Sums over two of three linked indices p = s*a + u - c: the longest, p, is the one that follows from the others.

    Sum_a W[p + c - s*a] x[a]    ->    Sum_a,u [p == s*a + u - c] W[u] x[a]    products, then added at p
    Sum_p W[p + c - s*a] g[p]    ->    Sum_u W[u] g[s*a + u - c]               windows of g
    Sum_p [p == s*a + u - c] g[p] x[a]    ->    g[s*a + u - c] x[a]            windows of g

So a transposed convolution is a product of matrices whose columns are added up, and its gradients are those of a
convolution. The matrix of all W[p + c - s*a] would be as large as both images together, and mostly 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symgrad.algebra.affine import affine_in, solve_for
from symgrad.algebra.build import add, compare, iverson, mul, neg, substitute
from symgrad.algebra.terms import ONE, Term, by_name, extent, factors_of, get0, idx, is_access
from symgrad.lower.arrays import is_batch
from symgrad.lower.radix import rising
from symgrad.lower.scope import Scope, is_scalar


def linked(body: Term, over: Sequence[Term], scope: Scope) -> tuple[Term, list[Term]] | None:
    """The product and its summed indices with short indices for long ones; None where nothing is linked."""
    factors, indices = conditions_apart(body), list(over)
    changed = False
    while (found := _distance(factors, indices, scope) or _following(factors, indices, scope)) is not None:
        factors, indices = found
        changed = True
    return (mul(*factors), indices) if changed else None


def conditions_apart(body: Term) -> list[Term]:
    """The factors of a product, every bracket with one condition."""
    found: list[Term] = []
    for f in factors_of(body):
        held = f.op == "iv" and f.args[0].op == "and"
        found += [iverson(c) for c in f.args[0].args] if held else [f]
    return found


Product = tuple[list[Term], list[Term]]
"""Factors and summed indices."""


def _distance(factors: Sequence[Term], over: Sequence[Term], scope: Scope) -> Product | None:
    """The product with W[u] [p == s*a + u - c] for one read W[p + c - s*a]."""
    for f in factors:
        for k, s in enumerate(f.args if f.op == "get0" else ()):
            size = scope.signatures[str(f.data)].extents[k]
            pair = _ends(s, size)
            if pair is None:
                continue
            far, near = pair
            rest = [*(g for g in factors if g is not f), *(o for j, o in enumerate(f.args) if j != k)]
            if not _may_follow(far, near, rest, over, scope):
                continue
            tap = scope.fresh.index(idx("tap", size))
            scope.order.add(tap)
            read = get0(str(f.data), (*f.args[:k], tap, *f.args[k + 1 :]))
            # s == tap, solved for p
            link = iverson(compare("==", far, add(far, neg(s), tap)))
            return [read if g is f else g for g in factors] + [link], [*over, tap]
    return None


def _ends(s: Term, size: Term) -> tuple[Term, Term] | None:
    """p and a of a subscript p + c - s*a, where the axis that is read has an extent of its own."""
    indices = by_name(s.free)
    if s.tensors or len(indices) != 2:
        return None
    for p, a in (indices, indices[::-1]):
        first = affine_in(s, p)
        second = affine_in(first[1], a) if first is not None and first[0] is ONE else None
        if second is not None and rising(neg(second[0])) and is_scalar(second[1]):
            return (p, a) if size is not extent(p) and size is not extent(a) else None
    return None


def _may_follow(far: Term, near: Term, rest: Sequence[Term], over: Sequence[Term], scope: Scope) -> bool:
    """Whether p = s*a + u - c can be added at, or read at."""
    if is_batch(far) or is_batch(near):
        return False
    if far in over:
        return _is_read_plainly(far, frozenset([near]), rest)
    return near in over and far in scope.indices and not any(far in f.free for f in rest)


def _following(factors: Sequence[Term], over: Sequence[Term], scope: Scope) -> Product | None:
    """The product without one summed index n of a bracket [n == s*a + u - c], which is read at."""
    for f in factors:
        if f.op != "iv" or f.args[0].op != "cmp" or f.args[0].data != "==" or f.tensors:
            continue
        for n in over:
            position = solve_for(n, *f.args[0].args) if n in f.free and not is_batch(n) else None
            rest = [g for g in factors if g is not f]
            if position is None or not _counts_upwards(position) or not _is_read_plainly(n, position.free, rest):
                continue
            if any(n in g.free and _reaches(g, n, scope) for g in rest):
                return [_read_at(g, n, position) for g in rest], [v for v in over if v is not n]
    return None


def _counts_upwards(position: Term) -> bool:
    """Whether a position is affine in one or two indices with positive slopes."""
    indices, rest = by_name(position.free), position
    for i in indices:
        found = affine_in(rest, i)
        if found is None or not rising(found[0]):
            return False
        rest = found[1]
    return 1 <= len(indices) <= 2 and is_scalar(rest)


def _is_read_plainly(n: Term, others: Iterable[Term], factors: Sequence[Term]) -> bool:
    """Whether n is only a subscript of accesses that are factors, and these have none of the other indices."""
    taken = frozenset([n, *others])
    for f in factors:
        if n not in f.free:
            continue
        if not is_access(f) or n not in f.args or any(s is not n and s.free & taken for s in f.args):
            return False
    return True


def _reaches(access: Term, n: Term, scope: Scope) -> bool:
    """Whether reads outside of the axis are the values of n that there are not."""
    extents = scope.signatures[str(access.data)].extents
    return any(s is n and extent(n) is e for s, e in zip(access.args, extents, strict=True))


def _read_at(factor: Term, n: Term, position: Term) -> Term:
    if n not in factor.free:
        return factor
    return substitute(get0(str(factor.data), factor.args), {n: position})
