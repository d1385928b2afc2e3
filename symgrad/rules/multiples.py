"""Laws of numbers and their multiples: what is even, what is odd, sums over a few positions."""

from __future__ import annotations

from math import gcd

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    fn,
    iverson,
    mul,
    negation,
    open_reduction,
    rebuild,
    reduce,
    sub,
    substitute,
)
from symgrad.algebra.terms import (
    ONE,
    TWO,
    Term,
    coefficient,
    extent,
    factors_of,
    get0,
    is_access,
    is_num,
    num,
    terms_of,
    value,
    walk,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.digits import is_whole

FEW = 4
"""Positions up to which a sum is written out."""


def _divisible(t: Term, context: Context) -> Term | None:
    """sum_j [w*(j // v) + c == k] f = [k % w == c] sum_j [j // v == k // w] f for a number w and 0 <= c < w."""
    if t.op != "red" or t.data != "sum":
        return None
    bound = frozenset(t.args[1:])
    for f in factors_of(t.args[0]):
        c = f.args[0] if f.op == "iv" else f
        if c.op != "cmp" or c.data != "==" or not all(is_whole(a, context) for a in c.args):
            continue
        new = _quotient_and_rest(sub(*c.args), bound)
        if new is not None:
            rest = mul(*(g for g in factors_of(t.args[0]) if g is not f))
            names = {v: context.fresh.index(v) for v in t.args[1:]}
            return reduce("sum", substitute(mul(iverson(new), rest), names), names.values())
    return None


def _quotient_and_rest(difference: Term, bound: frozenset[Term]) -> Term | None:
    summed = [a for a in terms_of(difference) if a.free & bound]
    rest = [a for a in terms_of(difference) if not a.free & bound]
    if not summed or not all(any(g.op == "fn" for g in factors_of(a)) for a in summed) or not rest:
        return None
    w = gcd(*(int(coefficient(a)[0]) for a in summed))
    if w < 2:
        return None
    sign = 1 if coefficient(summed[0])[0] > 0 else -1
    quotient = add(*(mul(num(sign), num(coefficient(a)[0] / w), coefficient(a)[1]) for a in summed))
    e = mul(num(-sign), add(*(a for a in rest if not is_num(a))))
    c = int(sum(value(a) for a in rest if is_num(a)) * sign)  # quotient*w + c == e
    remainder, shift = c % w, c // w
    whole = compare("==", add(quotient, num(shift)), fn("floordiv", e, num(w)))
    return conjunction(whole, remainder_is(e, w, remainder))


def remainder_is(e: Term, w: int, c: int) -> Term:
    """e % w == c; odd is not even."""
    if w == 2 and c == 1:
        return negation(remainder_is(e, 2, 0))
    return compare("==", fn("mod", e, num(w)), num(c))


def _unroll(t: Term, context: Context) -> Term | None:
    """sum_(j < 2) f(j) = f(0) + f(1) where f depends on j by cases."""
    if t.op != "red" or t.data != "sum":
        return None
    for v in t.args[1:]:
        size = extent(v)
        if is_num(size) and 1 <= value(size) <= FEW and _decides(t.args[0], v):
            body, variables = open_reduction(t, context.fresh)
            own = variables[t.args[1:].index(v)]
            others = [x for x in variables if x is not own]
            parts = [substitute(body, {own: num(k)}) for k in range(int(value(size)))]
            return add(*(_again(p, others, context) for p in parts))
    return None


def _again(t: Term, over: list[Term], context: Context) -> Term:
    names = {v: context.fresh.index(v) for v in over}
    return reduce("sum", substitute(t, names), names.values())


def _decides(t: Term, v: Term) -> bool:
    """Whether a branch or a bracket depends on the index alone, or on it and another position."""
    conditions = (x.args[0] for x in walk(t) if x.op in ("iv", "where") and v in x.args[0].free)
    return any(c.op == "cmp" and not c.tensors for c in conditions)


def _known_remainder(t: Term, context: Context) -> Term | None:
    """[k % w == c] f(w*(k // w)) = [k % w == c] f(k - c)."""
    if t.op != "mul":
        return None
    for f in t.args:
        known = _remainder_of(f.args[0]) if f.op == "iv" else None
        if known is None:
            continue
        k, w, c = known
        rest = mul(*(g for g in t.args if g is not f))
        new = _replaced(rest, mul(w, fn("floordiv", k, w)), sub(k, c))
        if new is not rest:
            return mul(f, new)
    return None


def _remainder_of(c: Term) -> tuple[Term, Term, Term] | None:
    """k, w, r where the condition is k % w == r, or k % 2 != 0."""
    if c.op != "cmp" or c.data not in ("==", "!="):
        return None
    for x, r in (c.args, c.args[::-1]):
        if x.op == "fn" and x.data == "mod" and is_num(r):
            if c.data == "==":
                return x.args[0], x.args[1], r
            if x.args[1] is TWO:
                return x.args[0], TWO, sub(ONE, r)
    return None


def _replaced(t: Term, old: Term, new: Term) -> Term:
    """The term with an expression in its subscripts replaced; such reads may be outside where the bracket fails."""
    if is_access(t):
        args = tuple(substitute(a, {old: new}) for a in t.args)
        return t if args == t.args else get0(str(t.data), args)
    if t.op in ("red", "idx") or not t.args:
        return t
    return rebuild(t, tuple(_replaced(a, old, new) for a in t.args))


DIVISIBLE = Rule(
    "digit/divisible",
    ("red",),
    r"\left[w \left\lfloor \tfrac{j}{v} \right\rfloor + c = k\right] = [k \bmod w = c]\left[\left\lfloor \tfrac{j}{v}"
    r" \right\rfloor = \left\lfloor \tfrac{k}{w} \right\rfloor\right]",
    "only multiples are met",
    _divisible,
    Example(
        "Sum(where(2*(k//3) == i, w[k], 0), k)",
        "Sum(where(And(k//3 == i//2, i % 2 == 0), w[k], 0), k)",
        "{w: [c], x: [n]}",
    ),
)
UNROLL = Rule(
    "sum/unroll",
    ("red",),
    r"\sum_{j < 2} a_j = a_0 + a_1",
    "the cases are written out",
    _unroll,
    Example("Sum(where(q != 0, v[i, q], 0), (q, 0, 1))", "v[i, 1]", "{v: [n, 2], w: [c]}"),
)
KNOWN_REMAINDER = Rule(
    "digit/remainder",
    ("mul",),
    r"[k \bmod w = c]\,a_{w \lfloor k/w \rfloor} = [k \bmod w = c]\,a_{k - c}",
    "the remainder is known",
    _known_remainder,
    Example("where(k % 2 == 0, w[2*(k//2) + 1], 0)", "where(k % 2 == 0, w[k + 1], 0)", "{w: [c], x: [n]}"),
)
MULTIPLES = (DIVISIBLE, UNROLL)

__all__ = ["KNOWN_REMAINDER", "MULTIPLES"]
