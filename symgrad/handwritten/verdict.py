"""What comes out of a check: whether the gradient is right, the cause if not, and the element that is most wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from symgrad.algebra.terms import extent
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.judges import others_say
from symgrad.handwritten.samples import Sample, Target


@dataclass(frozen=True)
class Worst:
    """The element that is most wrong, and what the judges say of it."""

    what: str
    name: str
    index: tuple[int, ...]
    point: str
    sizes: Mapping[str, int]
    got: float
    expected: float
    judges: Mapping[str, float]
    at: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """As a mapping of plain values."""
        return {
            "what": self.what,
            "input": self.name,
            "index": list(self.index),
            "point": self.point,
            "sizes": dict(self.sizes),
            "got": _plain(self.got),
            "expected": _plain(self.expected),
            "judges": {k: _plain(v) for k, v in self.judges.items()},
            "at": {k: _plain(v) for k, v in self.at.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """What came out. `target`: what is wrong; `others`: what is wrong beside it; `theirs`: the function's exception."""

    name: str
    passed: bool
    cause: Cause | None = None
    target: Target | None = None
    worst: Worst | None = None
    others: tuple[tuple[str, Cause], ...] = ()
    theirs: str = ""
    remarks: tuple[str, ...] = ()
    points: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0

    def to_json(self) -> dict[str, object]:
        """The value of `verdict` in the document of `check --json`."""
        cause = None if self.cause is None else {"kind": self.cause.kind, "detail": self.cause.detail}
        out: dict[str, object] = {
            "passed": self.passed,
            "cause": cause,
            "worst": None if self.worst is None else self.worst.to_json(),
            "points": self.points,
            "kinds": dict(self.kinds),
        }
        if self.target is not None:
            out["of"] = self.target.label
        if self.others:
            out["others"] = [{"of": of, "kind": c.kind, "detail": c.detail} for of, c in self.others]
        if self.theirs:
            out["exception"] = self.theirs
        if self.remarks:
            out["remarks"] = list(self.remarks)
        return out


def _plain(x: float) -> float | str:
    return x if np.isfinite(x) else repr(float(x))


def most_telling(samples: Sequence[Sample]) -> Sample:
    """The sample shown: of a plain point, with the largest error in units of its gradient."""

    def error(s: Sample) -> float:
        if not s.fits:
            return 0.0
        gap = np.abs(s.got - s.expected)[s.wrong]
        return (
            float("inf") if not np.all(np.isfinite(gap)) else float(np.max(gap) / (np.max(np.abs(s.expected)) + 1e-300))
        )

    return max(samples, key=lambda s: (s.scene.point.kind == "normal", "scale 1" in s.scene.point.label, error(s)))


def worst_of(s: Sample) -> Worst | None:
    """The worst element of a sample; None where not even the shape is right."""
    if not s.fits:
        return None
    at = s.worst
    sizes = {n: v for n, v in s.scene.dims.items() if n != "..."}
    shown = _values_at(s, at)
    judges = others_say(s)
    return Worst(
        s.target.label,
        s.target.name,
        at,
        s.scene.point.label,
        sizes,
        float(s.got[at]),
        float(s.expected[at]),
        judges,
        shown,
    )


def _values_at(s: Sample, at: tuple[int, ...]) -> dict[str, float]:
    """The inputs and names that have an element there."""
    out = {}
    axes = [extent(i) for i in s.target.form.indices]
    shapes = s.scene.program.shapes
    for n, a in s.scene.known.items():
        if list(shapes.get(n, ())) == axes and np.shape(a) == s.expected.shape:
            out[n] = float(np.asarray(a)[at])
    out |= {p: float(v) for p, v in s.scene.point.parameters.items()}
    return out
