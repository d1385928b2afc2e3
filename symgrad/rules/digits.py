"""Laws of positions in mixed radix: `w*p + q` with q < w has the digits p and q, which are `// w` and `% w` of it.

Reshapes, groups and heads are made of these: a delta between a position and its digits picks each digit by itself, and
digits that are all known pick the position.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.build import add, compare, conjunction, fn, iverson, mul, reduce, sub, substitute
from symgrad.algebra.terms import ZERO, Term, extent, factors_of, idx, is_num, terms_of, value, walk
from symgrad.formula.polynomial import (
    Polynomial,
    TooLargeError,
    atoms,
    constant,
    polynomial,
    quotient_of,
    same,
    split,
    term,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule

WHOLE = frozenset(("add", "mul", "idx", "dim", "num"))
FEW = 4
"""Positions up to which a sum over the other digit is shorter than a delta."""
QUOTIENTS = ("floordiv", "mod")


def is_whole(t: Term, context: Context) -> bool:
    """Whether the term is an integer made of indices and sizes: no tensor is read."""
    if t.op == "fn":
        return t.data in QUOTIENTS and all(is_whole(a, context) for a in t.args)
    if t.op == "par":
        return context.parameters[str(t.data)].dtype == "int"
    if t.op == "num":
        return value(t).denominator == 1
    return t.op in WHOLE and all(is_whole(a, context) for a in t.args if t.op != "idx")


def _has_quotient(t: Term) -> bool:
    return any(x.op == "fn" and x.data in QUOTIENTS for x in walk(t))


def _known_quotient(t: Term, context: Context) -> Term | None:
    """(w*p + q) // w = p + q // w, (w*p + q) % w = q % w; q // w = 0 and q % w = q for 0 <= q < w; (p // a) // b."""
    if t.op != "fn" or t.data not in QUOTIENTS or not is_whole(t, context):
        return None
    e, w = t.args
    if is_num(w) and value(w) == 0:
        return None
    whole, rest = _divided(e, w)
    quotient = t.data == "floordiv"
    if context.bounds.inside(rest, w):
        return whole if quotient else rest
    if whole is not ZERO:
        return add(whole, fn("floordiv", rest, w)) if quotient else fn("mod", rest, w)
    if quotient and e.op == "fn" and e.data == "floordiv" and _positive(e.args[1], context) and _positive(w, context):
        return fn("floordiv", e.args[0], mul(e.args[1], w))
    return None


def _positive(t: Term, context: Context) -> bool:
    return context.bounds.at_least(t, 1)


def _divided(e: Term, w: Term) -> tuple[Term, Term]:
    """q, r with e = w*q + r, summand by summand."""
    try:
        divisor = polynomial(w)
    except TooLargeError:
        return ZERO, e
    whole, rest = [], []
    for a in terms_of(e):
        q = quotient_of(polynomial(a), divisor)
        if q is None:
            rest.append(a)
        else:
            whole.append(term(q))
    return add(*whole), add(*rest)


def _rejoin(t: Term, context: Context) -> Term | None:
    """w*(e // w) + e % w = e, and w*((e // w) % h) + e % w = e % (w*h)."""
    if t.op != "add":
        return None
    for a in t.args:
        for f in factors_of(a):
            if f.op == "fn" and f.data == "mod":
                e, w = f.args
                scale = mul(*(g for g in factors_of(a) if g is not f))
                for b in t.args:
                    joined = None if b is a else _joined(b, mul(scale, w), e, w)
                    if joined is not None:
                        return add(mul(scale, joined), *(c for c in t.args if c is not a and c is not b))
    return None


def _joined(b: Term, scale: Term, e: Term, w: Term) -> Term | None:
    """e or e % (w*h) where b = scale*(e // w) or scale*((e // w) % h)."""
    for g in factors_of(b):
        if g.op != "fn" or g.data not in QUOTIENTS or b is not mul(scale, g):
            continue
        if g is fn("floordiv", e, w):
            return e
        if g.data == "mod" and g.args[0] is fn("floordiv", e, w):
            return fn("mod", e, mul(w, g.args[1]))
    return None


def _equalities(t: Term) -> list[tuple[Term, Term, Term]]:
    """Factors [a == b] of a product, as factor, a, b."""
    brackets = [f for f in factors_of(t) if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "=="]
    return [(f, *f.args[0].args) for f in brackets]  # type: ignore[misc]


