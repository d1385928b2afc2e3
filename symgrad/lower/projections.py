"""f - a*sum(b*f) where a*b sums to 1: what is left of f when its part along a is taken out.

a = 1, b a softmax        the gradient through a softmax (`lower/softmax`)
a = b = x/norm(x)         a gradient through a normalized vector; 1/sqrt(mean(x**2) + eps) leaves a little of it
a a softmax, b = 1        the gradient of a sum of functions of a softmax

Two softmaxes y of z and r of z + d, a prior and its posterior, differ by y*(e**u - 1), u = d - log(sum(y*e**d)).

One place along the axis that holds nearly all of a*b would be left of a difference of equal numbers. So f is first
freed of a by its value there, which changes nothing of the result: at that place it is 0 then, and the others make it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from symgrad.algebra.build import add, fn, mul, neg, power, reduce, sub, substitute
from symgrad.algebra.terms import (
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    base_exponent,
    factors_of,
    is_num,
    num,
    terms_of,
    value,
    walk,
)
from symgrad.lower.arrays import Expr, Projected, Shifted, Softmax
from symgrad.lower.scope import Guard, Scope
from symgrad.lower.softmax import assignments, body_of, logsumexp_of, places_of, reduction_of, softmax_of, weights_of

MOST_PARTS = 4
"""Factors of a sum among which b and f are looked for."""
DEPTH = 4
"""Names behind names that are looked through."""


def with_projections(t: Term, scope: Scope) -> Term | None:
    """A sum with `f - a*sum(b*f)` in it as a function of its own; None where there is none."""
    for last in terms_of(t):
        for total in factors_of(last):
            red = reduction_of(total, "sum", scope)
            if red is None:
                continue
            rest = mul(*(f for f in factors_of(last) if f is not total))
            for here, place in _opened(t, red, scope):
                found = _projection(t, last, rest, here, place, scope)
                if found is not None:
                    return found
    return None


def _opened(t: Term, total: Term, scope: Scope) -> Iterator[tuple[Term, Term]]:
    """The body of a sum at an index of t, other sums within it, and that index."""
    body, over = scope.open(total)
    candidates = [p for p in places_of(t, body, total) if p.op == "idx"]
    for k in over if candidates else ():
        inner = [i for i in over if i is not k]
        held = [f for f in factors_of(body) if f.free & frozenset(inner)]
        one = mul(*(f for f in factors_of(body) if f not in held), reduce("sum", mul(*held), inner)) if inner else body
        for (place,) in assignments([k], candidates):
            yield substitute(one, {k: place}), place


def _projection(t: Term, last: Term, rest: Term, body: Term, place: Term, scope: Scope) -> Term | None:
    """The sum t with its terms `scale*f` and `last` = -scale*a*sum(b*f) as one; `body`: b*f."""
    for f, b in _splits(body, place):
        for first in terms_of(t):
            scale = _quotient(first, f)
            held = [c for c in factors_of(scale) if c.op == "iv"]
            if first is last or place in scale.free or not set(held) <= set(factors_of(rest)):
                continue
            bare = mul(*(x for x in factors_of(rest) if x not in held))
            a = mul(MINUS_ONE, bare, power(mul(*(x for x in factors_of(scale) if x not in held)), MINUS_ONE))
            others = [x for x in terms_of(t) if x is not first and x is not last]
            shifted = _shifted(f, a, place, scope) if b is ONE else None
            if shifted is not None:
                return add(mul(scale, shifted), *others)
            left = missing_from_one(mul(a, b), place, scope)
            if left is not None:
                by = mul(b, *(x for x in factors_of(a) if x.op == "iv"))  # where a is 0, b may be nan
                return add(mul(scale, fn("projected", f, a, by, left, place)), *others)
    return None


def _shifted(f: Term, a: Term, place: Term, scope: Scope) -> Term | None:
    """c*(r - y) for f = c*r and a = y, softmaxes whose arguments have a part in common: a posterior and its prior."""
    before = _logits(a, place, scope)
    for r in factors_of(_unfolded(f, scope)) if before is not None else ():
        after = _logits(r, place, scope)
        scale = _quotient(_unfolded(f, scope), r)
        if after is None or before is None or place in scale.free:
            continue
        whole = sub(_written_out(after, scope), _written_out(before, scope))
        change = add(*(x for x in terms_of(whole) if place in x.free))
        kept = terms_of(_written_out(after, scope))
        if change.tensors and all(x in kept for x in terms_of(before)):
            return mul(scale, fn("shifted", change, before, place))
    return None


def _logits(t: Term, place: Term, scope: Scope) -> Term | None:
    """What a softmax along an index is taken of."""
    body = body_of(t, scope) or t
    if body.op != "fn" or body.data != "exp":
        return None
    for x in terms_of(body.args[0]):
        lse = logsumexp_of(neg(x), scope)
        if lse is not None and len(lse.args) == 2 and isinstance(found := softmax_of(body, scope, None), Softmax):
            return add(body.args[0], neg(x)) if found.over == (place,) else None
    return None


def _written_out(t: Term, scope: Scope) -> Term:
    body = body_of(t, scope)
    return t if body is None else body


def _quotient(t: Term, f: Term) -> Term:
    """t/f: what is left of the factors where t has those of f."""
    left, taken = list(factors_of(t)), [x for x in factors_of(f) if x in factors_of(t)]
    for x in taken:
        left.remove(x)
    return mul(*left, *(power(x, MINUS_ONE) for x in factors_of(f) if x not in taken))


def _splits(body: Term, place: Term) -> Iterator[tuple[Term, Term]]:
    """The ways to write a product as f*b, f with the index."""
    parts = [p for f in factors_of(body) for p in _parts(f)]
    if len(parts) > MOST_PARTS:
        return
    seen = set()
    for count in range(len(parts), 0, -1):
        for chosen in combinations(range(len(parts)), count):
            f = mul(*(parts[k] for k in chosen))
            if place in f.free and f not in seen:
                seen.add(f)
                yield f, mul(*(p for k, p in enumerate(parts) if k not in chosen))


def _parts(f: Term) -> Sequence[Term]:
    """x**3 as three factors, |x| as sign(x)*x."""
    b, e = base_exponent(f)
    if is_num(e) and value(e).denominator == 1 and 1 < value(e) <= MOST_PARTS:
        return [b] * int(value(e))
    return (fn("sign", f.args[0]), f.args[0]) if f.op == "fn" and f.data == "Abs" else (f,)


def missing_from_one(w: Term, place: Term, scope: Scope) -> Term | None:
    """1 - sum(w) along an index, where w is a softmax or made of squares over the square of their norm."""
    w = mul(*(f for f in factors_of(w) if f.op != "iv"))
    if place not in w.free:
        return None
    along = weights_of(w, scope) if len(factors_of(w)) == 1 else None
    if along is not None:
        return ZERO if along[1] == (place,) else None
    for _ in range(DEPTH):
        parts = _flat(w)
        own = [f for f in parts if place in f.free]
        others = mul(*(f for f in parts if place not in f.free))
        if len(own) == 1 and own[0].op == "pow" and own[0].args[1] is TWO:
            found = _of_norm(own[0].args[0], others, place, scope)
            if found is not None:
                return found
        unfolded = mul(*(_unfolded(f, scope) for f in own))
        if unfolded is mul(*own):
            return None
        w = mul(unfolded, others)
    return None


def _flat(t: Term) -> list[Term]:
    """Factors, x/y as two."""
    found: list[Term] = []
    for f in factors_of(t):
        b, e = base_exponent(f)
        if b.op == "fn" and b.data == "ratio":
            found += factors_of(mul(power(b.args[0], e), power(b.args[1], neg(e))))
        else:
            found.append(f)
    whole = mul(*found)
    return list(factors_of(whole)) if any(_is_ratio(f) for f in factors_of(t)) else found


def _is_ratio(t: Term) -> bool:
    b, _ = base_exponent(t)
    return b.op == "fn" and b.data == "ratio"


def _unfolded(t: Term, scope: Scope) -> Term:
    b, e = base_exponent(t)
    body = body_of(b, scope)
    return t if body is None or body.op == "red" else power(body, e)


def _of_norm(v: Term, others: Term, place: Term, scope: Scope) -> Term | None:
    """1 - others*norm(v)**2, where that is 0 or others = c/(c*norm(v)**2 + e)."""
    k = scope.fresh.index(place)
    norm = reduce("norm", substitute(v, {place: k}), [k])
    for _ in range(DEPTH):
        whole = mul(others, power(norm, TWO))
        if whole is ONE:
            return ZERO
        for f in factors_of(others):
            b, e = base_exponent(f)
            if e is num(-2) and b.op == "fn" and b.data == "hypot":
                squares = [power(x, TWO) for x in b.args]
            elif e is MINUS_ONE and b.op == "add" and len(b.args) == 2:
                squares = list(b.args)
            else:
                continue
            scale = mul(whole, power(f, MINUS_ONE))
            for x, y in (squares, squares[::-1]):
                if _looked_through(x, scope) is scale:
                    return mul(y, f)
        unfolded = mul(*(_unfolded_base(f, scope) for f in factors_of(others)))
        if unfolded is others:
            return None
        others = unfolded
    return None


def _looked_through(t: Term, scope: Scope) -> Term:
    """A term with names of norms written out."""
    swap = {x: body for x in walk(t) if x.op == "get" and (body := reduction_of(x, "norm", scope)) is not None}
    return substitute(t, swap) if swap else t


def _unfolded_base(f: Term, scope: Scope) -> Term:
    b, e = base_exponent(f)
    body = body_of(b, scope)
    return f if body is None or (body.op == "red" and body.data != "norm") else power(body, e)


def lower_shifted(t: Term, scope: Scope, guard: Guard) -> Expr:
    """The array of the difference of two softmaxes."""
    change, before, place = t.args
    kept = tuple(c for c in guard if place not in c.free)
    d, z = (scope.lower(x, kept) for x in (change, before))
    return Shifted(scope.order.merge([d.frame, z.frame]), "real", d, z, (place,))


def lower_projected(t: Term, scope: Scope, guard: Guard) -> Expr:
    """The array of a projection."""
    *parts, place = t.args
    # every place along the axis enters the sum, those too where a condition on it does not hold
    kept = tuple(c for c in guard if place not in c.free)
    f, a, b, left = (scope.lower(p, kept) for p in parts)
    frame = scope.order.merge([f.frame, a.frame, b.frame, left.frame])
    return Projected(frame, "real", f, a, b, left, (place,))
