"""exp(f - lse f) is e/sum(e): `exp(z - lse)` itself would lose three digits at |z| = 1000."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from symgrad.algebra.build import add, neg, substitute, where
from symgrad.algebra.terms import INFINITY, MINUS_ONE, Term, coefficient, extent, terms_of
from symgrad.lower.arrays import Expr, Softmax
from symgrad.lower.scope import Scope


def softmax_of(t: Term, scope: Scope, condition: Term | None) -> Expr | None:
    """The softmax that an exponential is, if it is one; `condition`: a bracket [c] that multiplies it."""
    if t.op != "fn" or t.data != "exp":
        return None
    for a in terms_of(t.args[0]):
        c, name = coefficient(a)
        lse = logsumexp_of(name, scope) if c == MINUS_ONE.data else None
        if lse is None:
            continue
        f = add(t.args[0], name)
        found = matching(where(condition, f, neg(INFINITY)) if condition is not None else f, lse, scope)
        if found is not None:
            return found
    return None


def logsumexp_of(t: Term, scope: Scope) -> Term | None:
    """The reduction that the term is or names."""
    if t.op == "red" and t.data == "lse":
        return t
    statement = scope.definitions.get(str(t.data)) if t.op == "get" else None
    if statement is None or statement.body.op != "red" or statement.body.data != "lse":
        return None
    return substitute(statement.body, dict(zip(statement.indices, t.args, strict=True)))


def matching(f: Term, lse: Term, scope: Scope) -> Expr | None:
    """The softmax of f if the reduction is that of f over some of its indices."""
    body, over = scope.open(lse)
    candidates = sorted(f.free - lse.free, key=lambda i: (str(i.data), i.digest))
    for chosen in assignments(over, candidates):
        if substitute(body, dict(zip(over, chosen, strict=True))) is f:
            e = scope.lower(f)
            return Softmax(e.frame, "real", e, tuple(chosen)) if set(chosen) <= set(e.frame) else None
    return None


def assignments(over: list[Term], candidates: list[Term]) -> Iterator[tuple[Term, ...]]:
    """Ways to name the indices of a reduction by indices of the same extents."""
    if len(candidates) > 5:
        return
    for chosen in permutations(candidates, len(over)):
        if all(extent(a) is extent(b) for a, b in zip(over, chosen, strict=True)):
            yield chosen