def _split_digits(t: Term, context: Context) -> Term | None:
    """sum_p [w*p + q == e] f = sum_p [p == e // w] [q == e % w] f for q < w."""
    if t.op != "red" or t.data != "sum":
        return None
    bound = frozenset(t.args[1:])
    for factor, a, b in _equalities(t.args[0]):
        if not (is_whole(a, context) and is_whole(b, context)):
            continue
        found = _digits(sub(a, b), bound, context)
        held = mul(*(f for f in factors_of(t.args[0]) if f is not factor))
        if found is not None and not any(reduces_at(held, v) for v in found.free & bound):
            names = {v: context.fresh.index(v) for v in t.args[1:]}
            return reduce("sum", substitute(mul(iverson(found), held), names), names.values())
    return None


def reduces_at(t: Term, v: Term) -> bool:
    """Whether the term holds a reduction that depends on the index: at its digits it would be computed many times."""
    return v in t.free and any(x.op == "red" and v in x.free for x in walk(t))


def _digits(difference: Term, bound: frozenset[Term], context: Context) -> Term | None:
    """The conditions on the two digits of difference == 0; None where no summed index is one."""
    try:
        p = polynomial(difference)
    except TooLargeError:
        return None
    for u in atoms(p):
        parts = split(p, u) if u.op == "idx" or (_is_quotient(u) and u.free & bound) else None
        if parts is None or parts[0] not in (constant(1), constant(-1)):
            continue
        rest = parts[1] if parts[0] == constant(1) else {m: -c for m, c in parts[1].items()}
        found = _above(u, rest, bound, context)
        if found is not None:
            return found
    return None


def _above(u: Term, rest: Polynomial, bound: frozenset[Term], context: Context) -> Term | None:
    """u + rest == 0 with rest = w*high + low, u < w: high == -low // w and u == -low % w."""
    for w in _radices(u, rest, context):
        high: Polynomial = {}
        low: Polynomial = {}
        for part in _by_index(rest).values():
            q = quotient_of(part, polynomial(w))
            (low if q is None else high).update(part if q is None else q)
        digits = {u, *(x for x in atoms(high) if x.op == "idx" or _is_quotient(x))}
        if len(digits) > 1 and any(x.free & bound for x in digits):
            e = term({m: -c for m, c in low.items()})
            return conjunction(compare("==", term(high), fn("floordiv", e, w)), compare("==", u, fn("mod", e, w)))
    return None


def _is_quotient(t: Term) -> bool:
    return t.op == "fn" and t.data in QUOTIENTS


def _by_index(p: Polynomial) -> dict[Term | None, Polynomial]:
    """The polynomial by the index (or quotient) that its monomials hold."""
    groups: dict[Term | None, Polynomial] = {}
    for m, c in p.items():
        held = next((t for t, _ in m if t.op not in ("dim", "par")), None)
        groups.setdefault(held, {})[m] = c
    return groups


def _radices(u: Term, rest: Polynomial, context: Context) -> list[Term]:
    """Numbers w that u is below and of which another index of the sum has a multiple."""
    found: dict[Term, None] = {}
    for v, part in _by_index(rest).items():
        digit = v is not None and (v.op == "idx" or (_is_quotient(v) and _is_quotient(u)))
        parts = split(part, v) if v is not None and digit else None
        if parts is None or not parts[0] or parts[0] in (constant(1), constant(-1)):
            continue
        positive = all(c > 0 for c in parts[0].values())
        c = term(parts[0] if positive else {m: -k for m, k in parts[0].items()})
        if u.op == "idx" and quotient_of(parts[0], polynomial(extent(u))) is not None:
            found[extent(u)] = None
        elif context.bounds.inside(u, c) if u.op == "fn" else _below(extent(u), c, context):
            found[c] = None
    return list(found)


def _below(size: Term, w: Term, context: Context) -> bool:
    return same(size, w) or (context.bounds.at_least(sub(w, size)) and _positive(w, context))


