"""What a judge says: passed or not, the worst error, how many points of which kind, and where it went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.validate.points import Point

TOLERANCE = 1e-9
EPSILON = float(np.finfo(np.float64).eps)
ROUNDING = 512
"""Units of rounding, relative to the largest number on the way, that an element may be off."""
FORGIVEN_ULP = 1000
LARGEST = 1e300
SPREAD = 10
"""How much larger than a gradient the terms may be that cancel in some of its elements."""


@dataclass(frozen=True)
class Failure:
    """The first disagreement: what was compared, at which input and index, at which point."""

    what: str
    point: str
    index: tuple[int, ...] = ()
    got: float | None = None
    expected: float | None = None

    def __str__(self) -> str:
        if self.got is None:
            return f"{self.what} at {self.point}"
        return f"{self.what}{_place(self.index)} is {self.got!r}, expected {self.expected!r}, at {self.point}"

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        return {
            "what": self.what,
            "point": self.point,
            "index": list(self.index),
            "got": _plain(self.got),
            "expected": _plain(self.expected),
        }


@dataclass
class Judgement:
    """The verdict of one judge, filled as it looks at points."""

    judge: str
    worst: float = 0.0
    where: str = ""
    """What was compared where the error is the worst, and at which point."""
    kinds: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    failure: Failure | None = None
    notes: list[str] = field(default_factory=list)
    tolerance: float = TOLERANCE
    seen: list[Point] = field(default_factory=list)
    compared: int = 0
    """How many arrays and numbers were held against others."""

    @property
    def points(self) -> int:
        """How many points it looked at."""
        return sum(self.kinds.values())

    @property
    def passed(self) -> bool:
        """Whether it looked at some points and found nothing wrong."""
        return self.failure is None and self.points > 0

    def look(self, point: Point) -> None:
        """Count a point."""
        self.kinds[point.kind] = self.kinds.get(point.kind, 0) + 1
        self.seen.append(point)

    def unseen(self, why: str) -> None:
        """Take back the points at which nothing could be held against anything: they are no evidence."""
        if self.points and not self.compared and self.failure is None:
            self.kinds.clear()
            self.seen.clear()
            self.skip(why)

    def skip(self, why: str, count: int = 1) -> None:
        """Count what could not be judged, by the reason."""
        self.skipped[why] = self.skipped.get(why, 0) + count

    def fail(self, failure: Failure) -> None:
        """Keep the first failure."""
        if self.failure is None:
            self.failure = failure

    def forgive(self, why: str, worst: float = 0.0, where: str = "") -> None:
        """Take the failure back, and say so in the notes; the worst error is what it was before."""
        self.failure, self.worst, self.where = None, worst, where
        self.notes.append(why)

    def add(self, other: Judgement) -> None:
        """What was said of one point more."""
        for mine, theirs in ((self.kinds, other.kinds), (self.skipped, other.skipped)):
            for key, count in theirs.items():
                mine[key] = mine.get(key, 0) + count
        self.notes += other.notes
        self.compared += other.compared
        self.seen += other.seen
        if other.worst > self.worst:
            self.worst, self.where = other.worst, other.where
        if other.failure is not None:
            self.fail(other.failure)

    def compare(
        self, what: str, point: Point, got: Any, expected: Any, noise: Any = 0.0, tolerance: float = TOLERANCE
    ) -> bool:
        """Hold got against expected, element by element: |got - expected| <= tolerance*|expected| + noise."""
        got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
        if got.shape != expected.shape:
            self.fail(Failure(f"{what} has shape {got.shape}, expected {expected.shape}", point.label))
            return False
        if not got.size:
            return True
        self.compared += 1
        errors = relative_error(got, expected, np.broadcast_to(noise, got.shape), tolerance)
        at = np.unravel_index(int(np.argmax(errors)), got.shape)
        index = tuple(int(k) for k in at)
        if (error := float(errors[index]) * TOLERANCE / tolerance) > self.worst:
            self.worst, self.where = error, f"{what}{_place(index)} at {point.label}"
        if errors[index] > tolerance:
            self.fail(Failure(what, point.label, index, float(got[index]), float(expected[index])))
            return False
        return True

    def to_json(self) -> dict[str, Any]:
        """As a mapping of plain values."""
        out: dict[str, Any] = {
            "judge": self.judge,
            "passed": self.passed,
            "worst": _plain(float(f"{self.worst:.3g}")),
            "where": self.where,
            "tolerance": self.tolerance,
            "points": self.points,
            "kinds": dict(sorted(self.kinds.items())),
        }
        if self.skipped:
            out["skipped"] = dict(sorted(self.skipped.items()))
        if self.notes:
            out["notes"] = list(self.notes)
        if self.failure is not None:
            out["failure"] = self.failure.to_json()
            out["why"] = str(self.failure)
        elif not self.points:
            out["why"] = "no point was found at which the formula has a finite value"
        return out


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def relative_error(got: Any, expected: Any, noise: Any, tolerance: float) -> np.ndarray[Any, Any]:
    """|got - expected| / (|expected| + noise/tolerance), element-wise; infinite where just one is not finite."""
    with np.errstate(all="ignore"):
        gap = np.abs(got - expected)
        size = np.abs(expected) + noise / tolerance
        error = np.where(gap == 0, 0.0, gap / np.where(size > 0, size, np.finfo(float).tiny))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    odd = ~np.isfinite(got) | ~np.isfinite(expected)
    return np.asarray(np.where(same, 0.0, np.where(odd, np.inf, error)))


def magnitude(inputs: Mapping[str, Any], upstream: Mapping[str, Any], values: Mapping[str, Any]) -> float:
    """The largest finite number among inputs and statements, times upstream: rounding on the way is relative to it."""
    return _largest(inputs, values) * max(_largest(upstream), 1.0)


def _largest(*groups: Mapping[str, Any]) -> float:
    numbers = (np.asarray(a, dtype=float).ravel() for group in groups for a in group.values())
    return max((float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)) for a in numbers), default=0.0)


def natural_scale(size: float, inputs: Mapping[str, Any], name: str, gradient: Any) -> float:
    """The size that a gradient has by its dimensions, `size` over that of its input (1 for zeros), or has indeed."""
    top = float(np.max(np.abs(np.asarray(inputs[name], dtype=float)), initial=0.0)) or 1.0
    g = np.abs(np.asarray(gradient, dtype=float))
    largest = float(np.max(g[np.isfinite(g)], initial=0.0))
    return max(min(size / top, LARGEST), SPREAD * largest)


def rounded(inputs: Mapping[str, Any], seed: int, epsilon: float = EPSILON) -> dict[str, Any]:
    """The inputs, each element an ulp away."""
    rng = np.random.default_rng(seed)
    steps = {n: 1 + epsilon * rng.choice([-1.0, 1.0], size=a.shape) for n, a in inputs.items()}
    return {n: (a * steps[n]).astype(a.dtype) if a.dtype.kind == "f" else a for n, a in inputs.items()}


def _plain(x: float | None) -> float | str | None:
    """A number that JSON has; infinities and nan as text."""
    return x if x is None or np.isfinite(x) else repr(x)
