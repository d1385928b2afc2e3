"""Coefficients of terms: what was got as a linear combination of the summands of a closed form.

s*(a - b - c) with got = s*(a - c): the term b is missing
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symgrad.algebra.build import Fresh, add, mul, sub
from symgrad.algebra.show import show
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term
from symgrad.formula.program import Program
from symgrad.handwritten.constants import Constant, Measured, identify
from symgrad.handwritten.factors import is_complement
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.handwritten.spots import shown, spots

MOST_TERMS = 8


@dataclass(frozen=True)
class Combination:
    """A form split at one of its sums: the form of each summand alone."""

    summands: tuple[Term, ...]
    forms: tuple[Form, ...]


def by_coefficients(evidence: Evidence, program: Program, single: bool) -> Cause | None:
    """The cause where some terms of a closed form have another coefficient than 1; `single`: just one."""
    target = evidence.samples[0].target

    def hypotheses() -> Iterator[Hypothesis]:
        for c in combinations(target, people=single):
            measured = [_coefficients(s, c) for s in evidence.samples]
            found = _identified(evidence.samples, measured, program, len(c.forms))
            if found is not None and not (single and _odd(found) > 1):
                cause = _named(c, found, target)
                if cause is not None:
                    parts = [mul(k.term, f.closed) for k, f in zip(found, c.forms, strict=True) if k is not None]
                    cause = replace(cause, form=replace(c.forms[0], closed=add(*parts)))
                    yield Hypothesis(cause, lambda scene, c=c, f=found: _sum(scene, c, f))  # type: ignore[misc]

    return evidence.first(hypotheses())


def combinations(target: Target, people: bool) -> Iterator[Combination]:
    """Every sum in which a form is linear; `people`: not in the chain of adjoints."""
    seen: set[tuple[Term, ...]] = set()
    for form in (f for f in target.forms if not (people and f.machine)):
        for spot in spots(form.closed, form.indices, Fresh()):
            if spot.linear and spot.term.op == "add" and len(spot.term.args) <= MOST_TERMS:
                forms = tuple(replace(form, closed=spot.put(a)) for a in spot.term.args)
                rest = spot.put(ZERO)
                if rest is not ZERO:
                    forms = (*(replace(f, closed=sub(f.closed, rest)) for f in forms), replace(form, closed=rest))
                key = tuple(f.closed for f in forms)
                if key not in seen:
                    seen.add(key)
                    yield Combination((*spot.term.args, *([] if rest is ZERO else [rest])), forms)


def _coefficients(s: Sample, c: Combination) -> Array | None:
    """Least squares; None where the rest is not 0, nan for a coefficient that the sample does not tell."""
    columns = np.array([s.scene.of(f).ravel() for f in c.forms]).T
    got = s.got.ravel()
    if not np.all(np.isfinite(columns)) or not np.all(np.isfinite(got)):
        return None
    size = np.linalg.norm(columns, axis=0)
    used = size > 0
    if not np.any(used):
        return np.full(len(c.forms), np.nan)
    x = np.full(len(c.forms), np.nan)
    scaled = columns[:, used] / size[used]
    found, _, rank, _ = np.linalg.lstsq(scaled, got, rcond=1e-9)
    if not s.explained_by((scaled @ found).reshape(s.got.shape)):
        return None
    if rank == scaled.shape[1] and len(got) > rank:
        x[used] = found / size[used]
    return x


def _identified(
    samples: Sequence[Sample], measured: Sequence[Array | None], program: Program, count: int
) -> list[Constant | None] | None:
    """The coefficients as expressions, None for 0."""
    if any(m is None for m in measured):
        return None
    out: list[Constant | None] = []
    for k in range(count):
        own = [(s, float(m[k])) for s, m in zip(samples, measured, strict=True) if m is not None and np.isfinite(m[k])]
        if not own:
            return None
        top = max(abs(v) for _, v in own)
        if top < 1e-6:
            out.append(None)
            continue
        found = identify([Measured(s.scene, v) for s, v in own], program)
        if found is None:
            return None
        out.append(found)
    return out


def _sum(scene: Scene, c: Combination, found: Sequence[Constant | None]) -> Array:
    parts = [k.at(scene) * scene.of(f) for k, f in zip(found, c.forms, strict=True) if k is not None]
    return np.asarray(sum(parts)) if parts else np.zeros_like(scene.of(c.forms[0]))


def _named(c: Combination, found: Sequence[Constant | None], target: Target) -> Cause | None:
    odd = [(t, k) for t, k in zip(c.summands, found, strict=True) if k is None or k.term is not ONE]
    if not odd:
        return None
    missing = [t for t, k in odd if k is None]
    whole = add(*c.summands)
    if len(missing) == 1 == len(odd) and is_complement(whole) and missing[0] is not ONE:
        return Cause("missing_factor", f"the factor {shown(whole)} is missing", term=whole)
    if missing:
        terms = " and ".join(shown(t) for t in missing)
        more = _rest(odd)
        return Cause(
            "missing_term",
            f"the term{'s' * (len(missing) > 1)} {terms} {'are' if len(missing) > 1 else 'is'} missing{more}",
            term=missing[0],
        )
    flipped = [t for t, k in odd if k is not None and k.term is MINUS_ONE]
    if flipped and len(flipped) == len(odd):
        return Cause("sign", f"the sign of {' and of '.join(shown(t) for t in flipped)} is flipped", term=flipped[0])
    t, k = odd[0]
    assert k is not None
    return Cause("factor", f"{show(k.term)} times the term {shown(t)}{_rest(odd[1:])}", term=t)


def _odd(found: Sequence[Constant | None]) -> int:
    return sum(k is None or k.term is not ONE for k in found)


def _rest(odd: Sequence[tuple[Term, Constant | None]]) -> str:
    others = [(t, k) for t, k in odd if k is not None]
    return "".join(f", and {show(k.term)} times {shown(t)}" for t, k in others)
