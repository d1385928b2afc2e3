"""Integer polynomials over indices, dimensions and int parameters, for extents and subscripts.

A polynomial maps monomials to coefficients; a monomial is a sorted tuple of (atom, power). Quotients, remainders and
gathers are atoms.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from weakref import WeakKeyDictionary

from symgrad.algebra.terms import Term, is_num, num, value

Monomial = tuple[tuple[Term, int], ...]
Number = int | Fraction
"""A coefficient: an int where it is whole, which is much cheaper."""
Polynomial = dict[Monomial, Number]
LARGEST = 300


class TooLargeError(Exception):
    """More monomials than are worth looking at."""


def _plain(c: Number) -> Number:
    return c.numerator if c.denominator == 1 else c


def constant(c: Number) -> Polynomial:
    """The polynomial c."""
    return {(): _plain(c)} if c else {}


def atom(t: Term) -> Polynomial:
    """The polynomial that is one atom."""
    return {((t, 1),): 1}


def plus(a: Polynomial, b: Polynomial, factor: Number = 1) -> Polynomial:
    """a + factor*b."""
    out = dict(a)
    for m, c in b.items():
        total = out.get(m, 0) + factor * c
        if total:
            out[m] = total
        else:
            out.pop(m, None)
    return out


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """a*b."""
    if len(a) * len(b) > LARGEST * 4:
        raise TooLargeError
    out: Polynomial = {}
    for m, c in a.items():
        for n, d in b.items():
            joined = _join(m, n)
            out[joined] = out.get(joined, 0) + c * d
    return {m: c for m, c in out.items() if c}


def _join(m: Monomial, n: Monomial) -> Monomial:
    if not m or not n:
        return m or n
    powers = dict(m)
    for t, k in n:
        powers[t] = powers.get(t, 0) + k
    return tuple(sorted(powers.items(), key=lambda item: item[0].digest))


_polynomials: WeakKeyDictionary[Term, Polynomial] = WeakKeyDictionary()


def polynomial(t: Term) -> Polynomial:
    """The expanded polynomial of a term, not to be changed; what is no sum, product or whole power is an atom."""
    found = _polynomials.get(t)
    if found is None:
        found = _polynomials[t] = _expanded(t)
    return found


def _expanded(t: Term) -> Polynomial:
    if is_num(t):
        return constant(value(t))
    if t.op == "add":
        out: Polynomial = {}
        for a in t.args:
            out = plus(out, polynomial(a))
        return out
    if t.op == "mul":
        out = constant(1)
        for a in t.args:
            out = times(out, polynomial(a))
        return out
    if t.op == "pow" and is_num(t.args[1]) and value(t.args[1]) in (2, 3, 4):
        base = out = polynomial(t.args[0])
        for _ in range(int(value(t.args[1])) - 1):
            out = times(out, base)
        return out
    if t.op == "fn" and t.data == "floordiv":
        return _quotient(polynomial(t.args[0]), polynomial(t.args[1]))
    return atom(t)


def _quotient(p: Polynomial, by: Polynomial) -> Polynomial:
    """floor(p / by), what divides evenly in front: (8*h - 2)//2 is 4*h - 1, (h//2)//2 is h//4."""
    from symgrad.algebra.build import fn

    whole: Polynomial = {}
    rest: Polynomial = {}
    for m, c in p.items() if len(by) == 1 else ():
        part = divide({m: c}, by)
        if part is None and not m and by.get((), 0) > 1:
            part = constant(c // by[()])
        whole = plus(whole, part or {})
        rest = plus(plus(rest, {m: c}), times(part or {}, by), -1)
    rest = rest if len(by) == 1 else p
    inner = next(iter(rest))[0][0] if len(rest) == 1 and () not in rest else None
    if inner is not None and rest == atom(inner) and inner.op == "fn" and inner.data == "floordiv":
        before = polynomial(inner.args[1])
        if before.get((), 0) > 0 and by.get((), 0) > 0:
            return plus(whole, _quotient(polynomial(inner.args[0]), times(before, by)))
    return plus(whole, atom(fn("floordiv", term(rest), term(by)))) if rest else whole


def term(p: Polynomial) -> Term:
    """The term of a polynomial."""
    from symgrad.algebra.build import add, mul, power

    return add(*(mul(num(c), *(power(t, num(k)) for t, k in m)) for m, c in p.items()))


def atoms(p: Polynomial) -> list[Term]:
    """Its atoms, in a fixed order."""
    return sorted({t for m in p for t, _ in m}, key=lambda t: t.digest)


def split(p: Polynomial, t: Term) -> tuple[Polynomial, Polynomial] | None:
    """c, r with p = c*t + r; None where t enters with a higher power."""
    c: Polynomial = {}
    r: Polynomial = {}
    for m, k in p.items():
        powers = dict(m)
        n = powers.pop(t, 0)
        if n > 1:
            return None
        (c if n else r)[tuple(powers.items())] = k
    return c, r


def replace(p: Polynomial, t: Term, by: Polynomial) -> Polynomial:
    """p with an atom replaced."""
    out: Polynomial = {}
    for m, c in p.items():
        powers = dict(m)
        n = powers.pop(t, 0)
        part: Polynomial = {tuple(powers.items()): c}
        for _ in range(n):
            part = times(part, by)
        out = plus(out, part)
    return out


def divide(p: Polynomial, by: Polynomial) -> Polynomial | None:
    """p / by where `by` is a single monomial that divides every monomial of p."""
    if len(by) != 1:
        return None
    ((monomial, coefficient),) = by.items()
    out: Polynomial = {}
    for m, c in p.items():
        powers = dict(m)
        for t, k in monomial:
            powers[t] = powers.get(t, 0) - k
        ratio = Fraction(c) / coefficient
        if any(k < 0 for k in powers.values()) or ratio.denominator != 1:
            return None
        out[tuple((t, k) for t, k in powers.items() if k)] = ratio.numerator
    return out


def quotient_of(p: Polynomial, by: Polynomial) -> Polynomial | None:
    """p / by where that is a polynomial with whole coefficients, else None."""
    if not by:
        return None
    lead = max(by, key=_degrees)
    out: Polynomial = {}
    rest = dict(p)
    while rest:
        part = divide({(m := max(rest, key=_degrees)): rest[m]}, {lead: by[lead]})
        if part is None or len(out) > LARGEST:
            return None
        out = plus(out, part)
        rest = plus(rest, times(part, by), -1)
    return out


def _degrees(m: Monomial) -> tuple[int, tuple[tuple[bytes, int], ...]]:
    """An order of monomials in which a product leads where its factors lead."""
    return sum(k for _, k in m), tuple((t.digest, k) for t, k in m)


def same(a: Term, b: Term, equations: Iterable[tuple[Term, Term]] = ()) -> bool:
    """Whether two extents are equal for every size, given equations `dimension == extent`."""
    if a is b:
        return True
    try:
        p = plus(polynomial(a), polynomial(b), -1)
        for left, right in equations:
            p = replace(p, left, polynomial(right))
    except TooLargeError:
        return False
    return not p
