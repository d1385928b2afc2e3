"""Points whose values are spread wider than those of the certificate: near the ends of intervals, and up to a dozen.

A clipped probability, or a threshold at 5, shows there alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symgrad.formula.program import Input, Program
from symgrad.validate.points import Place, Point, finish, place
from symgrad.validate.sampling import SamplingError, bounds, sample_inputs

SMALL = 1000
COUNT = 8
LARGEST = 12.0
NEAR = 4.0
"""How near to the ends of an interval: logits are of that size."""


def spread_points(program: Program, seed: int) -> Iterator[Point]:
    """Random points; what has no value there is left out."""
    for k in range(COUNT):
        at = place(program, k % 2 + 3 * (k // 2), SMALL)
        rng = np.random.default_rng((seed, 500 + k))
        try:
            inputs = sample_inputs(program, at.dims, at.batch, rng, 1.0, at.parameters)
        except SamplingError:
            continue
        inputs = {n: _spread(program.input(n), a, at, rng) for n, a in inputs.items()}
        got = finish(program, "normal", f"spread point {k}", inputs, at.parameters, rng)
        if got is not None:
            yield got


def _spread(tensor: Input, a: Any, at: Place, rng: Any) -> Any:
    """A plain real input with larger values, one of an interval nearer to its ends; others as they are."""
    if tensor.dtype != "real" or tensor.domain.kind not in ("real", "interval", "unit_interval"):
        return a
    low, high = bounds(tensor.domain, at.dims, at.parameters)
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) / (1 + np.exp(-NEAR * rng.standard_normal(np.shape(a))))
    if np.isfinite(low) or np.isfinite(high):
        return a
    return np.clip(4 * a, -LARGEST, LARGEST)
