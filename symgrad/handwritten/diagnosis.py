"""The cause of a wrong gradient: hypotheses from the simplest on, each held against fresh points before it is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.handwritten.changes import by_change
from symgrad.handwritten.coefficients import by_coefficients
from symgrad.handwritten.constants import by_constant
from symgrad.handwritten.elsewhere import by_number, by_parameter, by_upstream
from symgrad.handwritten.extra import by_extra_term
from symgrad.handwritten.factors import by_factor
from symgrad.handwritten.hypotheses import Cause, Evidence
from symgrad.handwritten.kinks import by_kink
from symgrad.handwritten.layouts import by_axes, by_spread, by_sums
from symgrad.handwritten.other_formula import by_formula
from symgrad.handwritten.partial import by_part
from symgrad.handwritten.readable import readable
from symgrad.handwritten.rearranged import by_rearranged
from symgrad.handwritten.regions import by_place, by_region
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.scalars import by_scalar
from symgrad.handwritten.thresholds import by_threshold

SINGLE = 2e-5
"""Relative error up to which float32 is the suspect."""
ROUGH = 1e3
"""How much less exactly a cause has to explain what nothing explains exactly: about 1e-6."""


def diagnose(evidence: Evidence, program: Program, kinks: Sequence[Any], with_upstream: bool) -> Cause:
    """What is wrong at generic points."""
    if not all(s.fits for s in evidence.samples):
        return by_axes(evidence) or by_sums(evidence) or _shape(evidence.wrong[0])
    if any(_is_odd(s) for s in evidence.wrong):
        told = by_parameter(evidence, program) or by_number(evidence, program)
        return told or _beside_nonfinite(evidence, program, kinks, with_upstream) or _nonfinite(evidence.wrong)
    steps: tuple[Callable[[], Cause | None], ...] = (
        lambda: by_constant(evidence, program, with_upstream),
        lambda: by_upstream(evidence, program),
        lambda: by_axes(evidence),
        lambda: by_region(evidence, program, kinks, "constant"),
        lambda: by_precision(evidence),
        lambda: by_factor(evidence, program, single=True),
        lambda: by_scalar(evidence, program),
        lambda: by_coefficients(evidence, program, single=True),
        lambda: by_part(evidence, program),
        lambda: by_parameter(evidence, program),
        lambda: by_rearranged(evidence, program),
        lambda: by_region(evidence, program, kinks, "factor"),
        lambda: by_factor(evidence, program, single=False),
        lambda: by_change(evidence, program),
        lambda: by_spread(evidence),
        lambda: by_coefficients(evidence, program, single=False),
        lambda: by_extra_term(evidence, program),
        lambda: by_formula(evidence, program),
        lambda: by_number(evidence, program),
        lambda: by_region(evidence, program, kinks),
        lambda: by_place(evidence, program, kinks),
        lambda: by_threshold(evidence, program),
    )
    for step in steps:
        limits.check()
        found = step()
        if found is not None:
            return readable(found, evidence.samples[0].target, program)
    return _nearly(evidence, program) or Cause("unknown", "no single mistake that symgrad knows explains what was got")


def _nearly(evidence: Evidence, program: Program) -> Cause | None:
    """The cause but for something small: a quotient that torch makes float32 of, a constant that is added."""

    def rough(samples: Sequence[Sample]) -> list[Sample]:
        return [replace(s, slack=max(s.slack, ROUGH)) for s in samples]

    if any(s.explained_by(s.expected) for s in rough(evidence.wrong)):
        return None
    loose = Evidence(rough(evidence.samples), lambda: rough(evidence.fresh), lambda: rough(evidence.many))
    found = by_axes(loose) or by_change(loose, program) or by_parameter(loose, program) or by_formula(loose, program)
    if found is None:
        return None
    found = readable(found, evidence.samples[0].target, program)
    return replace(found, detail=f"{found.detail} (and besides something small, as float32 leaves it)")


def diagnose_special(samples: Sequence[Sample], evidence: Evidence, program: Program, kinks: Sequence[Any]) -> Cause:
    """What is wrong where only special points are."""
    wrong = [s for s in samples if not s.is_right]
    shapeless = next((s for s in wrong if not s.fits), None)
    if shapeless is not None:
        return _shape(shapeless)
    if any(_is_odd(s) for s in wrong):
        return _nonfinite(wrong)
    found = by_kink(samples, program, kinks)
    if found is None:
        found = by_threshold(evidence, program, samples)
    if found is not None:
        return found
    places = ", ".join(dict.fromkeys(s.scene.point.label for s in wrong))
    return Cause("region", f"wrong at special points alone: {places}")


def lost(samples: Sequence[Sample]) -> Cause | None:
    """What is to be said of digits that were lost within the tolerance."""
    if not samples:
        return None
    s = samples[0]
    with np.errstate(over="ignore", invalid="ignore"):  # of a gradient that is nearly 0 every digit may be lost
        off = np.abs(s.got - s.expected) / np.maximum(np.abs(s.expected), 1e-300)
    off = np.where(np.isfinite(s.expected), off, 0.0)
    at = tuple(int(k) for k in np.unravel_index(int(np.nanargmax(off)), off.shape))
    got, right = float(s.got[at]), float(s.expected[at])
    what = "0 instead of" if got == 0 else f"{got:.6g} instead of"
    return Cause("precision", f"digits are lost at {s.scene.point.label}: {what} {right:.6g}")


def by_precision(evidence: Evidence) -> Cause | None:
    """The cause where every element is nearly right: about float32's rounding."""
    worst = 0.0
    for s in evidence.samples:
        size = float(np.max(np.abs(s.expected), initial=0.0))
        gap = float(np.max(np.abs(s.got - s.expected), initial=0.0))
        if gap > SINGLE * size:
            return None
        worst = max(worst, gap / size if size else 0.0)
    single = all(np.array_equal(s.got, s.got.astype(np.float32)) for s in evidence.samples)
    text = "the result is rounded to float32" if single else "something on the way is computed in float32"
    return Cause("precision", f"{text}: relative error up to {worst:.1e} for float64 inputs")


