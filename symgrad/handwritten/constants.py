"""Constant factors: what a number measured at several sizes is as an expression of dimensions and parameters.

got = c * right at every point, c = 3 where n = 3 and 2 where n = 2: c is n
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np

from symgrad.algebra.build import add, mul, power
from symgrad.algebra.show import show, split_fraction
from symgrad.algebra.terms import (
    BATCH,
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    Term,
    base_exponent,
    dim,
    extent,
    factors_of,
    num,
    par,
    value,
    walk,
)
from symgrad.formula.program import Program
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.scenes import Array, Scene

EXACT = 1e-8
DENOMINATORS = 64
_UNITS = ((ONE, 1.0), (power(TWO, HALF), 2**0.5), (PI, np.pi), (power(PI, HALF), np.pi**0.5))
WHOLE = tuple(Fraction(k) for k in (1, -1, 2, -2))
HALVES = tuple(Fraction(k, 2) for k in (1, -1))


@dataclass(frozen=True)
class Measured:
    """A factor at a scene."""

    scene: Scene
    value: float


@dataclass(frozen=True)
class Constant:
    """A factor as an expression. `of_upstream`: the power of the upstream in it."""

    term: Term
    upstream: int = 0

    def at(self, scene: Scene) -> float:
        """Its value at a scene."""
        return float(scene.term(self.term, ())) * scene.upstream**self.upstream


def identify(measured: Sequence[Measured], program: Program, with_upstream: bool = False) -> Constant | None:
    """The simplest expression that has these values; None if none is simple."""
    if not measured:
        return None
    values = np.array([m.value for m in measured])
    if not np.all(np.isfinite(values)) or np.any(values == 0):
        return None
    given = np.array([m.scene.upstream for m in measured])
    for upstream in (0, -1, 1) if with_upstream else (0,):
        number = _number(values / given**upstream)
        if number is not None:
            return Constant(number, upstream)
    sizes = _sizes(program, [m.scene for m in measured])
    for upstream in (0, -1, 1) if with_upstream else (0,):
        best = min(_found(values / given**upstream, sizes), key=lambda f: f[0], default=None)
        if best is not None:
            return Constant(best[1], upstream)
    return None


def _found(values: Array, sizes: Mapping[Term, Array]) -> Iterator[tuple[int, Term]]:
    """Expressions with these values and how far-fetched they are: few sizes leave a choice. None after a simple one."""
    for chosen in _monomials(sizes):
        own = np.ones(len(values))
        for t, e in chosen:
            own = own * sizes[t] ** float(e)
        with np.errstate(all="ignore"):
            number = _number(values / own)
        if number is not None:
            odd = _oddity(number)
            yield (
                odd + len(chosen) + sum(t.op == "add" for t, _ in chosen),
                mul(number, *(power(t, num(e)) for t, e in chosen)),
            )
            if not odd:
                return


def _oddity(number: Term) -> int:
    """How little one would expect a number: 0 for 1 and -1, 1 for 2 and 1/2, more for others."""
    if number.op != "num":
        return 2
    v = abs(value(number))
    return (
        0 if v == 1 else 1 if max(v.numerator, v.denominator) == 2 else 2 if max(v.numerator, v.denominator) < 7 else 4
    )


def _number(values: Array) -> Term | None:
    """The exact number that all of these values are."""
    v = float(values[0])
    if not np.all(np.isfinite(values)) or v == 0 or np.any(np.abs(values - v) > EXACT * abs(v)):
        return None
    for unit, factor in _UNITS:
        for inverse in (1, -1):
            fraction = Fraction(v / factor**inverse).limit_denominator(DENOMINATORS)
            if fraction and abs(float(fraction) * factor**inverse - v) <= EXACT * abs(v):
                return mul(num(fraction), power(unit, num(inverse)))
    exact = Fraction(repr(v)).limit_denominator(10**6)
    if exact and len(str(exact)) <= 9 and abs(float(exact) - v) <= EXACT * abs(v):
        return num(exact)
    return None


def _sizes(program: Program, scenes: Sequence[Scene]) -> Mapping[Term, Array]:
    """Terms of dimensions and parameters with their values at the scenes, simple ones first."""
    found: dict[Term, Array] = {}
    names = {str(t.data) for i in program.inputs for e in i.shape for t in walk(e) if t.op == "dim"}
    if any(i.batch for i in program.inputs):
        names.add(BATCH)
    for n in sorted(names):
        found[dim(n)] = np.array([float(s.dims[n]) for s in scenes])
    for e in dict.fromkeys(e for shape in program.shapes.values() for e in shape if e.op not in ("dim", "num")):
        found[e] = np.array([float(s.term(e, ())) for s in scenes])
    for p in program.parameters:
        found[par(p.name)] = np.array([float(s.point.parameters[p.name]) for s in scenes])
    for t, v in list(found.items()):
        found[add(t, MINUS_ONE)], found[add(t, ONE)] = v - 1, v + 1
    return {t: v for t, v in found.items() if np.all(v != 0)}


def _monomials(sizes: Mapping[Term, Array]) -> Iterator[tuple[tuple[Term, Fraction], ...]]:
    """Powers of one size, then products of two and three; n - 1 and the like come after plain sizes."""
    plain = [t for t in sizes if t.op != "add"]
    others = [t for t in sizes if t.op == "add"]
    yield from _powers(plain, 1, WHOLE)
    yield from _powers(others, 1, WHOLE[:2])
    yield from _powers(plain, 1, HALVES)
    yield from _powers(plain, 2, (*WHOLE[:2], *HALVES))
    yield from (m for m in _powers([*plain, *others], 2, WHOLE[:2]) if any(t.op == "add" for t, _ in m))
    yield from _powers(plain, 3, WHOLE[:2])


def _powers(
    sizes: Sequence[Term], count: int, exponents: Sequence[Fraction]
) -> Iterator[tuple[tuple[Term, Fraction], ...]]:
    for chosen in combinations(sizes, count):
        for es in product(exponents, repeat=count):
            yield tuple(zip(chosen, es, strict=True))


def ratio(s: Sample) -> float | None:
    """c with got = c * right, where there is one."""
    t, g = s.expected.ravel(), s.got.ravel()
    if not s.fits or not np.all(np.isfinite(t)) or not np.all(np.isfinite(g)) or not np.any(t):
        return None
    top = float(np.max(np.abs(t)))
    u = t / top
    c = float(u @ (g / top) / (u @ u))
    return c if s.explained_by(c * s.expected) else None


def by_constant(evidence: Evidence, program: Program, with_upstream: bool) -> Cause | None:
    """The cause where what was got is a constant times the gradient."""
    measured = []
    for s in evidence.samples:
        if not np.any(s.expected) and s.is_right:
            continue
        c = ratio(s)
        if c is None:
            return None
        measured.append(Measured(s.scene, c))
    if measured and all(m.value == 0 for m in measured):
        return Cause("factor", "0 everywhere")
    found = identify([m for m in measured if m.value], program, with_upstream)
    if found is None:
        return None
    form = evidence.samples[0].target.form
    own = None if found.upstream else replace(form, closed=mul(found.term, form.closed))
    cause = replace(named(found, program), form=own)
    hypothesis = Hypothesis(cause, lambda scene: found.at(scene) * scene.of(form))
    return evidence.first([hypothesis])


def named(found: Constant, program: Program) -> Cause:
    """What a constant factor means."""
    t = found.term
    if found.upstream:
        times = "" if t is ONE else f" (and the rest is {show(t)} times too large)"
        return Cause(
            "upstream", f"the upstream is {'ignored' if found.upstream < 0 else 'applied twice'}{times}", term=t
        )
    if t is MINUS_ONE:
        return Cause("sign", "the sign is flipped: -1 times the gradient", term=t)
    count = count_of(program)
    if count is not None and t is count and t is not ONE:
        return Cause(
            "reduction",
            f"the gradient of the sum, not of the mean: {show(t)} times as large (1/{_bracketed(t)} is missing)",
            term=t,
        )
    if any(base_exponent(f)[0].op == "par" for f in factors_of(t)):
        return _of_parameter(t)
    if t is power(dim(BATCH), MINUS_ONE):
        return Cause("factor", f"a mean over the batch instead of a sum: {show(t)} times the gradient", term=t)
    return Cause("factor", f"{show(t)} times the gradient{_as_division(t)}", term=t)


def _of_parameter(t: Term) -> Cause:
    """A constant factor with a parameter in it: one that is missing stands below the line."""
    _, above, below = split_fraction(t)
    if below and not above:
        return Cause("missing_factor", f"the factor {show(power(t, MINUS_ONE))} is missing", term=t)
    return Cause("extra_factor", f"an extra factor {show(t)}, or a division by it is missing", term=t)


def _as_division(t: Term) -> str:
    """What a quotient means: divided by one thing instead of another, or by something that is not divided by."""
    _, above, below = split_fraction(t)
    if above and below:
        return f": divided by {show(mul(*below))} instead of {show(mul(*above))}"
    return f": the division by {show(mul(*above))} is missing" if above and t.op != "par" else ""


def _bracketed(t: Term) -> str:
    return show(t) if t.op in ("dim", "num") else f"({show(t)})"


def count_of(program: Program) -> Term | None:
    """How many elements the mean of a loss is over, as a term: those of its batch, else what the loss divides by."""
    if not program.is_loss:
        return None
    if program.loss.indices:
        return mul(*(extent(i) for i in program.loss.indices))
    dims = [base_exponent(f) for f in factors_of(program.loss.body)]
    return mul(*(b for b, e in dims if b.op == "dim" and e is MINUS_ONE)) if dims else None
