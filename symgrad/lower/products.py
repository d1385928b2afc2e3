"""Products, quotients and powers of a statement become maps, in an order in which nothing overflows or vanishes early.

f*b**2        (f*b)*b
f*exp(u)      (f*exp(u/2))*exp(u/2)
f/s**2        f/s/s
x**2/y**2     (x/y)**2
a*f/(f + g)   a*(f/(f + g))
f*g/a         (f/a)*g where f and a have fewer axes than g
v*p           0 where v, which vanishes faster than p grows, is 0 already (`lower/vanishing`)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgrad.algebra.build import compare, conjunction, exp, fn, is_integer_valued, mul, neg, power
from symgrad.algebra.show import order_factors
from symgrad.algebra.terms import (
    HALF,
    ONE,
    TWO,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    factors_of,
    is_num,
    num,
    value,
)
from symgrad.lower.arrays import Expr, Read, Scalar
from symgrad.lower.elementwise import as_real, guarded, mapped, number, select
from symgrad.lower.scope import Guard, Scope, is_scalar
from symgrad.lower.softmax import softmax_of
from symgrad.lower.vanishing import with_own_argument, without_limit

MOST_DIVISIONS = 4
"""The largest power that is divided by one at a time."""


def lower_mul(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A product. Brackets become one `where` around the rest."""
    conditions = [f.args[0] for f in factors_of(t) if f.op == "iv"]
    rest = [f for f in factors_of(t) if f.op != "iv"]
    if not conditions:
        return lower_fraction(rest, scope, guard)
    c = conjunction(*conditions)
    if len(rest) == 1 and c is compare("<", ZERO, rest[0]):
        return mapped(scope, "relu", as_real(scope.lower(rest[0], guard)))
    for f in rest:
        masked = softmax_of(f, scope, c)
        if masked is not None:
            return times(scope, [masked, scope.lower(mul(*(g for g in rest if g is not f)), guard)])
    inner = scope.lower(mul(*rest), (*guard, c)) if rest else number(ONE)
    return select(scope, scope.lower(c), as_real(inner), number(ZERO))


