"""Thresholds: a value of an input, or of a name, beyond which elements are wrong.

wrong where Abs(x[i]) > about 5
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.algebra.terms import Term
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import Candidate, accesses, candidates
from symgrad.handwritten.hypotheses import Cause, Evidence
from symgrad.handwritten.regions import is_partial, surely_right
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.scenes import Array
from symgrad.handwritten.spots import shown

MOST_THRESHOLDS = 30
NOTHING = 1e-20
ENOUGH = 3
"""Elements that an end of a range is told by."""


def by_threshold(evidence: Evidence, program: Program, samples: Sequence[Sample] | None = None) -> Cause | None:
    """The cause where elements are wrong beyond a value of an input or of a name."""
    samples = evidence.many if samples is None else samples
    if not is_partial(samples):
        return None
    target = evidence.samples[0].target
    indices = target.form.indices
    where = tuple(d for form in target.forms for d in form.where)
    own = [Candidate(t, where) for t in accesses(program, indices, where)]
    varying = [
        c for c in (*own, *candidates(program, target)) if c.term.tensors and not c.term.tensors & _ends(program)
    ]
    for candidate in varying[:MOST_THRESHOLDS]:
        for name, f in ((shown(candidate.term), _same), (f"Abs({shown(candidate.term)})", np.abs)):
            for sign, word in ((1, ">"), (-1, "<")):
                low, high = _gap(samples, candidate, indices, f, sign)
                if low < high and _is_seen(low, high) and _holds(evidence, candidate, f, sign, low, high):
                    edge = _edge(sign * low, sign * high)
                    return Cause("region", f"wrong where {name} {word} {edge}")
    for candidate in varying[:MOST_THRESHOLDS]:
        found = _between(samples, candidate, indices)
        if found is not None:
            return found
    return None


def _holds(evidence: Evidence, c: Candidate, f: Any, sign: int, low: float, high: float) -> bool:
    """Whether fresh samples say the same."""
    indices = evidence.samples[0].target.form.indices
    return all(_still(s, c, indices, f, sign, low, high) for s in evidence.fresh)


def _is_seen(low: float, high: float) -> bool:
    """Whether a threshold between these is one that somebody wrote: not a number beside 0."""
    return max(abs(low), abs(high)) > NOTHING


def _ends(program: Program) -> frozenset[str]:
    """The loss, and cotangents: nobody means these."""
    outputs = [s.name for s in program.outputs]
    return frozenset((*(outputs if program.is_loss else ()), *(f"d{s.name}" for s in program.statements)))


def _same(v: Array) -> Array:
    return v


def _between(samples: Sequence[Sample], c: Candidate, indices: Sequence[Term]) -> Cause | None:
    """The cause where wrong elements lie within a range that right ones lie on both sides of, or the other way."""
    name = shown(c.term)
    for text, f in ((name, _same), (f"Abs({name})", np.abs)):
        values = [(s, c.at(s.scene, indices)) for s in samples]
        if any(v is None for _, v in values):
            return None
        spread = [(s, f(np.broadcast_to(np.asarray(v), s.got.shape))) for s, v in values]
        wrong = np.concatenate([v[s.wrong] for s, v in spread])
        right = np.concatenate([v[surely_right(s)] for s, v in spread])
        for inner, outer, words in ((wrong, right, "{a} < {x} < {b}"), (right, wrong, "{x} < {a} or {x} > {b}")):
            a, b = float(np.min(inner)), float(np.max(inner))
            below, above = outer[outer < a], outer[outer > b]
            if min(len(below), len(above), len(inner)) >= ENOUGH and len(below) + len(above) == len(outer):
                if not _is_seen(a, b):
                    continue
                ends = {"a": _edge(float(np.max(below)), a), "b": _edge(b, float(np.min(above)))}
                return Cause("region", f"wrong where {words.format(x=text, **ends)}")
    return None


def _gap(samples: Sequence[Sample], c: Candidate, indices: Sequence[Term], f: Any, sign: int) -> tuple[float, float]:
    """The greatest value at a right element and the least at a wrong one."""
    low, high = -np.inf, np.inf
    for s in samples:
        v = c.at(s.scene, indices)
        if v is None:
            return 1.0, 0.0
        v = sign * f(np.broadcast_to(v, s.got.shape))
        low = max(low, float(np.max(v[surely_right(s)], initial=-np.inf)))
        high = min(high, float(np.min(v[s.wrong], initial=np.inf)))
    return low, high


def _still(s: Sample, c: Candidate, indices: Sequence[Term], f: Any, sign: int, low: float, high: float) -> bool:
    v = c.at(s.scene, indices)
    if v is None or not s.fits:
        return False
    v = sign * f(np.broadcast_to(v, s.got.shape))
    return not np.any(s.wrong & (v <= low)) and not np.any(surely_right(s) & (v >= high))


def _edge(low: float, high: float) -> str:
    """A round number between the two, if there is one, else both."""
    a, b = min(low, high), max(low, high)
    for digits in range(1, 5):
        r = float(f"{(a + b) / 2:.{digits}g}")
        if a <= r <= b:
            return f"about {r:g}"
    return f"about {(a + b) / 2:.6g}"
