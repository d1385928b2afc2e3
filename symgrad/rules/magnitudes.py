"""Forms for kernels alone in which nothing overflows or vanishes before the result does: roots, norms, conjugates."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.algebra.build import add, compare, fn, mul, power, reduce, substitute, where
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    base_exponent,
    by_name,
    coefficient,
    factors_of,
    is_access,
    is_num,
    num,
    value,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _squares(t: Term, context: Context) -> tuple[Term, Term] | None:
    """x, y where t = x**2 + y**2: squares of arrays, positive numbers, sums of squares."""
    if t.op != "add" or len(t.args) != 2 or not t.tensors:
        return None
    x, y = (_root(a, context) for a in t.args)
    if x is None or y is None or not (_has_square(t.args[0], context) or _has_square(t.args[1], context)):
        return None
    return (x, y) if x.tensors else (y, x)


def _root(t: Term, context: Context) -> Term | None:
    """The root of a square, of a sum of squares, of a positive number without tensors."""
    if not t.tensors and not t.free:
        return power(t, HALF) if context.is_positive(t) else None
    body = context.body(t) if t.op == "get" else None
    if body is not None and _has_square(body, context):
        return _root(body, context)
    c, rest = coefficient(t)
    if c <= 0:
        return None
    roots: list[Term] = [power(num(c), HALF)]
    for f in factors_of(rest):
        if f.op == "pow" and f.args[1] is TWO:
            roots.append(f.args[0])
        elif f.op == "red" and f.data == "sum" and (norm := _norm(f, context)) is not None:
            roots.append(norm)
        elif not f.tensors and not f.free and context.is_positive(f):
            roots.append(power(f, HALF))
        else:
            return None
    return mul(*roots)


def _norm(t: Term, context: Context) -> Term | None:
    """The 2-norm whose square a sum is."""
    body, variables = context.opened(t)
    if body.op == "pow" and body.args[1] is TWO:
        return reduce("norm", body.args[0], variables)
    return None


def _has_square(t: Term, context: Context) -> bool:
    body = context.body(t) if t.op == "get" else t
    if body is None:
        return False
    return any(
        (f.op == "pow" and f.args[1] is TWO) or (f.op == "red" and f.data == "sum" and _norm(f, context) is not None)
        for f in factors_of(coefficient(body)[1])
    )


def _hypot(t: Term, context: Context) -> Term | None:
    """(x**2 + y**2)**p = hypot(x, y)**(2 p), for roots and for what is divided by."""
    b, e = t.args
    if not is_num(e) or (value(e) > 0 and value(e).denominator == 1):
        return None
    body = context.body(b) if b.op == "get" else b
    if body is None:
        return None
    found = _squares(body, context)
    if found is not None:
        return power(fn("hypot", *found), mul(TWO, e))
    root = _root(body, context) if value(e).denominator == 2 and _of_sum(body, context) else None
    return None if root is None else power(root, mul(TWO, e))


def _of_sum(t: Term, context: Context) -> bool:
    return any(
        f.op == "red" and f.data == "sum" and _norm(f, context) is not None for f in factors_of(coefficient(t)[1])
    )


def _normalized(t: Term, context: Context) -> Term | None:
    """f/a for the norm a of f: divided first, before anything grows; a sum of products with f takes it in."""
    for q in t.args:
        adjoint = context.adjoints.get(str(q.data)) if q.op == "get" else None
        if adjoint is not None and any(_is_norm(base_exponent(f)[0], context) for f in factors_of(adjoint.body)):
            body = substitute(adjoint.body, dict(zip(adjoint.indices, q.args, strict=True)))
            return _divided_first(mul(body, *(f for f in t.args if f is not q)), context)
    return _divided_first(t, context)


def _is_norm(t: Term, context: Context) -> bool:
    norm = context.body(t) if t.op == "get" else t
    return norm is not None and norm.op == "red" and norm.data == "norm"


def _divided_first(t: Term, context: Context) -> Term | None:
    divisions = -sum(value(e) for _, e in map(base_exponent, t.args) if is_num(e) and value(e) < 0)
    for a in t.args:
        b, e = base_exponent(a)
        norm = context.body(b) if b.op == "get" else b
        if norm is None or not _is_norm(b, context) or not is_num(e) or value(e) >= 0:
            continue
        for f in t.args:
            rest = (x for x in t.args if x is not a and x is not f)
            new = _divided(f, norm, b, context) if divisions > 1 or not (is_access(f) or f.op == "add") else None
            if new is not None:
                return mul(new, power(b, add(e, ONE)), *rest)
    return None


def _divided(f: Term, norm: Term, name: Term, context: Context) -> Term | None:
    """f/name for what the norm is taken of, or for a sum over it."""
    inner, over = context.opened(norm)
    for sign in (1, -1) if inner.op == "add" else (1,):
        one = mul(num(sign), f)
        places = one.args if is_access(one) else tuple(by_name(one.free))
        chosen = [p for p in places if len(over) == 1 and substitute(inner, {over[0]: p}) is one]
        if chosen:
            return mul(num(sign), fn("ratio", one, name))
    total = context.body(f) if f.op == "get" else f
    if total is None or total.op != "red" or total.data != "sum":
        return None
    body, variables = context.opened(total)
    for x in factors_of(body):
        one = x.args[0] if x.op == "fn" and x.data == "ratio" else x
        if is_access(one) and (new := _divided(one, norm, name, context)) is not None and x is one:
            return reduce("sum", mul(new, *(g for g in factors_of(body) if g is not x)), variables)
    return None


def _conjugate(t: Term, context: Context) -> Term | None:
    """sqrt(c**2 + x**2) - c = x*(x/(sqrt(c**2 + x**2) + c)) for a number c > 0."""
    c = next((a for a in t.args if is_num(a)), None)
    if c is None:
        return None
    for a in t.args:
        d, root = coefficient(a)
        k = -value(c) / d
        if k <= 0:
            continue
        if root.op == "fn" and root.data == "hypot" and root.args[1] is num(k):
            x = root.args[0]
            new = mul(num(d), x, fn("ratio", x, add(root, num(k))))
        elif root.op == "pow" and root.args[1] is HALF and root.args[0].op == "add" and num(k * k) in root.args[0].args:
            new = mul(num(d), add(root.args[0], num(-k * k)), power(add(root, num(k)), MINUS_ONE))
        else:
            continue
        return add(new, *(x for x in t.args if x is not a and x is not c))
    return None


def _one_sided(t: Term, context: Context) -> Term | None:
    """h + x = k**2/(h + |x|) and 1 + x/h = k**2/(h (h + |x|)) for h = hypot(x, k), where x is negative."""
    for h, x, k in (f for a in t.args for f in _hypots(a)):
        for sign in (1, -1):
            leg = mul(num(sign), x)
            for whole, part, over in ((h, leg, ONE), (ONE, mul(leg, power(h, MINUS_ONE)), h)):
                for a in t.args:
                    scale = mul(a, power(whole, MINUS_ONE))
                    other = mul(scale, part)
                    if scale.tensors or other not in t.args or other is a:
                        continue
                    apart = add(h, fn("Abs", x))
                    far, near = fn("ratio", power(k, TWO), apart), apart
                    if over is h:
                        far, near = fn("ratio", far, h), fn("ratio", near, h)
                    left = (y for y in t.args if y is not a and y is not other)
                    return add(mul(scale, where(compare("<", leg, ZERO), far, near)), *left)
    return None


def _hypots(t: Term) -> Iterator[tuple[Term, Term, Term]]:
    """h, x, k for the roots h of x**2 + k**2, k a number, that a summand has as factors or divides by."""
    for f in factors_of(coefficient(t)[1]):
        b, e = base_exponent(f)
        if b.op == "fn" and b.data == "hypot" and not b.args[1].tensors and not b.args[1].free:
            yield b, b.args[0], b.args[1]
        if b.op == "add" and len(b.args) == 2 and is_num(e) and abs(value(e)) == HALF.data:
            for square, k in (b.args, b.args[::-1]):
                if is_num(k) and value(k) > 0 and square.op == "pow" and square.args[1] is TWO:
                    yield power(b, HALF), square.args[0], power(k, HALF)


CONJUGATE = Rule(
    "machine/conjugate",
    ("add",),
    r"\sqrt{c^2 + x} - c = \frac{x}{\sqrt{c^2 + x} + c}",
    "nothing cancels where x is small",
    _conjugate,
    Example("sqrt(1 + exp(x[i, j])) - 1", "exp(x[i, j])/(sqrt(1 + exp(x[i, j])) + 1)"),
)

ONE_SIDED = Rule(
    "machine/one-sided",
    ("add",),
    r"\sqrt{c^2 + x^2} - |x| = \frac{c^2}{\sqrt{c^2 + x^2} + |x|}",
    "nothing cancels where x is large and negative",
    _one_sided,
    Example(
        "x[i, j] + sqrt(1 + x[i, j]**2)",
        "where(x[i, j] < 0, ratio(1, sqrt(1 + x[i, j]**2) + Abs(x[i, j])), Abs(x[i, j]) + sqrt(1 + x[i, j]**2))",
    ),
)
HYPOT = Rule(
    "machine/hypot",
    ("pow",),
    r"\sqrt{x^2 + y^2} = \operatorname{hypot}(x, y)",
    "no square overflows or vanishes",
    _hypot,
    Example("1/sqrt(1 + x[i, j]**2)", "1/hypot(x[i, j], 1)"),
)
NORMALIZED_FIRST = Rule(
    "machine/normalized-first",
    ("mul",),
    r"\frac{\sum_j x_j z_j}{\|x\|} = \sum_j \frac{x_j}{\|x\|} z_j",
    "a vector over its norm is at most 1: divided first, no product overflows or vanishes",
    _normalized,
    Example("x[i, j]/norm(x[i, k], k)**2", "ratio(x[i, j], norm(x[i, k], k))/norm(x[i, k], k)"),
)
