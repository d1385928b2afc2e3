"""What may be wrong with a gradient, each as a prediction of what was got, and how a prediction is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import Term
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.validate.backends import EvaluationError

KINDS = (
    "sign", "factor", "extra_factor", "missing_factor", "transposed", "wrong_axis", "missing_term", "extra_term",
    "reduction", "upstream", "kink", "region", "epsilon", "precision", "nonfinite", "shape", "error", "unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """What is wrong: `detail` in words. `form`: what the function computes, as a form; `term`: what it is about."""

    kind: str
    detail: str
    form: Form | None = field(default=None, compare=False)
    term: Term | None = field(default=None, compare=False)


Predict = Callable[[Scene], Array | None]


@dataclass(frozen=True)
class Hypothesis:
    """A cause, and what would be got at a scene if it were the one; None where it says nothing."""

    cause: Cause
    predict: Predict


Fresh = Callable[[], Sequence[Sample]]


class Evidence:
    """The samples of one target at generic points, and fresh ones of other sizes that no hypothesis has seen."""

    def __init__(self, samples: Sequence[Sample], fresh: Fresh, many: Fresh) -> None:
        self.samples = sorted(samples, key=_worth)
        self._draw, self._draw_many = fresh, many
        self._fresh: list[Sample] | None = None
        self._many: list[Sample] | None = None
        self.tried = 0

    @property
    def wrong(self) -> list[Sample]:
        """Samples at which something is wrong."""
        return [s for s in self.samples if not s.is_right]

    def varied(self, count: int) -> list[Sample]:
        """So many wrong samples, of as many sizes and parameters as there are."""
        return varied(self.wrong, count)

    @property
    def fresh(self) -> list[Sample]:
        """Samples that were not used to find anything."""
        if self._fresh is None:
            self._fresh = list(self._draw())
        return self._fresh

    @property
    def many(self) -> list[Sample]:
        """The samples and many more, to tell where something is wrong."""
        if self._many is None:
            self._many = [*self.samples, *self._draw_many()]
        return self._many

    def first(self, hypotheses: Iterable[Hypothesis]) -> Cause | None:
        """The first hypothesis that explains everything, fresh samples too."""
        for h in hypotheses:
            limits.check()
            if self.holds(h):
                return h.cause
        return None

    def holds(self, h: Hypothesis) -> bool:
        """Whether a hypothesis explains all samples."""
        self.tried += 1
        return self.explains(h, self.wrong[:1]) and self.explains(h, self.samples) and self.explains(h, self.fresh)

    def explains(self, h: Hypothesis, samples: Sequence[Sample]) -> bool:
        """Whether it explains these; some of them at least."""
        looked = 0
        for s in samples:
            try:
                with np.errstate(all="ignore"):
                    got = h.predict(s.scene)
            except EvaluationError:
                return False
            if got is None:
                continue
            if not s.explained_by(got):
                return False
            looked += 1
        return looked > 0


def varied(samples: Sequence[Sample], count: int) -> list[Sample]:
    """So many samples, of as many sizes and parameters as there are."""
    seen: list[tuple[object, ...]] = []
    for s in samples:
        own = (*sorted(s.scene.dims.items()), *sorted(s.scene.point.parameters.items()))
        seen.append((own, sum(other[0] == own for other in seen)))
    order = sorted(range(len(samples)), key=lambda k: (seen[k][1], k))
    return [samples[k] for k in order[:count]]


def _worth(s: Sample) -> tuple[bool, bool, int]:
    """Wrong ones first, then those of distinct extents, then small ones."""
    return s.is_right, s.scene.point.kind != "normal", s.expected.size
