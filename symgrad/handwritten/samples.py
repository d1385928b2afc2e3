"""What was got and what is right, at one point for one target, and where they differ beyond rounding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.validate.verdict import TOLERANCE, relative_error

OF_LARGEST = 1e-12
"""What an element may be off besides, relative to the largest one."""


@dataclass(frozen=True)
class Target:
    """What is on trial: the gradient of an input, or its Hessian's diagonal. `forms`: all equal, closed one first."""

    name: str
    what: str
    forms: tuple[Form, ...]

    @property
    def form(self) -> Form:
        """The closed form."""
        return self.forms[0]

    @property
    def label(self) -> str:
        """In words: gradient of z."""
        return f"{self.what} of {self.name}"


@dataclass(frozen=True)
class Sample:
    """One target at one point. `noise`: how far an element may be off by rounding."""

    target: Target
    scene: Scene
    got: Array
    expected: Array
    noise: Any = 0.0
    tolerance: float = TOLERANCE
    slack: float = 1.0
    """What a cause may explain less exactly: results in float32."""

    @cached_property
    def fits(self) -> bool:
        """Whether the shape is right."""
        return bool(self.got.shape == self.expected.shape)

    @cached_property
    def errors(self) -> Array:
        """Relative error of each element, beyond noise."""
        noise = np.broadcast_to(self.noise, self.got.shape)
        return relative_error(self.got, self.expected, noise, self.tolerance)

    @cached_property
    def wrong(self) -> Array:
        """Which elements are wrong; those whose true value is not finite are not judged."""
        return (self.errors > self.tolerance) & np.isfinite(self.expected)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong here."""
        return self.fits and not np.any(self.wrong)

    @cached_property
    def worst(self) -> tuple[int, ...]:
        """The element that is most wrong, in units of the largest."""
        gap = np.where(self.wrong, np.abs(self.got - self.expected), -1.0)
        gap = np.where(np.isnan(gap), np.inf, gap)
        return tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))

    def explained_by(self, predicted: Array) -> bool:
        """Whether a prediction is what was got, beyond what rounding can do."""
        return agrees(self.got, predicted, np.asarray(self.noise) * self.slack, self.tolerance * self.slack)


def agrees(got: Array, predicted: Array, noise: Any = 0.0, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays are equal up to rounding, relative to their largest element."""
    if got.shape != predicted.shape:
        return False
    same = (got == predicted) | (np.isnan(got) & np.isnan(predicted))
    both = np.isfinite(got) & np.isfinite(predicted)
    if not np.all(same | both):
        return False
    size = float(np.max(np.abs(predicted[both]), initial=0.0))
    with np.errstate(all="ignore"):
        gap = np.where(same, 0.0, np.abs(got - predicted))
        own = noise if np.shape(noise) in ((), got.shape) else np.max(noise, initial=0.0)
        allowed = tolerance * np.abs(predicted) + OF_LARGEST * size + np.broadcast_to(own, got.shape)
    return bool(np.all(gap[~same] <= allowed[~same]))
