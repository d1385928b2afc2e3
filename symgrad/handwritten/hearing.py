"""The hand-written gradient at every point: where it is wrong, by judges that share no code with it.

At generic points the closed form in float64 says what is right, at special ones in multiprecision, on kinks autograd
(their conventions are torch's). Nobody is found wrong by one judge: where the closed form says so, differences of the
formula in multiprecision must say so too, and what rounding of the inputs does to the function itself is forgiven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.handwritten.answers import Answer
from symgrad.handwritten.calling import Caller
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.saturated import affordable, saturated_points
from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.validate.autograd import reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import has_torch
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.kernels import Call
from symgrad.validate.points import Point, kink_points, normal_points, special_points
from symgrad.validate.precise import Precise, Probe, closed_values
from symgrad.validate.verdict import (
    EPSILON,
    FORGIVEN_ULP,
    LARGEST,
    ROUNDING,
    TOLERANCE,
    magnitude,
    natural_scale,
    rounded,
)

SMALL = 1000
"""Work of a point, for the evaluator."""
SINGLE_SLACK = 1e5
"""How much less exactly a cause has to explain a result in float32."""
FAR = 1e6
"""Inputs beyond this size are looked at, and what fails there alone is a remark."""
LOST = 1e-3
"""Relative error from which on digits are called lost, though the absolute error is within tolerance."""
CONFIRMED = 4
"""Wrong elements of a generic point that multiprecision is asked about."""


@dataclass
class Record:
    """What was seen. Samples by target; `values`: got and right value at each generic point."""

    samples: dict[Target, list[Sample]] = field(default_factory=dict)
    lost: list[Sample] = field(default_factory=list)
    """Right within tolerance, but with digits lost or beyond the range that is judged."""
    values: list[tuple[Scene, Array, Array]] = field(default_factory=list)
    changed: tuple[int, ...] = ()
    single: bool = False
    points: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def wrong(self, target: Target) -> list[Sample]:
        """Samples at which the target is wrong."""
        return [s for s in self.samples.get(target, []) if not s.is_right]

    def generic(self, target: Target) -> list[Sample]:
        """Samples at generic points."""
        return [s for s in self.samples.get(target, []) if s.scene.point.is_generic]


class Hearing:
    """Calls the function at points and compares."""

    def __init__(self, caller: Caller, targets: Sequence[Target], kinks: tuple[Any, ...], seed: int) -> None:
        self.caller, self.targets, self.kinks, self.seed = caller, tuple(targets), kinks, seed
        self.program: Program = caller.manner.program
        self.typical: dict[Target, float] = {}
        self.record = Record()

    # ---- points -----------------------------------------------------------------------------------------------------

    def normal(self, count: int = 10, shift: int = 0) -> Iterator[Point]:
        """Generic points; `shift`: others, of other sizes."""
        return normal_points(self.program, self.seed + 7 * shift, count, SMALL, shift)

    def special(self) -> Iterator[Point]:
        """Special points and large values of both signs, as many as multiprecision can look at, then kinks."""
        own = [*special_points(self.program, self.seed, SMALL), *saturated_points(self.program, self.seed)]
        yield from affordable(self.program, own)
        if has_torch():
            yield from kink_points(self.program, self.kinks, self.seed)

    # ---- what is right ----------------------------------------------------------------------------------------------

    def hear(self) -> Record:
        """Look at every point."""
        for point in self.normal():
            limits.check()
            self.look(self.caller.scene(point))
        if not any(self.record.wrong(t) for t in self.targets):
            for point in self.special():
                limits.check()
                self.look(self.caller.scene(point))
        return self.record

    def look(self, scene: Scene) -> None:
        """One point."""
        record, kind = self.record, scene.point.kind
        try:
            answer = self.caller(scene)
        except EvaluationError:
            return
        record.points += 1
        record.kinds[kind] = record.kinds.get(kind, 0) + 1
        record.changed = record.changed or answer.changed
        record.single = record.single or answer.is_single
        for target in self.targets:
            sample = self.sample(scene, answer, target)
            if sample is not None:
                record.samples.setdefault(target, []).append(sample)
        if scene.point.kind in ("normal", "unit axes") and answer.values:
            self._keep_values(scene, answer)

    def _keep_values(self, scene: Scene, answer: Answer) -> None:
        if self.program.is_loss:
            loss = scene.values[self.program.loss.name]
            got = answer.values[0]
            total = np.sum(loss) if self.caller.manner.reduction == "sum" else np.mean(loss)
            right = np.asarray(loss if got.shape == loss.shape and loss.size > 1 else total, dtype=float)
            self.record.values.append((scene, got.reshape(right.shape) if got.size == right.size else got, right))
            return
        for s, got in zip(self.program.outputs, answer.values, strict=False):
            self.record.values.append((scene, got, np.asarray(scene.values[s.name], dtype=float)))

    def sample(self, scene: Scene, answer: Answer, target: Target) -> Sample | None:
        """One target at one point: what is within rounding, is right."""
        got = (answer.gradients if target.what == "gradient" else answer.diagonals)[target.name]
        single = got.dtype == np.float32
        got = np.asarray(got, dtype=float)
        expected = self.expected(scene, target)
        if expected is None:
            return None
        if got.shape != expected.shape == () and got.size == 1:
            got = got.reshape(expected.shape)
        sample = Sample(target, scene, got, expected, self.noise(scene, target, expected))
        if single:
            sample = replace(sample, slack=SINGLE_SLACK)
        if sample.is_right or not sample.fits:
            return self._weighed(sample)
        return self._weighed(self._reconsidered(sample))

    def expected(self, scene: Scene, target: Target) -> Array | None:
        """What is right at a point; None where nothing can be said."""
        point = scene.point
        try:
            if target.what != "gradient" and self.kinks and point.kind not in ("normal", "unit axes"):
                return None
            if point.kind == "kink":
                return self.by_autograd(scene, target)
            if point.is_generic and point.kind != "special":
                return scene.of(target.form)
            got = exactly(target.form, self.program, point)
        except (EvaluationError, OverflowError, ZeroDivisionError):
            return None
        if got is None:
            return None
        got = got * scene.factor
        got = np.where(np.isfinite(got) & (np.abs(got) < LARGEST), got, np.nan)
        if np.any(np.isnan(got)) and target.what == "gradient" and has_torch() and not _is_far(point):
            got = np.where(np.isnan(got), self.by_autograd(scene, target), got)
        return got

    def by_autograd(self, scene: Scene, target: Target) -> Array:
        """torch's gradient of the formula."""
        point = scene.point
        call = Call(point.inputs, point.parameters, point.upstream)
        return scene.factor * reference(self.program, (target.name,), call).gradients[target.name]

    def noise(self, scene: Scene, target: Target, expected: Array) -> Any:
        """What rounding on the way may do, by the sizes that occur there."""
        point = scene.point
        size = magnitude(point.inputs, point.upstream, scene.values) * max(scene.factor, 1.0)
        finite = expected[np.isfinite(expected)]
        largest = float(np.max(np.abs(finite), initial=0.0))
        if point.kind in ("normal", "unit axes"):
            self.typical[target] = max(self.typical.get(target, 0.0), largest)
        unit = max(natural_scale(size, point.inputs, target.name, finite), largest)
        if point.kind == "special":
            unit = max(unit, self.typical.get(target, 0.0))
        noise: Any = ROUNDING * EPSILON * min(unit, LARGEST)
        if point.kind in ("normal", "unit axes"):
            near = scene.at(replace(point, inputs=rounded(point.inputs, 17)))
            noise = noise + FORGIVEN_ULP * np.nan_to_num(np.abs(near.of(target.form) - expected))
        return noise

    # ---- doubts -----------------------------------------------------------------------------------------------------

    def _reconsidered(self, sample: Sample) -> Sample:
        """The sample with what rounding of the inputs does to the function itself forgiven, and other judges heard."""
        point = sample.scene.point
        moved = np.zeros(sample.got.shape)
        for seed in (29, 31) if point.is_generic else ():
            near = sample.scene.at(replace(point, inputs=rounded(point.inputs, seed)))
            answer = self.caller(near)
            again = (answer.gradients if sample.target.what == "gradient" else answer.diagonals)[sample.target.name]
            if again.shape == sample.got.shape:
                with np.errstate(all="ignore"):
                    moved += np.nan_to_num(np.abs(np.asarray(again, dtype=float) - sample.got), posinf=0.0)
        sample = replace(sample, noise=sample.noise + FORGIVEN_ULP * moved)
        if sample.is_right or sample.target.what != "gradient":
            return sample
        if point.kind == "special" and has_torch() and np.all(np.isfinite(sample.got)):
            other = self.by_autograd(sample.scene, sample.target)
            also = replace(sample, expected=other)
            if np.all(np.isfinite(other)):
                doubtful = sample.wrong & ~also.wrong
                sample = replace(sample, expected=np.where(doubtful, sample.got, sample.expected))
        return self._confirmed(sample)

    def _confirmed(self, sample: Sample) -> Sample:
        """The sample with what multiprecision says of its worst elements, where that contradicts the closed form."""
        if sample.is_right or sample.scene.point.kind == "kink" or not np.isfinite(sample.got[sample.worst]):
            return sample
        expected = np.array(sample.expected)
        for _ in range(CONFIRMED):
            at = sample.worst
            slope = slope_at(sample, at)
            if slope is None or abs(slope - expected[at]) <= 1e-9 * abs(slope) + float(
                np.broadcast_to(sample.noise, expected.shape)[at]
            ):
                return sample
            expected[at] = slope
            sample = replace(sample, expected=expected.copy())
            if sample.is_right:
                return sample
        return sample

    def _weighed(self, sample: Sample) -> Sample | None:
        """Far points, and right ones at which digits were lost, are remarks alone."""
        point = sample.scene.point
        if point.kind != "special":
            return sample
        far = _is_far(point)
        if not sample.is_right and far:
            self.record.lost.append(sample)
            return None
        if sample.is_right and not far and self._has_lost(sample):
            self.record.lost.append(sample)
        return sample

    def _has_lost(self, sample: Sample) -> bool:
        """Whether elements are off by more than LOST of their own size, where the true gradient is that exact."""
        expected, got = sample.expected, sample.got
        normal = np.isfinite(expected) & (np.abs(expected) > 1e-290)
        plain = (
            normal
            & ("large" in sample.scene.point.label)
            & (np.abs(expected) > EPSILON / 10 * self.typical.get(sample.target, 0.0))
        )
        with np.errstate(all="ignore"):
            off = (normal & (got == 0)) | (plain & (np.abs(got - expected) > LOST * np.abs(expected)))
        if not np.any(off):
            return False
        point = sample.scene.point
        moved = exactly(sample.target.form, self.program, replace(point, inputs=rounded(point.inputs, 41)))
        if moved is None:
            return False
        with np.errstate(all="ignore"):
            slack = FORGIVEN_ULP * np.abs(moved * sample.scene.factor - expected)
            return bool(np.any(off & (np.abs(got - expected) > slack)))


def _is_far(point: Point) -> bool:
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


def others_say(hearing: Hearing, sample: Sample) -> Mapping[str, float]:
    """What the three judges say of the worst element: autograd, differences (float64), multiprecision."""
    at, found = sample.worst, {}
    if sample.target.what == "gradient":
        if has_torch():
            found["autograd"] = float(hearing.by_autograd(sample.scene, sample.target)[at])
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


__all__ = ["TOLERANCE", "Hearing", "Record", "others_say"]
