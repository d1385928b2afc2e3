"""Numbers as people write them: simple fractions, else exact decimals, and those of a formula as it has them.

0.134145 where the formula has 0.044715  ->  3*0.044715
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from symgrad.algebra.terms import Term, coefficient, is_num, node, num, value, walk

LARGEST_MULTIPLE = 12
"""Numerators and denominators beside a literal of the formula."""


def _prefers_fraction(c: Fraction) -> bool:
    return c.denominator <= 64 or (c.numerator == 1 and c.denominator <= 1000)


def written_out(c: Fraction) -> str | None:
    """The decimal text of a factor that is printed so; None for one that is printed as a fraction or an integer."""
    return decimal(c) if c.denominator != 1 and not _prefers_fraction(c) else None


def decimal(v: Fraction) -> str | None:
    """An exact decimal text of a number where it has one that is short; else None."""
    if v.denominator == 1:
        text = str(v.numerator)
        zeros = len(text) - len(text.rstrip("0"))
        return text if zeros < 9 else f"{text[:-zeros]}e{zeros}"
    d = v.denominator
    twos = fives = 0
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    while d % 5 == 0:
        d, fives = d // 5, fives + 1
    if d != 1 or max(twos, fives) > 40 or _prefers_fraction(abs(v)):
        return None
    places = max(twos, fives)
    digits = str(abs(v.numerator) * 10**places // v.denominator)
    sign = "-" if v < 0 else ""
    if len(digits) < places - 3:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e-{places - len(digits) + 1}"
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def literals_of(terms: Iterable[Term]) -> tuple[Fraction, ...]:
    """The numbers in the terms that are written as decimals."""
    found = {abs(value(x)): None for t in terms for x in walk(t) if is_num(x)}
    return tuple(v for v in found if written_out(v) is not None)


def with_literals(t: Term, literals: Sequence[Fraction]) -> Term:
    """The term, for a printer, with factors that are simple multiples of literals written as such products."""
    return _Written(literals).apply(t) if literals else t


class _Written:
    def __init__(self, literals: Sequence[Fraction]) -> None:
        self.literals = literals
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        if t not in self.memo:
            self.memo[t] = self.product(t) if t.op in ("num", "mul") else self.inside(t)
        return self.memo[t]

    def inside(self, t: Term) -> Term:
        args = tuple(map(self.apply, t.args))
        return t if all(a is b for a, b in zip(args, t.args, strict=True)) else node(t.op, args, t.data)

    def product(self, t: Term) -> Term:
        c, _ = coefficient(t)
        found = self.multiple(c)
        if found is None:
            return self.inside(t)
        k, literal = found
        others = tuple(map(self.apply, t.args[1:] if t.op == "mul" else ()))
        return node("mul", (num(k), node("const", (), decimal(literal)), *others))

    def multiple(self, c: Fraction) -> tuple[Fraction, Fraction] | None:
        """k, v with c = k*v for a literal v."""
        if written_out(abs(c)) is None or abs(c) in self.literals:
            return None
        found = [(c / v, v) for v in self.literals]
        simple = [(k, v) for k, v in found if max(abs(k.numerator), k.denominator) <= LARGEST_MULTIPLE]
        return min(simple, key=lambda x: (abs(x[0].numerator) * x[0].denominator, x[1]), default=None)
