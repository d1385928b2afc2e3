"""For kernels: sums in one variable whose leading terms cancel near 0, by their series there (`power_series`).

e^x - 1 - x, x - tanh x, (x cos x - sin x)/x**2: a difference of values that are near to each other forgets what it is
of. `series(u, r, s, n, c1, ..., cn, f, g, ...)` is f + g + ..., computed as u**s (c1 + c2 u + ...) where |u| < r. The
summands stand apart so that no rule finds their sum again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import factorial
from typing import Any

from symgrad.algebra.build import add, compare, fn, mul, power, where
from symgrad.algebra.show import order_terms
from symgrad.algebra.terms import TWO, ZERO, Term, coefficient, factors_of, is_access, num, terms_of, value, walk
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.power_series import NoSeriesError, Series, series_of

RADII = tuple(Fraction(1, 2**k) for k in range(5))
MOST_COEFFICIENTS = 24
MOST_TERMS = 120
"""Size of a sum beyond which no series is looked for."""
TOLERANCE = 2.0**-57
DENOMINATOR, CERTAIN = 10**24, 10**60
"""Coefficients that are so near to such a fraction are that fraction."""


def _sum_by_series(t: Term, context: Context) -> Term | None:
    """A group of summands in one variable and a common factor, by its series."""
    if t.size > MOST_TERMS or not t.tensors:
        return None
    for u in sorted({x for x in walk(t) if is_access(x)}, key=lambda x: x.digest):
        for scale, members, inside in _groups(t, u):
            new = _in_one_variable(inside, u)
            if new is not None:
                return add(mul(scale, new), *(a for a in t.args if a not in members))
    return None


def _groups(t: Term, u: Term) -> Iterator[tuple[Term, Sequence[Term], Term]]:
    """Common factor, summands, sum: the summands are the factor times something in u alone."""
    groups: dict[Term, tuple[list[Term], list[Term]]] = {}
    for a in terms_of(t):
        outside = [f for f in factors_of(coefficient(a)[1]) if not _reads_only(f, u)]
        members, parts = groups.setdefault(mul(*outside), ([], []))
        members.append(a)
        parts.append(mul(a, *(power(f, num(-1)) for f in outside)))
    for scale, (members, parts) in groups.items():
        inside = add(*parts)
        if len(parts) > 1 and inside.op == "add" and u in set(walk(inside)):
            yield scale, members, inside


def _reads_only(t: Term, u: Term) -> bool:
    """Whether the term depends on u alone."""
    if t is u:
        return True
    if is_access(t) or t.op in ("idx", "dim", "par", "red", "mat", "iv", "where", "cmp"):
        return False
    return all(_reads_only(a, u) for a in t.args)


def _in_one_variable(t: Term, u: Term) -> Term | None:
    """The sum by its series, where leading terms cancel."""
    try:
        whole = series_of(t, u)
        parts = [series_of(a, u) for a in t.args]
    except (NoSeriesError, ArithmeticError, ValueError, TypeError):
        return None
    if whole.is_zero or whole.start <= min(s.start for s in parts if not s.is_zero):
        return None
    found = _cut(whole)
    if found is None:
        return None
    radius, count = found
    c = [num(_fraction(x)) for x in whole.c[:count]]
    return fn("series", u, num(radius), num(whole.start), num(count), *c, *order_terms(t.args))


def _cut(s: Series) -> tuple[Fraction, int] | None:
    """The largest radius at which few enough terms are left, and how many they are."""
    sizes = [abs(x) for x in s.c]
    for radius in RADII:
        tails = [x * float(radius) ** k for k, x in enumerate(sizes)]
        need = next((k for k in range(len(tails)) if 2 * sum(tails[k:]) < TOLERANCE * sizes[0]), None)
        if need is not None and sum(map(bool, sizes[:need])) <= MOST_COEFFICIENTS and need < len(tails) - 4:
            return radius, max(need, 1)
    return None


def _fraction(x: Any) -> Fraction:
    """The fraction that a coefficient is, or its double."""
    sign, mantissa, exponent, _ = x._mpf_
    exact = (-1) ** sign * int(mantissa) * Fraction(2) ** exponent
    near = exact.limit_denominator(DENOMINATOR)
    return near if abs(near - exact) * CERTAIN <= abs(exact) else Fraction(float(x))


def by_series(t: Term) -> Term:
    """What `series(u, r, s, n, c1, ..., cn, f, g, ...)` computes."""
    u, radius, start, count, *rest = t.args
    c, f = rest[: int(value(count))], add(*rest[int(value(count)) :])
    even = not any(value(x) for x in c[1::2])
    c, at = (c[::2], power(u, TWO)) if even else (c, u)
    total: Term = ZERO
    for x in reversed(c):
        total = add(x, mul(at, total))
    return where(compare("<", fn("Abs", u), radius), mul(power(u, start), total), f)


def _example() -> str:
    coefficients = ", ".join(f"1/{factorial(k + 2)}" for k in range(18))
    return f"series(x[i, j], 1, 2, 18, {coefficients}, exp(x[i, j]), -x[i, j], -1)"


AT_ZERO = Rule(
    "series/at-zero",
    ("add",),
    r"f(x) = c_s x^s + c_{s+1} x^{s+1} + \dots, \quad |x| < r",
    "leading terms that cancel near 0 are never made",
    _sum_by_series,
    Example("exp(x[i, j]) - x[i, j] - 1", _example()),
)
SERIES = (AT_ZERO,)