def split_powers(factors: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    """Factors above and below the line."""
    above, below = [], []
    for f in factors:
        b, e = base_exponent(f)
        if f.op == "pow" and coefficient(e)[0] < 0:
            below.append(power(b, neg(e)))
        else:
            above.append(f)
    return above, below


def lower_fraction(factors: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """A product of factors without brackets, negative powers as divisions."""
    c, rest = coefficient(mul(*factors))
    above, below = with_shares(*paired_squares(*split_powers(factors_of(rest))))
    c, above = bounded_divided(c, above)
    tops = lower_factors([f for f in order_factors(above) if not is_scalar(f)], scope, guard)
    bottoms = [e for f in order_factors(below) if not is_scalar(f) for e in lower_divisors(f, scope, guard)]
    scalars = [f for f in above if is_scalar(f)], [f for f in below if is_scalar(f)]
    return fraction(scope, c, scalars, tops, bottoms)


def bounded_divided(c: Fraction, above: list[Term]) -> tuple[Fraction, list[Term]]:
    """x*clip(y, 0, 6)/6 is x*(clip(y, 0, 6)/6): what has bounds is divided first, as the product may overflow."""
    for f in above:
        if f.op == "fn" and f.data == "clip" and len(above) > 1 and c.denominator > 1:
            part = mul(num(Fraction(1, c.denominator)), f)
            return Fraction(c.numerator), [part, *(g for g in above if g is not f)]
    return c, above


def paired_squares(above: list[Term], below: list[Term]) -> tuple[list[Term], list[Term]]:
    """Factors above and below the line with x**2/y**2 as (x/y)**2, which overflows only where it does itself."""
    for f in above:
        for g in below:
            (x, p), (y, q) = base_exponent(f), base_exponent(g)
            if p is TWO and q is TWO and not is_scalar(f) and not is_scalar(g):
                pair = power(fn("ratio", x, y), TWO)
                return [pair, *(h for h in above if h is not f)], [h for h in below if h is not g]
    return above, below


def with_shares(above: list[Term], below: list[Term]) -> tuple[list[Term], list[Term]]:
    """Factors above and below the line with a*f/(f + g) as a*(f/(f + g)): a share has bounds, and a*f may overflow."""
    for f in above if len(above) > 1 else ():
        for g in below:
            if g.op == "add" and f in g.args and not is_scalar(f):
                return [fn("ratio", f, g), *(h for h in above if h is not f)], [h for h in below if h is not g]
    return above, below


def lower_factors(factors: Sequence[Term], scope: Scope, guard: Guard) -> list[Expr]:
    """The factors of a product so that it overflows or vanishes only where its value does: f*b*b instead of f*b**2."""
    if len(factors) == 1:
        return [as_real(scope.lower(factors[0], guard))]
    single: dict[Term, Expr] = {}
    twice: dict[Term, Expr] = {}
    for f in factors:
        b, e = base_exponent(f)
        base = as_real(scope.lower(b, guard)) if e is TWO else None
        if f.op == "fn" and f.data == "exp" and softmax_of(f, scope, None) is None:
            twice[f] = as_real(scope.lower(exp(mul(HALF, f.args[0])), guard))
        elif isinstance(base, Read):
            twice[f] = base
        else:
            single[f] = as_real(scope.lower(f, guard))
    own = with_own_argument(list(single))
    product = _interleaved(scope, [single[f] for f in own], list(twice.values()))
    vanishing, growing = without_limit(list(single), list(twice), scope)
    if vanishing is None:
        return product
    v = single[vanishing] if vanishing in single else twice[vanishing]
    tame = [e for f, e in (*single.items(), *twice.items()) if f not in growing]
    return [
        select(scope, mapped(scope, "!=", v, number(ZERO), dtype="bool"), times(scope, product), times(scope, tame))
    ]


def _interleaved(scope: Scope, single: list[Expr], twice: list[Expr]) -> list[Expr]:
    if not single and len(twice) > 1:
        product = times(scope, twice)
        return [mapped(scope, "pow", product, number(TWO))]
    return [times(scope, [*single, *twice]), *twice] if single and twice else [*single, *twice, *twice]


def lower_divisors(t: Term, scope: Scope, guard: Guard) -> list[Expr]:
    """A denominator; where its value is not used its base is made 1. A square is divided by twice: it may overflow."""
    b, e = base_exponent(t)
    if is_num(e) and value(e).denominator == 1 and 1 < value(e) <= MOST_DIVISIONS:
        return [lower_power(b, ONE, scope, guard, (b,))] * int(value(e))
    return [lower_power(b, e, scope, guard, (b,))]


def fraction(
    scope: Scope, c: Fraction, scalars: tuple[list[Term], list[Term]], tops: list[Expr], bottoms: list[Expr]
) -> Expr:
    """c * scalars * tops / scalars / bottoms, arrays before divisions so that a dimension of 0 divides an array."""
    exact = abs(c) if float(c) == c and abs(c.denominator) <= 1024 else Fraction(abs(c.numerator))
    above = mul(num(exact), *scalars[0])
    below = mul(num(1 if exact == abs(c) else c.denominator), *scalars[1])
    e, bottoms = quotient(scope, tops, bottoms)
    if len(bottoms) > 1 and exact > 1 and tops:  # it falls off: no factor may make it overflow before
        e, bottoms = mapped(scope, "div", e, bottoms[0]), bottoms[1:]
    if e == number(ONE):
        e = number(above)
    elif above is not ONE:
        pair = (number(above), e) if above.op == "num" else (e, number(above))
        e = mapped(scope, "mul", *pair)
    if c < 0:
        e = mapped(scope, "neg", e)
    if below is not ONE:
        e = mapped(scope, "div", e, number(below))
    for b in bottoms:
        e = mapped(scope, "div", e, b)
    return e


def quotient(scope: Scope, tops: list[Expr], bottoms: list[Expr]) -> tuple[Expr, list[Expr]]:
    """The product of tops, what has fewer axes divided first by what has no more; and the divisors that are left."""
    few = min((len(f.frame) for f in bottoms), default=0)
    small = [f for f in tops if len(f.frame) <= few]
    if not bottoms or not small or len(small) == len(tops) or few == 0:
        return times(scope, tops), bottoms
    e, left = times(scope, small), []
    for b in bottoms:
        if set(b.frame) <= set(e.frame):
            e = mapped(scope, "div", e, b)
        else:
            left.append(b)
    return times(scope, [e, *(f for f in tops if f not in small)]), left


def times(scope: Scope, factors: Sequence[Expr]) -> Expr:
    """The product of arrays, small frames first."""
    ordered = sorted((f for f in factors if not (isinstance(f, Scalar) and f.term is ONE)), key=lambda f: len(f.frame))
    if not ordered:
        return number(ONE)
    total = as_real(ordered[0])
    for f in ordered[1:]:
        total = mapped(scope, "mul", total, as_real(f))
    return total


def lower_pow(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A power; a negative exponent is a division."""
    b, e = t.args
    if coefficient(e)[0] < 0:
        return lower_fraction([t], scope, guard)
    return lower_power(b, e, scope, guard, () if is_integer_valued(e) else (b,))


def lower_power(b: Term, e: Term, scope: Scope, guard: Guard, partial: tuple[Term, ...]) -> Expr:
    """b**e for an exponent without a minus sign; the base is guarded where the power is partial."""
    base = as_real(scope.lower(b, guard))
    if partial:
        base = guarded(b, base, ONE, scope, guard)
    if e is ONE:
        return base
    if e is HALF:
        return mapped(scope, "sqrt", base)
    exponent = as_real(scope.lower(e, guard))
    if not is_num(e):  # k - 1 where k != 0
        exponent = guarded(e, exponent, ONE, scope, guard)
    return mapped(scope, "pow", base, exponent)
