"""Factors that are one number at a point, of the data: the loss, a norm, a sum of weights, the number of true masks.

got = right/(2*sqrt(mean(loss)))   at every element, another number at every point
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from symgrad.algebra.build import div, iverson, mul, power, reduce, sub
from symgrad.algebra.show import show
from symgrad.algebra.terms import (
    MINUS_ONE,
    ONE,
    Term,
    base_exponent,
    extent,
    factors_of,
    get,
    idx,
    mat,
    matrix_of,
    node,
    walk,
)
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import Candidate
from symgrad.handwritten.constants import Constant, Measured, identify, ratio
from symgrad.handwritten.factors import Product, named
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene
from symgrad.handwritten.spots import shown

MOST = 24
EXPONENTS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0)
FEWEST = 4
"""Points at which the factor has to be known."""


@dataclass(frozen=True)
class Factor:
    """What was got over what is right, at points where that is one number."""

    scenes: tuple[Scene, ...]
    values: Array


def by_scalar(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where what was got is the gradient times a number that depends on the data."""
    target = evidence.samples[0].target
    found = [(s.scene, ratio(s)) for s in evidence.samples if np.any(s.expected)]
    if len(found) < FEWEST or any(c is None or not c for _, c in found):
        return None
    factor = Factor(tuple(s for s, _ in found), np.array([c for _, c in found], dtype=float))
    return evidence.first(_hypotheses(factor, program, target))


def _hypotheses(factor: Factor, program: Program, target: Target) -> Iterator[Hypothesis]:
    known = []
    for c in list(scalars(program, target))[:MOST]:
        values = [c.at(s, ()) for s in factor.scenes]
        if all(v is not None and np.size(v) == 1 and float(v) and np.isfinite(float(v)) for v in values):
            known.append((c, np.array([float(v) for v in values if v is not None])))
    for c, v in known:
        for e in EXPONENTS:
            if e != round(e) and np.any(v < 0):
                continue
            yield from _explained(((c, e),), v**e, factor, program, target)
    for (a, v), (b, w) in permutations(known, 2):
        yield from _explained(((a, 1.0), (b, -1.0)), v / w, factor, program, target)


def _explained(
    powers: tuple[tuple[Candidate, float], ...], v: Array, factor: Factor, program: Program, target: Target
) -> Iterator[Hypothesis]:
    pairs = zip(factor.scenes, factor.values / v, strict=True)
    constant = identify([Measured(s, float(r)) for s, r in pairs], program)
    if constant is None:
        return
    p = Product(constant, powers)
    form = replace(target.form, closed=mul(p.term, target.form.closed))

    def predict(scene: Scene) -> Array | None:
        f = p.at(scene, ())
        return None if f is None else scene.of(target.form) * f

    yield Hypothesis(replace(_cause(p, program, target), form=form), predict)


def _cause(p: Product, program: Program, target: Target) -> Cause:
    """A factor that is missing or too many; the one that a loss is divided by is its reduction."""
    whole = _normalizer(program)
    if whole is not None and p.term is whole:
        text = f"the gradient of the sum, not of the mean: the division by {shown(whole)} is missing"
        return Cause("reduction", text, term=p.term)
    if whole is not None and len(p.powers) == 2 and p.powers[0][0].term is whole and p.constant == Constant(ONE):
        other = p.powers[1][0].term
        rest = sub(whole, other)
        if rest.op == "num":
            return Cause("epsilon", f"{show(rest)} is not added to {shown(other)}, which is divided by", term=p.term)
        return Cause("reduction", f"divided by {shown(other)} instead of {shown(whole)}", term=p.term)
    base, exponent = p.powers[0][0].term, p.powers[0][1]
    if base is whole and len(p.powers) == 1 and exponent == 1:
        other = power(p.constant.term, MINUS_ONE)
        return Cause("reduction", f"divided by {shown(other)} instead of {shown(whole)}", term=p.term)
    if len(p.powers) == 1 and not any(x is base for form in target.forms for x in walk(form.closed)):
        return Cause("extra_factor", f"an extra factor {show(p.term)}", term=p.term)
    return named(p, target)


def _normalizer(program: Program) -> Term | None:
    """What a loss without batch axes is divided by, where that depends on data."""
    if not program.is_loss or program.loss.indices:
        return None
    found = [b for f in factors_of(program.loss.body) for b, e in [base_exponent(f)] if e is MINUS_ONE]
    return next((b for b in found if b.tensors), None)


def scalars(program: Program, target: Target) -> Iterator[Candidate]:
    """Numbers of the data that a formula knows: what it divides by, sums, norms, the loss, counts of masks."""
    where = {d.name: d for form in target.forms for d in form.where}
    found: dict[Term, None] = {}
    whole, name = _normalizer(program), program.loss.name if program.is_loss else ""
    if whole is not None:
        found[whole] = None
    bodies = [t for form in target.forms for t in (form.closed, *(d.body for d in form.where))]
    for t in [*(s.body for s in program.statements), *bodies]:
        for x in walk(t):
            if x.op in ("red", "add", "get", "fn", "mat") and not x.free and x.tensors and x.data != name:
                found.setdefault(x)
    for t in (*_determinants(target), *_counts(program)):
        found.setdefault(t)
    if program.is_loss:
        i = program.loss.indices
        count = mul(*(extent(k) for k in i))
        found.setdefault(div(reduce("sum", get(program.loss.name, i), i), count) if i else get(program.loss.name, i))
    yield from (Candidate(t, tuple(where.values())) for t in found)


def _determinants(target: Target) -> Iterator[Term]:
    """Determinants of the matrices that the closed form inverts."""
    for x in walk(target.form.closed):
        if x.op == "mat" and len(x.args) == 3:
            yield mat("det", matrix_of(x)[1], (), x.args[-1])


def _counts(program: Program) -> Iterator[Term]:
    """How many elements of a boolean input are true."""
    for tensor in program.inputs:
        if tensor.dtype == "bool" and not tensor.batch:
            own = [idx(f"%{k}", e) for k, e in enumerate(tensor.shape)]
            yield reduce("sum", iverson(node("fn", (get(tensor.name, own),), "truth")), own)
