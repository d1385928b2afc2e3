"""Softmax and what belongs to it, as arrays that keep their digits where one element is nearly all.

exp(f - lse f)     e/sum(e): `exp(z - lse)` itself would lose three digits at |z| = 1000
f - lse f          (f - max f) - log1p(the sum of the other exponentials)
1 - y              the sum of the other weights where y is more than a half
g - sum(y*g)       the same of g minus its value where y is more than a half
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from symgrad.algebra.build import add, fn, mul, neg, substitute, where
from symgrad.algebra.terms import (
    INFINITY,
    MINUS_ONE,
    ONE,
    ZERO,
    Term,
    coefficient,
    extent,
    factors_of,
    is_access,
    num,
    terms_of,
    walk,
)
from symgrad.lower.arrays import Centered, Complement, Expr, Frame, LogSoftmax, Map, Reduce, Softmax, is_batch
from symgrad.lower.frames import complete
from symgrad.lower.scope import Guard, Scope

MOST_FACTORS = 3
"""Softmaxes that are looked for in one exponential."""


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
    several = softmaxes_in(t.args[0], scope, MOST_FACTORS) if condition is None else ()
    if len(several) < 2:
        return None
    product: Expr = several[0]
    for e in several[1:]:
        product = Map(scope.order.merge([product.frame, e.frame]), "real", "mul", (product, e))
    return product


def softmaxes_in(exponent: Term, scope: Scope, most: int) -> Sequence[Expr]:
    """The softmaxes whose product e^x is: x = (f - lse f) + (g - lse g) cancels digits that neither of them does."""
    if not most:
        return ()
    for a in terms_of(exponent):
        c, name = coefficient(a)
        lse = logsumexp_of(name, scope) if c < 0 else None
        if lse is None:
            continue
        body, over = scope.open(lse)
        candidates = sorted(exponent.free - lse.free, key=lambda i: (str(i.data), i.digest))
        for chosen in assignments(over, candidates):
            f = substitute(body, dict(zip(over, chosen, strict=True)))
            rest = add(exponent, neg(f), name)
            if rest is not ZERO and len(terms_of(rest)) >= len(terms_of(exponent)):
                continue
            e = scope.lower(f)
            others = softmaxes_in(rest, scope, most - 1) if rest is not ZERO else ()
            if set(chosen) <= set(e.frame) and (rest is ZERO or others):
                return (Softmax(e.frame, "real", e, tuple(chosen)), *others)
    return ()


def logsumexp_of(t: Term, scope: Scope) -> Term | None:
    """The logsumexp that the term is or names."""
    return reduction_of(t, "lse", scope)


def reduction_of(t: Term, kind: str, scope: Scope) -> Term | None:
    """The reduction of that kind that the term is or names."""
    if t.op == "red" and t.data == kind:
        return t
    body = body_of(t, scope)
    return body if body is not None and body.op == "red" and body.data == kind else None


def body_of(t: Term, scope: Scope) -> Term | None:
    """What an access to a statement stands for."""
    statement = scope.definitions.get(str(t.data)) if t.op == "get" else None
    if statement is None or statement.recurrence is not None:
        return None
    return substitute(statement.body, dict(zip(statement.indices, t.args, strict=True)))


def log_softmax_of(t: Term, scope: Scope) -> tuple[Expr, bool, Term] | None:
    """`f - lse f` in a sum, if it is there: its array, whether it is subtracted, and the other terms."""
    for a in terms_of(t):
        c, name = coefficient(a)
        lse = logsumexp_of(name, scope) if abs(c) == 1 else None
        if lse is None:
            continue
        body, over = scope.open(lse)
        for chosen in assignments(over, places_of(t, body, lse)):
            f = substitute(body, dict(zip(over, chosen, strict=True)))
            taken = frozenset(terms_of(mul(num(-c), f)))
            if f.op != "where" and taken <= frozenset(terms_of(t)):
                rest = add(*(x for x in terms_of(t) if x is not a and x not in taken))
                return _logarithm(f, body, over, chosen, scope), c > 0, rest
    return None


def places_of(t: Term, body: Term, lse: Term) -> list[Term]:
    """What the indices of a logsumexp may stand for in t: free indices, and subscripts of what is read there."""
    indices = sorted(t.free - lse.free, key=lambda i: (str(i.data), i.digest))
    reads = sorted((x for x in walk(t) if is_access(x) and x.data in body.tensors), key=lambda x: x.digest)
    return list(dict.fromkeys([*indices, *(s for x in reads for s in x.args)]))


def _logarithm(f: Term, body: Term, over: list[Term], chosen: tuple[Term, ...], scope: Scope) -> Expr:
    """The array of f - lse body, where f is the body with other indices or subscripts."""
    e = scope.lower(f)
    whole = complete(scope.lower(body), over, scope.order)
    rest = tuple(i for i in whole.frame if i not in over)
    if set(chosen) <= set(e.frame) - set(rest):
        return LogSoftmax(e.frame, "real", e, chosen)
    for kind in ("top", "log_rest"):
        taken = Reduce(rest, "real", kind, whole, tuple(over))
        e = Map(scope.order.merge([e.frame, rest]), "real", "sub", (e, taken))
    return e


def complement_of(t: Term, scope: Scope) -> Expr | None:
    """1 - t for a softmax, or a name of one."""
    found = weights_of(t, scope)
    return None if found is None else Complement(found[0].frame, "real", *found)


def difference_from_one(t: Term, scope: Scope) -> Term:
    """1 - t, for a softmax at a given place by its logarithm."""
    body = body_of(t, scope) or t
    return neg(fn("expm1", body.args[0])) if body.op == "fn" and body.data == "exp" else add(ONE, neg(t))


def weights_of(t: Term, scope: Scope) -> tuple[Expr, Frame] | None:
    """The array of a softmax, or of its name, and the axes along which it sums to 1."""
    body = body_of(t, scope) or t
    found = softmax_of(body, scope, None)
    if not isinstance(found, Softmax):
        return None
    e = scope.lower(t)
    return (e, found.over) if set(found.over) <= set(e.frame) else None


def centered_of(t: Term, scope: Scope, guard: Guard) -> tuple[Expr, bool, Term] | None:
    """`g_j - sum_k y_k g_k` in a sum, for a softmax y: its array, whether it is subtracted, and the other terms."""
    for a in terms_of(t):
        c, name = coefficient(a)
        total = reduction_of(name, "sum", scope) if abs(c) == 1 else None
        if total is None or not 1 <= len(total.args) - 1 <= 2:
            continue
        body, over = scope.open(total)
        for y in (f for f in factors_of(body) if f.free >= frozenset(over)):
            g = mul(*(f for f in factors_of(body) if f is not y))
            for chosen in assignments(over, places_of(t, g, total)) if g.free & frozenset(over) else ():
                renamed = dict(zip(over, chosen, strict=True))
                one = mul(num(-c), substitute(g, renamed))
                if one not in terms_of(t) or any(i.op != "idx" or i in total.free for i in chosen):
                    continue
                found = weights_of(substitute(y, renamed), scope)
                if found is not None and set(found[1]) == set(chosen):
                    rest = add(*(x for x in terms_of(t) if x is not a and x is not one))
                    # every place along the axis enters the sum, those too where a condition on it does not hold
                    kept = tuple(c for c in guard if not c.free & set(chosen))
                    e = scope.lower(_without_constants(substitute(g, renamed), chosen, scope), kept)
                    frame = scope.order.merge([e.frame, found[0].frame])
                    if e.dtype == "real" and set(e.frame) >= set(chosen):
                        return Centered(frame, "real", e, *found), c > 0, rest
    return None


def _without_constants(g: Term, along: tuple[Term, ...], scope: Scope) -> Term:
    """g without terms that are the same all along the axes: a logarithm z - lse of a weight is as good as z."""
    body = body_of(g, scope) or g
    kept = add(*(x for x in terms_of(body) if x.free & frozenset(along)))
    return kept if body.op == "add" and kept is not body and kept is not ZERO else g


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
    if len(candidates) > 5 or any(is_batch(i) for i in over):
        return
    for chosen in permutations(candidates, len(over)):
        if all(b.op != "idx" or extent(a) is extent(b) for a, b in zip(over, chosen, strict=True)):
            yield chosen
