"""Values that a function returns beside its gradients: their own verdict, where every gradient is right."""

from __future__ import annotations

import numpy as np

from symgrad.formula.program import Program
from symgrad.handwritten.constants import Measured, identify, named
from symgrad.handwritten.hearing import Record
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.samples import agrees

NOISE = 1e-12


def cause_of_values(record: Record, program: Program) -> Cause | None:
    """What is wrong with the values; None if nothing is."""
    wrong = [
        (s, g, r) for s, g, r in record.values if not agrees(np.asarray(g, float), np.asarray(r, float), _noise(r))
    ]
    if not wrong:
        return None
    scene, got, right = wrong[0]
    if np.shape(got) != np.shape(right):
        return Cause("shape", f"the value has shape {list(np.shape(got))}, expected {list(np.shape(right))}")
    measured = []
    for s, g, r in record.values:
        a, b = np.ravel(g), np.ravel(r)
        if a.shape == b.shape and np.any(b) and np.all(np.isfinite(a)):
            c = float(a @ b / (b @ b))
            if agrees(a, c * b, _noise(r)):
                measured.append(Measured(s, c))
    found = identify(measured, program) if len(measured) == len(record.values) else None
    at = np.unravel_index(int(np.argmax(np.abs(np.asarray(got) - right))), np.shape(right))
    numbers = (
        f"got {float(np.asarray(got)[at]):.6g}, right is {float(np.asarray(right)[at]):.6g} at {scene.point.label}"
    )
    if found is None:
        return Cause("unknown", f"the gradient is right, but not the value: {numbers}")
    cause = named(found, program)
    return Cause(cause.kind, f"the gradient is right, but not the value: {cause.detail}; {numbers}")


def _noise(right: object) -> float:
    a = np.abs(np.asarray(right, dtype=float))
    return NOISE * float(np.max(a[np.isfinite(a)], initial=1.0))
