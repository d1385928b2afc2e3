"""Points at which a formula is judged, each with a kind that the certificate counts.

| kind | where |
| --- | --- |
| normal | random data at scales 0.01, 1 and 6, extents pairwise distinct, other parameters too |
| unit axes | axes of length 1 |
| special | zeros, ties, large values and so on: `special_points` |
| kink | data moved exactly onto a kink of the formula: `kink_points` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.formula.program import Input, Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.equations import impose
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.extents import LARGEST_WORK, choose_extents
from symgrad.validate.sampling import Data, choose_parameters, cotangents, sample_inputs

SCALES = (0.01, 1.0, 6.0)
BATCHES = ((2, 3), (4,), (1,))
NORMAL_POINTS = 10


@dataclass(frozen=True)
class Point:
    """Inputs, parameters and upstream of one call. `label` says in words where it is."""

    kind: str
    label: str
    inputs: Data
    parameters: Mapping[str, Any]
    upstream: Data

    @property
    def is_generic(self) -> bool:
        """Whether nothing coincides here on purpose: a rounding of the inputs stays on one side of every kink."""
        return self.kind in ("normal", "unit axes") or "large" in self.label


@dataclass(frozen=True)
class Place:
    """Sizes of a family of points."""

    dims: Mapping[str, int]
    batch: tuple[int, ...]
    parameters: Mapping[str, Any]


@lru_cache(maxsize=16)
def place(program: Program, variant: int, largest: int | None = None) -> Place:
    """Sizes and parameters: variants 0 and 1 have distinct extents, 2 has axes of length 1."""
    parameters = choose_parameters(program, variant % 3 % 2)
    dims = choose_extents(program, variant, parameters, largest or LARGEST_WORK)
    return Place(dims, BATCHES[variant % 3], parameters)


def finish(
    program: Program, kind: str, label: str, inputs: Data, parameters: Mapping[str, Any], rng: Any
) -> Point | None:
    """The point with an upstream, or None where the formula has no finite value there."""
    try:
        values = evaluate_program(program, inputs, parameters)
    except EvaluationError:
        return None
    if not all(np.all(np.isfinite(values[s.name])) for s in program.outputs):
        return None
    upstream = {} if program.is_loss else cotangents(program, values, rng)
    return Point(kind, label, inputs, parameters, upstream)


def normal_points(
    program: Program, seed: int, count: int = NORMAL_POINTS, largest: int | None = None, shift: int = 0
) -> Iterator[Point]:
    """Random points, scale by scale; two of them on axes of length 1. Other sizes for another `shift`."""
    for k in range(count):
        variant = (2 if k % 5 == 4 else k % 2) + 3 * shift
        at = place(program, variant, largest)
        got = _normal_point(program, at, SCALES[k % 3], seed, k, "unit axes" if variant % 3 == 2 else "normal")
        if got is not None:
            yield got


def _normal_point(program: Program, at: Place, scale: float, seed: int, k: int, kind: str) -> Point | None:
    for attempt, soften in enumerate(_SOFTENINGS):
        rng = np.random.default_rng((seed, k, attempt))
        inputs = sample_inputs(program, at.dims, at.batch, rng, scale, at.parameters)
        inputs = impose(program, {n: soften(program.input(n), a) for n, a in inputs.items()}, at.parameters)
        got = finish(program, kind, f"{kind} point {k}, scale {scale:g}", inputs, at.parameters, rng)
        if got is not None:
            return got
    return None


def _positive(tensor: Input, a: Any) -> Any:
    return np.abs(a) + 0.1 * (np.abs(a) == 0) if is_plain(tensor) else a


def _inside_one(tensor: Input, a: Any) -> Any:
    return 0.05 + 0.9 / (1 + np.exp(-a)) if is_plain(tensor) else a


_SOFTENINGS: tuple[Callable[[Input, Any], Any], ...] = (
    lambda tensor, a: a,
    _positive,
    _inside_one,
    lambda tensor, a: 1 + np.abs(a) if is_plain(tensor) else a,
)
"""What is tried where a formula has no value at a real point (log of a negative number), in this order."""


def is_plain(tensor: Input) -> bool:
    """Whether an input may be any real number."""
    return tensor.dtype == "real" and tensor.domain.kind == "real"
