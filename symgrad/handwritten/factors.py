"""Extra and missing factors: the ratio of what was got to what is right as a product of powers of few expressions.

got / right = (1 + p[i])/(1 + y[i])  at every element of every point
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from symgrad.algebra.build import add, fn, mul, power, sub
from symgrad.algebra.show import show
from symgrad.algebra.terms import MINUS_ONE, ONE, Term, base_exponent, factors_of, value, walk
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import Candidate, candidates, exponent_of, stacked
from symgrad.handwritten.constants import Constant, Measured, identify
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.scenes import Array, Scene
from symgrad.handwritten.spots import shown

SINGLE, PAIR = 1e-7, 1e-8
"""Residual of the logarithms, relative to their spread."""
MOST_FITS = 12
MOST_SAMPLES = 8


@dataclass(frozen=True)
class Product:
    """A constant times powers of expressions."""

    constant: Constant
    powers: tuple[tuple[Candidate, float], ...]

    @property
    def term(self) -> Term:
        """As one term."""
        return mul(self.constant.term, *(exponent_of(c.term, k) for c, k in self.powers))

    def at(self, scene: Scene, indices: Sequence[Term]) -> Array | None:
        """Its value."""
        got: Array | None = np.asarray(self.constant.at(scene))
        for c, k in self.powers:
            v = c.at(scene, indices)
            if v is None or got is None:
                return None
            e = round(2 * k) / 2
            with np.errstate(all="ignore"):
                got = got * (v**e if e == round(e) else np.abs(v) ** e)
        return got


class Ratios:
    """Logarithms of ratios at a few samples, and of candidates there; the mean of each sample is taken away."""

    def __init__(self, samples: Sequence[tuple[Sample, Array]], found: Sequence[Candidate]) -> None:
        self.samples = samples
        rows, self.found = [], []
        masks = [np.isfinite(r) & (r != 0) for _, r in samples]
        self.usable = all(np.any(m) for m in masks) and len(samples) > 0
        if not self.usable:
            return
        with np.errstate(all="ignore"):
            self.logs = _centered([np.log(np.abs(r[m])) for (_, r), m in zip(samples, masks, strict=True)])
            whole = _centered([np.log(np.abs(s.expected[m])) for (s, _), m in zip(samples, masks, strict=True)])
            for c in found:
                values = [c.at(s.scene, s.target.form.indices) for s, _ in samples]
                if any(v is None for v in values):
                    continue
                pairs = zip(values, masks, strict=True)
                own = [np.log(np.abs(np.broadcast_to(np.asarray(v), m.shape)[m])) for v, m in pairs]
                row = _centered(own)
                if np.all(np.isfinite(row)) and np.any(np.abs(row) > 1e-9) and np.any(np.abs(row - whole) > 1e-9):
                    rows.append(row)
                    self.found.append(c)
        self.rows = np.array(rows)
        self.masks = masks

    def fits(self, pairs: bool = True) -> Iterator[tuple[tuple[Candidate, float], ...]]:
        """Powers of one candidate, then with `pairs` of two, that give the ratios."""
        if not self.usable or not len(self.rows):
            return
        size = float(self.logs @ self.logs)
        if size < 1e-18:
            return
        inner, gram = self.rows @ self.logs, self.rows @ self.rows.T
        own = np.diag(gram)
        k = inner / own
        rest = size - inner**2 / own
        for n in np.flatnonzero((rest < SINGLE * size) & _halves(k)):
            if np.max(np.abs(self.logs - k[n] * self.rows[n])) < 1e-6:
                yield ((self.found[n], float(k[n])),)
        if pairs:
            yield from self._pairs(size, inner, gram)

    def _pairs(self, size: float, inner: Array, gram: Array) -> Iterator[tuple[tuple[Candidate, float], ...]]:
        own = np.diag(gram)
        det = own[:, None] * own[None, :] - gram**2
        with np.errstate(all="ignore"):
            a = (inner[:, None] * own[None, :] - inner[None, :] * gram) / det
            b = (inner[None, :] * own[:, None] - inner[:, None] * gram) / det
            rest = size - a * inner[:, None] - b * inner[None, :]
        good = (det > 1e-10 * own[:, None] * own[None, :]) & (rest < SINGLE * size) & _halves(a) & _halves(b)
        for m, n in np.argwhere(np.triu(good, 1)):
            if np.max(np.abs(self.logs - a[m, n] * self.rows[m] - b[m, n] * self.rows[n])) < 1e-6:
                yield (self.found[m], float(a[m, n])), (self.found[n], float(b[m, n]))


def _halves(k: Array) -> Array:
    with np.errstate(all="ignore"):
        near = np.abs(2 * k - np.round(2 * k)) < 1e-3
    return np.asarray(near & (np.abs(k) > 0.4) & (np.abs(k) < 4.1))


def _centered(parts: Sequence[Array]) -> Array:
    return stacked([p - np.mean(p) for p in parts])


def products(
    pairs: Sequence[tuple[Sample, Array]], program: Program, found: Sequence[Candidate], single: bool = False
) -> Iterator[Product]:
    """Products that have these values at the samples; `single`: of one expression alone."""
    for count, powers in enumerate(Ratios(pairs, found).fits(not single)):
        if count >= MOST_FITS:
            return
        for signed in _signs(powers):
            measured = _rests(pairs, signed)
            constant = identify(measured, program) if len(measured) == len(pairs) else None
            if constant is not None:
                yield Product(constant, signed)
                break


def _signs(powers: tuple[tuple[Candidate, float], ...]) -> Iterator[tuple[tuple[Candidate, float], ...]]:
    """The powers, then with absolute values: logarithms do not tell these from each other."""
    yield powers
    for chosen in range(1, 2 ** len(powers)):
        yield tuple((_modulus(c) if chosen >> k & 1 else c, e) for k, (c, e) in enumerate(powers))


def _modulus(c: Candidate) -> Candidate:
    return replace(c, term=fn("Abs", c.term))


def _rests(pairs: Sequence[tuple[Sample, Array]], powers: tuple[tuple[Candidate, float], ...]) -> list[Measured]:
    """What is left of the ratios beside the powers, where that is one number."""
    measured = []
    for s, r in pairs:
        alone = Product(Constant(ONE), powers).at(s.scene, s.target.form.indices)
        mask = np.isfinite(r) & (r != 0)
        with np.errstate(all="ignore"):
            quotient = (r / np.broadcast_to(alone, r.shape))[mask] if alone is not None else np.empty(0)
        if quotient.size and np.ptp(quotient) <= 1e-6 * np.abs(quotient[0]):
            measured.append(Measured(s.scene, float(np.median(quotient))))
    return measured


def by_factor(evidence: Evidence, program: Program, single: bool) -> Cause | None:
    """The cause where what was got is the gradient times something; `single`: a power of one expression."""
    target = evidence.samples[0].target
    pairs = []
    for s in evidence.varied(MOST_SAMPLES):
        if (
            not s.fits
            or np.any((s.got == 0) & (np.abs(s.expected) > 1e-200))
            or np.any((s.expected == 0) & (s.got != 0))
        ):
            return None
        with np.errstate(all="ignore"):
            pairs.append((s, np.where(s.expected != 0, s.got / s.expected, np.nan)))
    found = candidates(program, target)

    def hypotheses() -> Iterator[Hypothesis]:
        for p in products(pairs, program, found, single):
            own = replace(target.form, closed=mul(p.term, target.form.closed))
            yield Hypothesis(replace(named(p, target), form=own), _times(p, target))

    return evidence.first(hypotheses())


def _times(p: Product, target: Target) -> Predict:
    def predict(scene: Scene) -> Array | None:
        factor = p.at(scene, target.form.indices)
        if factor is None:
            return None
        right = scene.of(target.form)
        with np.errstate(all="ignore"):
            return np.where(right == 0, 0.0, right * factor)

    return predict


def _every(target: Target) -> Iterator[Term]:
    for form in target.forms:
        yield from walk(form.closed)


def _is_below(t: Term) -> bool:
    return t.args[1].op == "num" and value(t.args[1]) < 0


def is_complement(t: Term) -> bool:
    """Whether it is 1 - x: what derivatives of squashing functions have as a factor."""
    rest = [a for a in t.args if a is not ONE] if t.op == "add" and ONE in t.args else []
    return len(rest) == 1 and any(f.op == "num" and value(f) < 0 for f in factors_of(rest[0]))


def _one_summand(p: Product, bases: Collection[tuple[Term, Term]]) -> Term | None:
    """The rest of a sum, where one summand stands in place of the whole: a/(a + b) times it."""
    for (a, j), (b, k) in permutations(p.powers, 2):
        whole = b.term
        if (round(j), round(k)) == (1, -1) and whole.op == "add" and any(x is whole for x, _ in bases):
            summand = mul(p.constant.term, a.term)
            if summand in whole.args:
                return sub(whole, summand)
    return None


def named(p: Product, target: Target) -> Cause:
    """Whether it is one too many or one that is not there."""
    t = p.term
    inverse = power(t, MINUS_ONE)
    bases = {b for form in target.forms for f in factors_of(form.closed) for b in [base_exponent(f)]}
    signs = {k > 0 for _, k in p.powers}
    missing = signs == {False}
    if len(p.powers) == 1:
        base, e = p.powers[0]
        divides = any(x.op == "pow" and x.args[0] is base.term and _is_below(x) for x in _every(target))
        missing = e > 0 if divides else missing
        for b, x in bases:
            if b is base.term and x.op == "num":
                missing = (value(x) > 0) != (e > 0)
    left_over = _one_summand(p, bases)
    if left_over is not None:
        return Cause("missing_term", f"the term {shown(left_over)} is missing", term=left_over)
    stands = any(x is inverse for x in _every(target))
    if missing and stands and inverse.op == "add" and ONE in inverse.args and not is_complement(inverse):
        rest = add(*(a for a in inverse.args if a is not ONE))
        return Cause("missing_term", f"the term {show(rest)} of the factor {show(inverse)} is missing", term=rest)
    if missing:
        return Cause("missing_factor", f"the factor {show(inverse)} is missing", term=inverse)
    return Cause("extra_factor", f"an extra factor {show(t)}", term=t)