def _compose_digits(t: Term, context: Context) -> Term | None:
    """sum_j [j % w == q] [j // w == p] f = sum_j [j == w*p + q] f for q < w."""
    if t.op != "red" or t.data != "sum":
        return None
    bound = frozenset(t.args[1:])
    pairs = [(f, x, y) for f, a, b in _equalities(t.args[0]) for x, y in ((a, b), (b, a))]
    for f, low, q in pairs:
        if low.op != "fn" or low.data != "mod" or not low.free & bound or bound & q.free:
            continue
        e, w = low.args
        high = fn("floordiv", e, w)
        found = next(((g, x, y) for g, x, y in pairs if g is not f and _is_high(x, high, e, w)), None)
        if found is None or not context.bounds.inside(q, w):
            continue
        g, x, p = found
        if x is high:
            new = compare("==", e, add(mul(w, p), q))
        else:  # x is (e // w) % h
            new = compare("==", fn("mod", e, mul(w, x.args[1])), add(mul(w, p), q))
            if not context.bounds.inside(p, x.args[1]):
                continue
        rest = [h for h in factors_of(t.args[0]) if h is not f and h is not g]
        names = {v: context.fresh.index(v) for v in t.args[1:]}
        return reduce("sum", substitute(mul(iverson(new), *rest), names), names.values())
    return None


def _is_high(x: Term, high: Term, e: Term, w: Term) -> bool:
    if x is high or (x.op == "fn" and x.data == "mod" and x.args[0] is high):
        return True
    if high.op == "fn" and e.op == "fn" and e.data == "floordiv":
        joined = fn("floordiv", e.args[0], mul(e.args[1], w))
        return x is joined or (x.op == "fn" and x.data == "mod" and x.args[0] is joined)
    return False


def _sum_over_digit(t: Term, context: Context) -> Term | None:
    """sum_j [j // w == p] f(j) = sum_(q < w) f(w*p + q), for an index p."""
    if t.op != "red" or t.data != "sum":
        return None
    bound = t.args[1:]
    for factor, a, b in _equalities(t.args[0]):
        for x, p in ((a, b), (b, a)):
            if x.op != "fn" or x.data != "floordiv" or x.args[0] not in bound or p is x.args[0]:
                continue
            j, w = x.args
            few = is_num(w) and value(w) <= FEW and not p.free & frozenset(bound)
            if p.op != "idx" and not few:
                continue
            if not is_whole(w, context) or w.free & frozenset(bound):
                continue
            q = context.fresh.index(idx("digit", w))
            position = add(mul(w, p), q)
            if not context.bounds.inside(position, extent(j)):
                continue
            rest = mul(*(f for f in factors_of(t.args[0]) if f is not factor))
            names = {v: context.fresh.index(v) for v in bound if v is not j}
            return reduce("sum", substitute(substitute(rest, {j: position}), names), [*names.values(), q])
    return None


def _sum_over_high_digit(t: Term, context: Context) -> Term | None:
    """sum_j [j % w == q] f(j) = sum_p f(w*p + q), for an index q and an extent of j that is a few times w."""
    if t.op != "red" or t.data != "sum":
        return None
    bound = t.args[1:]
    for factor, a, b in _equalities(t.args[0]):
        for x, q in ((a, b), (b, a)):
            if x.op != "fn" or x.data != "mod" or x.args[0] not in bound or q.op != "idx" or extent(q) is not x.args[1]:
                continue
            j, w = x.args
            count = quotient_of(polynomial(extent(j)), polynomial(w))
            if count is None or q is j or w.free & frozenset(bound) or not is_num(term(count)):
                continue
            p = context.fresh.index(idx("digit", term(count)))
            rest = mul(*(f for f in factors_of(t.args[0]) if f is not factor))
            names = {v: context.fresh.index(v) for v in bound if v is not j}
            new = substitute(substitute(rest, {j: add(mul(w, p), q)}), names)
            return reduce("sum", new, [*names.values(), p])
    return None


def _same_quotient(t: Term, context: Context) -> Term | None:
    """[i // w == j // w] f(i // w) = [i // w == j // w] f(j // w)."""
    if t.op != "mul":
        return None
    for factor, a, b in _equalities(t):
        for drop, keep in ((a, b), (b, a)):
            if drop.op != "fn" or drop.data not in QUOTIENTS or not _nearer(keep, drop):
                continue
            rest = mul(*(f for f in t.args if f is not factor))
            new = substitute(rest, {drop: keep})
            if new is not rest:
                return mul(factor, new)
    return None


def _nearer(keep: Term, drop: Term) -> bool:
    """Whether `keep` is free of bound indices that `drop` has, or simply an index or a number."""
    if keep.op in ("idx", "num"):
        return not _bound(keep) or _bound(drop)
    return keep.op == "fn" and _bound(drop) and not _bound(keep)


def _bound(t: Term) -> bool:
    return any(str(v.data)[0] in "$%" for v in t.free)