def _is_odd(s: Sample) -> bool:
    return bool(np.any(~np.isfinite(s.got) & s.wrong))


def _nonfinite(wrong: Sequence[Sample]) -> Cause:
    s = next(s for s in wrong if s.fits and _is_odd(s))
    what = "nan" if np.any(np.isnan(s.got) & s.wrong) else "infinite"
    odd, all_of = int(np.sum(~np.isfinite(s.got) & s.wrong)), s.got.size
    return Cause(
        "nonfinite", f"{what} in {odd} of {all_of} elements at {s.scene.point.label}, where the gradient is finite"
    )


def _beside_nonfinite(evidence: Evidence, program: Program, kinks: Sequence[Any], with_upstream: bool) -> Cause | None:
    """The cause at those points where all is finite, if axes of size 1 are what sets the others apart."""
    odd, rest = [s for s in evidence.samples if _is_odd(s)], [s for s in evidence.samples if not _is_odd(s)]
    if any(s.scene.point.kind != "unit axes" for s in odd) or all(s.is_right for s in rest):
        return None
    others = Evidence(
        rest,
        lambda: [s for s in evidence.fresh if not _is_odd(s)],
        lambda: [s for s in evidence.many if not _is_odd(s)],
    )
    found = diagnose(others, program, kinks, with_upstream)
    if found.kind == "unknown":
        return None
    return replace(found, detail=f"{found.detail} (which has no finite value where an axis has size 1)")


def _shape(s: Sample) -> Cause:
    from symgrad.algebra.show import show
    from symgrad.algebra.terms import extent

    axes = ", ".join("..." if str(i.data) == "..." else show(extent(i)) for i in s.target.form.indices)
    return Cause("shape", f"has shape {list(s.got.shape)}, expected [{axes}], here {list(s.expected.shape)}")
