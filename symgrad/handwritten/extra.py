"""An extra term: what was got minus what is right as a product of powers of few expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from symgrad.algebra.build import add
from symgrad.algebra.show import show
from symgrad.algebra.terms import ONE
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import candidates
from symgrad.handwritten.constants import Constant, Measured, identify
from symgrad.handwritten.factors import MOST_SAMPLES, Product, products
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene


def by_extra_term(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where something is added to the gradient."""
    target = evidence.samples[0].target
    pairs = []
    for s in evidence.varied(MOST_SAMPLES):
        gap = np.where(s.wrong, s.got - s.expected, 0.0)
        if not np.all(np.isfinite(gap)):
            return None
        pairs.append((s, gap))

    def hypotheses() -> Iterator[Hypothesis]:
        constant = [
            Measured(s.scene, float(g.ravel()[0])) for s, g in pairs if g.size and np.ptp(g) <= 1e-9 * np.max(np.abs(g))
        ]
        found = identify(constant, program) if len(constant) == len(pairs) else None
        if found is not None:
            yield Hypothesis(_named(Product(found, ()), target), _plus(Product(found, ()), target))
        every = candidates(program, target)
        for c in every:
            single = Product(Constant(ONE), ((c, 1.0),))
            measured = []
            for s, g in pairs:
                v = single.at(s.scene, target.form.indices)
                with np.errstate(all="ignore"):
                    k = None if v is None else _quotient(g, np.broadcast_to(v, g.shape))
                if k is None:
                    break
                measured.append(Measured(s.scene, k))
            found = identify(measured, program) if len(measured) == len(pairs) else None
            if found is not None:
                p = Product(found, ((c, 1.0),))
                yield Hypothesis(_named(p, target), _plus(p, target))
        for p in products(pairs, program, every):
            yield Hypothesis(_named(p, target), _plus(p, target))

    return evidence.first(hypotheses())


def _quotient(gap: Array, v: Array) -> float | None:
    if not np.all(np.isfinite(v)) or not np.any(v):
        return None
    top = float(np.max(np.abs(v)))
    k = float((v / top).ravel() @ (gap / top).ravel() / ((v / top).ravel() @ (v / top).ravel()))
    return k if np.all(np.abs(gap - k * v) <= 1e-7 * np.max(np.abs(gap))) else None


def _named(p: Product, target: Target) -> Cause:
    own = replace(target.form, closed=add(target.form.closed, p.term))
    return Cause("extra_term", f"an extra term {show(p.term)}", own, p.term)


def _plus(p: Product, target: Target) -> Predict:
    def predict(scene: Scene) -> Array | None:
        more = p.at(scene, target.form.indices)
        right = scene.of(target.form)
        return None if more is None else right + np.broadcast_to(more, right.shape)

    return predict
