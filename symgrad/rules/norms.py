"""Differences of norms of vectors that have a part in common, as distances to one point do: for kernels alone.

norm(f) - norm(g)         sum((f - g)*(f + g)/(norm f + norm g))
f/norm(f) - g/norm(g)     (f - g)/norm(f) - (g/norm(g))*((norm f - norm g)/norm f) where norm(f) is the larger

The common part leaves f - g before anything is squared; it is all that is left of it where f and g are large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from symgrad.algebra.build import (
    add,
    compare,
    fn,
    iverson,
    mul,
    neg,
    power,
    reduce,
    sub,
    substitute,
    where,
)
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    TWO,
    ZERO,
    Term,
    base_exponent,
    by_name,
    coefficient,
    factors_of,
    num,
    terms_of,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


@dataclass(frozen=True)
class Unit:
    """A summand scale*f/norm, where `norm` is that of f along `place`."""

    whole: Term
    scale: Term
    f: Term
    norm: Term
    place: Term


def norm_of(t: Term, context: Context) -> Term | None:
    """The norm that a term is or names."""
    body = context.body(t) if t.op == "get" else t
    return body if body is not None and body.op == "red" and body.data == "norm" else None


def _gap(first: Term, second: Term, context: Context) -> Term | None:
    """norm(f) - norm(g) by f - g, where f and g have a part in common; both are given by name or whole."""
    one, two = norm_of(first, context), norm_of(second, context)
    if one is None or two is None or one is two:
        return None
    f, over = context.opened(one)
    g, others = context.opened(two)
    if len(over) != len(others):
        return None
    g = substitute(g, dict(zip(others, over, strict=True)))
    apart = sub(f, g)
    if apart.size >= f.size + g.size - 2 or not apart.tensors:
        return None
    both = add(first, second)
    halves = (add(mul(HALF, x), mul(HALF, y)) for x, y in ((f, g), (first, second)))  # sums may overflow
    total = reduce("sum", mul(apart, fn("ratio", *halves)), over)
    return mul(iverson(compare("!=", both, ZERO)), total)


def _difference(t: Term, context: Context) -> Term | None:
    """c*norm(f) - c*norm(g) in a sum."""
    pairs = [(a, *_over_norm(a, context)) for a in t.args]
    found = [(a, scale, norm) for a, scale, norm in pairs if norm is not None]
    for (a, c, first), (b, d, second) in permutations(found, 2):
        if add(c, d) is ZERO and coefficient(c)[0] > 0 and (gap := _gap(first, second, context)) is not None:
            return add(mul(c, gap), *(x for x in t.args if x is not a and x is not b))
    return None


def _over_norm(t: Term, context: Context) -> tuple[Term, Term | None]:
    """The factor of a norm, and the norm."""
    for f in factors_of(t):
        if norm_of(f, context) is not None:
            return mul(*(g for g in factors_of(t) if g is not f)), f
    return t, None


def _units(t: Term, context: Context) -> Iterator[Unit]:
    for whole in terms_of(t):
        for a in factors_of(whole):
            b, e = base_exponent(a)
            if e is MINUS_ONE and norm_of(b, context) is not None:
                for f in factors_of(whole):
                    rest = mul(*(x for x in factors_of(whole) if x is not f and x is not a))
                    yield from _unit(whole, rest, f, b, context)
            elif a.op == "fn" and a.data == "ratio" and norm_of(a.args[1], context) is not None:
                rest = mul(*(x for x in factors_of(whole) if x is not a))
                yield from _unit(whole, rest, a.args[0], a.args[1], context)


def _unit(whole: Term, scale: Term, f: Term, name: Term, context: Context) -> Iterator[Unit]:
    norm = norm_of(name, context)
    assert norm is not None
    inner, over = context.opened(norm)
    for place in by_name(f.free) if len(over) == 1 and f.op == "add" else ():
        own = substitute(inner, {over[0]: place})
        for sign in (1, -1):
            if mul(num(sign), own) is f:
                yield Unit(whole, mul(num(sign), scale), own, name, place)


def _apart(t: Term, context: Context) -> Term | None:
    """c*f/norm(f) - c*g/norm(g) in a sum, by the larger norm: where the other is 0 its direction is 0."""
    for one, two in permutations(_units(t, context), 2):
        there, inside = (iverson(compare("!=", u.norm, ZERO)) for u in (one, two))
        c, d = _without(one.scale, there), _without(two.scale, inside)
        if one.place is not two.place or add(c, d) is not ZERO or coefficient(c)[0] < 0:
            continue
        gap, larger = _gap(one.norm, two.norm, context), fn("Max", one.norm, two.norm)
        if gap is None:
            continue
        near = mul(iverson(compare("!=", larger, ZERO)), c, sub(one.f, two.f), power(larger, MINUS_ONE))
        directions = (fn("ratio", u.f, u.norm) for u in (one, two))
        smaller = where(compare("<", one.norm, two.norm), *directions)
        turned = mul(there, inside, c, smaller, fn("ratio", gap, larger))
        others = (x for x in t.args if x is not one.whole and x is not two.whole)
        return add(near, neg(turned), *others)
    return None


def _without(t: Term, f: Term) -> Term:
    return mul(*(x for x in factors_of(t) if x is not f))


def _cosine_distance(t: Term, context: Context) -> Term | None:
    """c - c*sum(f*g)/(norm(f)*norm(g)) in a sum."""
    for a in t.args:
        c, cosine = coefficient(a)
        if num(-c) in t.args and (squares := _cosine(cosine, context)) is not None:
            return add(mul(num(-c / 2), squares), *(x for x in t.args if x is not a and x is not num(-c)))
    return None


def _cosine(t: Term, context: Context) -> Term | None:
    """The squared distance of two directions whose cosine a term is or names."""
    body = context.body(t) if t.op == "get" else t
    parts = factors_of(body) if body is not None else ()
    total = next((x for f in parts if (x := _sum_of(f, context)) is not None), None)
    if total is None:
        return None
    product, over = context.opened(total)
    below = [base_exponent(f)[0] for f in parts if base_exponent(f)[1] is MINUS_ONE]
    if len(parts) == 1:  # each divided by its norm already
        parts = (total, *factors_of(product))
        ratios = [f for f in parts[1:] if f.op == "fn" and f.data == "ratio"]
        product, below = mul(*(f.args[0] for f in ratios)), [f.args[1] for f in ratios]
    if len(parts) != 3 or len(below) != 2:
        return None
    f, g = (_along(norm_of(b, context), over, context) for b in below)
    if f is None or g is None or mul(f, g) is not product:
        return None
    return reduce("sum", power(sub(fn("ratio", f, below[0]), fn("ratio", g, below[1])), TWO), over)


def _sum_of(t: Term, context: Context) -> Term | None:
    body = context.body(t) if t.op == "get" else t
    return body if body is not None and body.op == "red" and body.data == "sum" else None


def _along(norm: Term | None, over: Sequence[Term], context: Context) -> Term | None:
    """What a norm is taken of, at these indices."""
    if norm is None:
        return None
    inner, own = context.opened(norm)
    return substitute(inner, dict(zip(own, over, strict=True))) if len(own) == len(over) else None


_SUMS = (
    "ratio((x[i, j] - z[i, j])/2 + (x[i, j] - w[i, j])/2, norm(x[i, k] - z[i, k], k)/2 + norm(x[i, k] - w[i, k], k)/2)"
)
_LARGER = "Max(norm(x[i, j] - z[i, j], j), norm(x[i, j] - w[i, j], j))"
NORMS = (
    Rule(
        "machine/cosine-distance",
        ("add",),
        r"1 - \frac{\sum_j x_j z_j}{\|x\| \|z\|} = \frac12 \sum_j \Bigl(\frac{x_j}{\|x\|} - \frac{z_j}{\|z\|}\Bigr)^2",
        "nothing cancels where the directions are nearly one",
        _cosine_distance,
        Example(
            "1 - Sum(x[i, j]*z[i, j], j)/(norm(x[i, j], j)*norm(z[i, j], j))",
            "Sum((ratio(x[i, j], norm(x[i, k], k)) - ratio(z[i, j], norm(z[i, k], k)))**2, j)/2",
        ),
    ),
    Rule(
        "machine/difference-of-norms",
        ("add",),
        r"\|x\| - \|z\| = \sum_j (x_j - z_j) \frac{x_j + z_j}{\|x\| + \|z\|}",
        "what both have in common leaves before anything is squared",
        _difference,
        Example(
            "norm(x[i, j] - z[i, j], j) - norm(x[i, j] - w[i, j], j)",
            "where(norm(x[i, j] - z[i, j], j) + norm(x[i, j] - w[i, j], j) != 0, Sum((w[i, j] - z[i, j])*"
            f"{_SUMS}, j), 0)",
        ),
    ),
    Rule(
        "machine/difference-of-directions",
        ("add",),
        r"\frac{x}{\|x\|} - \frac{z}{\|z\|} = \frac{x - z}{\|x\|} - \frac{z}{\|z\|} \frac{\|x\| - \|z\|}{\|x\|}",
        "two directions that are nearly one have a difference of its own",
        _apart,
        Example(
            "(x[i, k] - z[i, k])/norm(x[i, j] - z[i, j], j) - (x[i, k] - w[i, k])/norm(x[i, j] - w[i, j], j)",
            f"where({_LARGER} != 0, (w[i, k] - z[i, k])/{_LARGER}, 0) - where(And(norm(x[i, j] - w[i, j], j) != 0, "
            "norm(x[i, j] - z[i, j], j) != 0), ratio(where(norm(x[i, j] - w[i, j], j) + norm(x[i, j] - z[i, j], j) != 0"
            f", Sum((w[i, j] - z[i, j])*{_SUMS}, j), 0), {_LARGER})*where(norm(x[i, j] - z[i, j], j) < "
            "norm(x[i, j] - w[i, j], j), ratio(x[i, k] - z[i, k], norm(x[i, j] - z[i, j], j)), "
            "ratio(x[i, k] - w[i, k], norm(x[i, j] - w[i, j], j))), 0)",
        ),
    ),
)
