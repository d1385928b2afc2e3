"""Points at which all sizes are equal: a function that mixes axes up may run there alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.points import Point, finish
from symgrad.validate.sampling import SamplingError, choose_parameters, sample_inputs
from symgrad.validate.sizes import dimension_names

SIZES = (3, 4, 2, 5, 3, 4)
SCALES = (1.0, 6.0)


def equal_sizes(program: Program, seed: int) -> Iterator[Point]:
    """Random points at which every dimension, and the batch, has one size."""
    for k, size in enumerate(SIZES):
        rng = np.random.default_rng((seed, 300 + k))
        parameters = choose_parameters(program, k % 2)
        scale = SCALES[k % 2]
        try:
            dims = dict.fromkeys(dimension_names(program), size)
            inputs = sample_inputs(program, dims, (size,), rng, scale, parameters)
            got = finish(program, "normal", f"equal sizes {size}, scale {scale:g}", inputs, parameters, rng)
        except (EvaluationError, SamplingError):
            continue
        if got is not None:
            yield got