def possible(conditions: Sequence[Term], context: Context) -> list[Term]:
    """The conditions without those that hold for all values of the indices."""
    return [c for c in conditions if not _always(c, context)]


def _always(c: Term, context: Context) -> bool:
    if c.op != "cmp" or c.data not in ("<", "<="):
        return False
    a, b = c.args
    if b.op == "red" and b.data == "argmax" and a is ZERO:
        return c.data == "<="
    if a.op == "red" and a.data == "argmax" and b is mul(*(extent(v) for v in a.args[1:])):
        return True
    if not all(is_whole(x, context) for x in c.args):
        return False
    return context.bounds.at_least(sub(b, a), 1 if c.data == "<" else 0)


KNOWN_QUOTIENT = Rule(
    "digit/known",
    ("fn",),
    r"\left\lfloor \frac{w\,p + q}{w} \right\rfloor = p \quad (0 \le q < w), \quad "
    r"\left\lfloor \frac{\lfloor k/a \rfloor}{b} \right\rfloor = \left\lfloor \frac{k}{a\,b} \right\rfloor",
    "the digits of a position are known",
    _known_quotient,
    Example("w[(k//3)//2]", "w[k//6]", "{w: [c], x: [n]}"),
)
REJOIN_DIGITS = Rule(
    "digit/rejoin",
    ("add",),
    r"w \left\lfloor \frac{k}{w} \right\rfloor + k \bmod w = k",
    "a position is made of its digits",
    _rejoin,
    Example("where(i == 3*(k//3) + k % 3, x[i, 0], 0)", "where(i == k, x[i, 0], 0)"),
)
SPLIT_DIGITS = Rule(
    "digit/split",
    ("red",),
    r"[w\,p + q = k] = \left[p = \left\lfloor \tfrac{k}{w} \right\rfloor\right] [q = k \bmod w] \quad (0 \le q < w)",
    "a position determines its digits",
    _split_digits,
    Example(
        "Sum(where(k == 4*i + j, v[i, j], 0), i, (j, 0, 3))",
        "Sum(where(And(i == k//4, j == k % 4), v[i, j], 0), i, (j, 0, 3))",
        "{v: [n, 4], w: [c]}",
    ),
)
COMPOSE_DIGITS = Rule(
    "digit/compose",
    ("red",),
    r"\left[\left\lfloor \tfrac{k}{w} \right\rfloor = p\right] [k \bmod w = q] = [k = w\,p + q] \quad (0 \le q < w)",
    "the digits determine the position",
    _compose_digits,
    Example(
        "Sum(where(And(i == k//3, k % 3 == 2), w[k], 0), k)",
        "Sum(where(k == 3*i + 2, w[k], 0), k)",
        "{w: [c], x: [n]}",
    ),
)
SUM_OVER_DIGIT = Rule(
    "digit/sum",
    ("red",),
    r"\sum_k \left[\left\lfloor \tfrac{k}{w} \right\rfloor = p\right] a_k = \sum_{q < w} a_{w\,p + q}",
    "the sum runs over the other digit",
    _sum_over_digit,
    Example("Sum(where(k//3 == i, w[k], 0), k)", "Sum(w[3*i + q], (q, 0, 2))", "{w: [3*n], x: [n]}"),
)
SUM_OVER_HIGH_DIGIT = Rule(
    "digit/sum-high",
    ("red",),
    r"\sum_{k < h w} [k \bmod w = q]\,a_k = \sum_{p < h} a_{w\,p + q}",
    "the sum runs over the other digit",
    _sum_over_high_digit,
    Example("Sum(where(k % n == i, v[k], 0), (k, 0, 2*n - 1))", "Sum(v[n*q + i], (q, 0, 1))", "{v: [2*n], w: [c]}"),
)
SAME_QUOTIENT = Rule(
    "digit/unify",
    ("mul",),
    r"[i = k \bmod w]\,a_{k \bmod w} = [i = k \bmod w]\,a_i",
    "under a delta its two sides are the same",
    _same_quotient,
    Example("where(i == k//3, (k//3)*x[i, 0], 0)", "where(i == k//3, i*x[i, 0], 0)"),
)
DIGITS = (
    KNOWN_QUOTIENT,
    REJOIN_DIGITS,
    SAME_QUOTIENT,
    COMPOSE_DIGITS,
    SPLIT_DIGITS,
    SUM_OVER_DIGIT,
    SUM_OVER_HIGH_DIGIT,
)

__all__ = ["DIGITS", "is_whole", "possible", "reduces_at"]
