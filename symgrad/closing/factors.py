"""Factors of terms: what divides all summands of a sum, quotients by it, and denominators."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from symgrad.algebra.build import (
    add,
    exp,
    mul,
    neg,
    power,
)
from symgrad.algebra.show import spread_out
from symgrad.algebra.terms import (
    ONE,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    factors_of,
    is_num,
    num,
    terms_of,
    value,
)
from symgrad.algebra.weight import weight

Powers = dict[tuple[Term, Term], Fraction]


def denominators_of(t: Term) -> list[Term]:
    """Sums by which, or by roots of which, summands are divided."""
    found: dict[Term, None] = {}
    for a in t.args:
        for f in factors_of(a):
            b, e = base_exponent(f)
            if b.op == "add" and is_num(e) and value(e) < 0:
                found[b] = None
    return list(found)


def multiplied_through(t: Term) -> list[Term]:
    """Summands of a product of sums; too long ones stay products."""
    sums = [f for f in factors_of(t) if f.op == "add"]
    if not sums or len(sums[0].args) > 12:
        return [t]
    rest = mul(*(f for f in factors_of(t) if f is not sums[0]))
    return [x for a in sums[0].args for x in multiplied_through(mul(rest, a))]


def inner_denominator(t: Term) -> Term:
    """The product of what the summands are divided by (not numbers)."""
    most: dict[Term, Fraction] = {}
    for a in t.args:
        for f in factors_of(a):
            b, e = base_exponent(f)
            if is_num(e) and value(e) < 0 and value(e).denominator == 1 and b.op != "num":
                most[b] = max(most.get(b, Fraction(0)), -value(e))
    return mul(*(power(b, num(k)) for b, k in most.items()))


def multiple_of(t: Term, of: Term) -> Fraction | None:
    """The number k with t = k*of, for a sum."""
    if of.op != "add" or t.op != "add" or len(t.args) != len(of.args):
        return None
    c, r = coefficient(t.args[0])
    for a in of.args:
        d, q = coefficient(a)
        if q is r:
            return c / d if add(*(mul(num(c / d), b) for b in of.args)) is t else None
    return None


def quotient_by(t: Term, f: Term) -> Term:
    """The term without a factor that it has."""
    if f.op == "iv":  # [false]/[false] is no number
        return mul(*(g for g in factors_of(t) if g is not f))
    b, e = base_exponent(f)
    if b.op == "add" and is_num(e) and not any(base_exponent(g)[0] is b for g in factors_of(t)):
        return mul(num(-1), t, power(neg(b), mul(num(-1), e)))  # it has the opposite
    if f.op == "fn" and f.data == "exp":
        t = mul(*(exp(spread_out(g.args[0])) if g.op == "fn" and g.data == "exp" else g for g in factors_of(t)))
    return mul(t, power(f, num(-1)))


def common_number(a: Fraction, b: Fraction) -> Fraction:
    """The largest number of which both are integer multiples."""
    return Fraction(gcd(a.numerator, b.numerator), lcm(a.denominator, b.denominator))


def weight_of_factor(f: Term) -> int:
    """About the characters that a factor costs, above or below the line, its sign of multiplication counted."""
    b, e = base_exponent(f)
    if is_num(e) and value(e) < 0:
        return weight(power(b, mul(num(-1), e))) + 1
    return weight(f) + 1


def is_divisor(f: Term, t: Term) -> bool:
    """Whether the product t holds an exponential of more than the exponential f."""
    for g in factors_of(t):
        if g is not f and g.op == "fn" and g.data == "exp":
            rest = add(spread_out(g.args[0]), neg(f.args[0]))
            if rest is f.args[0] or (multiple_of(rest, f.args[0]) or 0) > 0:
                return True
            if len(terms_of(rest)) < len(terms_of(g.args[0])) and rest.height < f.height:
                return True
    return False


def is_mixed(t: Term) -> bool:
    """Whether a sum has summands of both signs."""
    return len({coefficient(a)[0] < 0 for a in t.args}) == 2


def symbolic_part(e: Term) -> tuple[Term, Fraction]:
    """An exponent as what is symbolic in it plus a number."""
    number = sum((value(x) for x in terms_of(e) if is_num(x)), Fraction(0))
    return add(e, num(-number)), number


def least_exponents(summands: Sequence[Term]) -> Powers:
    """For powers with symbolic exponents: base and symbolic part -> the least number beside it."""
    least: Powers = {}
    for a in summands:
        for f in factors_of(a):
            b, e = base_exponent(f)
            symbol, number = symbolic_part(e)
            if symbol is not ZERO:
                least[b, symbol] = min(number, least.get((b, symbol), number))
    return least


def divisors_of(t: Term, least: Powers) -> list[Term]:
    """Factors that may be taken out of a summand, so that nothing is divided by what may be 0."""
    found: list[Term] = []
    for f in factors_of(coefficient(t)[1]):
        b, e = base_exponent(f)
        if f is ONE or b.op == "num":
            continue
        found.append(f)
        symbol, number = symbolic_part(e)
        if b.op == "add" and symbol is ZERO and number in (1, -1) and is_mixed(b):
            found.append(power(neg(b), e))
        if symbol is not ZERO and least[b, symbol] < number:
            found.append(power(b, add(symbol, num(least[b, symbol]))))
        elif symbol is ZERO and number.denominator == 1 and abs(number) > 1:
            step = 1 if number > 0 else -1
            found.extend(power(b, num(k)) for k in range(step, int(number), step))
    return found
