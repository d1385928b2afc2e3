"""The hand-written gradient at every point: where it is wrong, by judges that share no code with it.

z[n, c] -> Record: samples of got and right values, at generic points, and where nothing is wrong there at special ones
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.handwritten.answers import Answer
from symgrad.handwritten.calling import Caller
from symgrad.handwritten.doubts import has_lost, reconsidered
from symgrad.handwritten.judges import is_far, right_values
from symgrad.handwritten.process import TheirError
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.saturated import affordable, saturated_points
from symgrad.handwritten.scenes import Array, Scene
from symgrad.handwritten.spread import spread_points
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import has_torch
from symgrad.validate.kink_points import kink_points
from symgrad.validate.points import Point, normal_points
from symgrad.validate.special_points import special_points
from symgrad.validate.verdict import (
    EPSILON,
    FORGIVEN_ULP,
    LARGEST,
    ROUNDING,
    magnitude,
    natural_scale,
    rounded,
)

SMALL = 1000
"""Work of a point, for the evaluator."""
ENOUGH = 0.5
"""The share of the time after which no more special points are looked at."""
FEWEST = 4
"""Points that are looked at in any case."""
SINGLE_SLACK = 1e5
"""How much less exactly a cause has to explain a result in float32."""


@dataclass
class Record:
    """What was seen. Samples by target; `values`: got and right value at each generic point."""

    samples: dict[Target, list[Sample]] = field(default_factory=dict)
    lost: list[Sample] = field(default_factory=list)
    """Right within tolerance, but with digits lost or beyond the range that is judged."""
    values: list[tuple[Scene, Array, Array]] = field(default_factory=list)
    changed: tuple[int, ...] = ()
    single: bool = False
    hurried: bool = False
    """Whether time did not suffice for all points."""
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
            if self.record.points >= FEWEST and limits.spent() > ENOUGH:
                self.record.hurried = True
                break
            self.look(self.caller.scene(point))
        for more in (spread_points(self.program, self.seed), self.special()):
            if any(self.record.wrong(t) for t in self.targets):
                break
            for point in more:
                limits.check()
                if limits.spent() > ENOUGH:
                    self.record.hurried = True
                    break
                self.look(self.caller.scene(point))
        return self.record

    def look(self, scene: Scene) -> None:
        """One point."""
        record, kind = self.record, scene.point.kind
        try:
            answer = self.caller(scene)
        except EvaluationError:
            return
        except TheirError as error:
            if kind != "special" or error.kind in ("Timeout", "Crash") or self._has_gradient(scene):
                raise
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

    def _has_gradient(self, scene: Scene) -> bool:
        """Whether there is anything to be got: an inverse that raises where the loss is infinite is right."""
        right = (right_values(scene, t, bool(self.kinks)) for t in self.targets)
        return any(a is not None and bool(np.any(np.isfinite(a))) for a in right)

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
        expected = right_values(scene, target, bool(self.kinks))
        if expected is None:
            return None
        if got.shape != expected.shape == () and got.size == 1:
            got = got.reshape(expected.shape)
        sample = Sample(target, scene, got, expected, self.noise(scene, target, expected))
        if single:
            sample = replace(sample, slack=SINGLE_SLACK)
        if sample.is_right or not sample.fits:
            return self._weighed(sample, sample)
        return self._weighed(reconsidered(sample, self.caller), sample)

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

    def _weighed(self, sample: Sample, first: Sample) -> Sample | None:
        """Far points, and right ones that lost digits, are remarks alone. `first`: before other judges spoke."""
        point = sample.scene.point
        if point.kind != "special":
            return sample
        far = is_far(point)
        weighs = not far or "offset" in point.label
        if (sample.is_right or far) and weighs and first.fits and has_lost(first, self.typical.get(first.target, 0.0)):
            self.record.lost.append(first)
        elif not sample.is_right and far and not weighs:
            self.record.lost.append(sample)
        return None if far and not sample.is_right else sample
