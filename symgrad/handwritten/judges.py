"""What is right at a point, by judges that share no code with the function: closed form, autograd, differences.

At generic points the closed form in float64 says it, at special ones the closed form in multiprecision, on kinks
autograd, since their conventions are torch's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symgrad.formula.program import Program
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.validate.autograd import reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import has_torch
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.kernels import Call
from symgrad.validate.points import Point
from symgrad.validate.precise import Precise, Probe, closed_values
from symgrad.validate.verdict import LARGEST

FAR = 1e6
"""Inputs beyond this size are looked at, and what fails there alone is a remark."""


def right_values(scene: Scene, target: Target, has_kinks: bool) -> Array | None:
    """What is right at a point; None where nothing can be said."""
    point = scene.point
    try:
        if target.what != "gradient" and has_kinks and point.kind not in ("normal", "unit axes"):
            return None
        if point.kind == "kink":
            return by_autograd(scene, target)
        if point.is_generic and point.kind != "special":
            return scene.of(target.form)
        got = exactly(target.form, scene.program, point)
    except (EvaluationError, OverflowError, ZeroDivisionError):
        return None
    if got is None:
        return None
    got = got * scene.factor
    got = np.where(np.isfinite(got) & (np.abs(got) < LARGEST), got, np.nan)
    if np.any(np.isnan(got)) and target.what == "gradient" and has_torch() and not is_far(point):
        got = np.where(np.isnan(got), by_autograd(scene, target), got)
    return got


def by_autograd(scene: Scene, target: Target) -> Array:
    """torch's gradient of the formula."""
    point = scene.point
    call = Call(point.inputs, point.parameters, point.upstream)
    return scene.factor * reference(scene.program, (target.name,), call).gradients[target.name]


def is_far(point: Point) -> bool:
    """Whether some input is huge."""
    return max((float(np.max(np.abs(a), initial=0.0)) for a in point.inputs.values()), default=0.0) > FAR


def exactly(form: Form, program: Program, point: Point) -> Array | None:
    """A closed form in multiprecision, rounded to float64; None where no two precisions agree."""
    return in_range(lambda: closed_values(form, Precise(program, point)))


def slope_at(sample: Sample, at: tuple[int, ...]) -> float | None:
    """One element of a gradient by differences in multiprecision; None on a kink."""
    point, name = sample.scene.point, sample.target.name
    if sample.target.what != "gradient":
        return None
    step = np.zeros(sample.expected.shape)
    step[at] = max(abs(float(point.inputs[name][at])), 1e-3)
    scale = abs(float(sample.expected[at])) / sample.scene.factor * float(step[at])
    try:
        slope = in_range(lambda: Precise(sample.scene.program, point).slope(Probe({name: step}, name), scale))
    except (EvaluationError, OverflowError):
        return None
    return None if slope is None else slope / float(step[at]) * sample.scene.factor


def others_say(sample: Sample) -> Mapping[str, float]:
    """What the three judges say of the worst element: autograd, differences (float64), multiprecision."""
    at, found = sample.worst, {}
    if sample.target.what == "gradient":
        if has_torch():
            found["autograd"] = float(by_autograd(sample.scene, sample.target)[at])
        found["differences"] = _difference(sample, at)
        slope = slope_at(sample, at)
        if slope is not None:
            found["multiprecision"] = slope
    if "multiprecision" not in found:
        exact = exactly(sample.target.form, sample.scene.program, sample.scene.point)
        if exact is not None:
            found["multiprecision"] = float(exact[at]) * sample.scene.factor
    return found


def _difference(sample: Sample, at: tuple[int, ...]) -> float:
    """Richardson's extrapolated central difference of the formula in float64."""
    scene, name = sample.scene, sample.target.name
    point = scene.point
    h = 1e-3 * max(abs(float(point.inputs[name][at])), 1e-2)

    def total(step: float) -> float:
        x = np.array(point.inputs[name], dtype=float)
        x[at] += step
        near = scene.at(replace(point, inputs={**point.inputs, name: x}))
        if scene.program.is_loss:
            return float(np.mean(near.values[scene.program.loss.name]))
        return sum(float(np.sum(point.upstream[f"d{s.name}"] * near.values[s.name])) for s in scene.program.outputs)

    with np.errstate(all="ignore"):
        a, b, c = ((total(h / k) - total(-h / k)) / (2 * h / k) for k in (1, 2, 4))
        ab, bc = (4 * b - a) / 3, (4 * c - b) / 3
        return float((16 * bc - ab) / 15) * scene.factor
