"""Points at which one input has large values of both signs beside plain ones, where sigmoids saturate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symgrad.formula.program import Program
from symgrad.validate.certificate import SMALL
from symgrad.validate.points import Point, normal_points

SIZES = (30.0, 100.0, 800.0)
MOST_INPUTS = 3


def saturated_points(program: Program, seed: int) -> Iterator[Point]:
    """For each plain input, a normal point with some of its elements large, by turns positive and negative."""
    base = next((p for p in normal_points(program, seed, 2, SMALL) if "scale 1" in p.label), None)
    names = [i.name for i in program.inputs if i.name in program.wrt and i.dtype == "real" and i.domain.kind == "real"]
    for name in names[:MOST_INPUTS] if base is not None else ():
        for size in SIZES:
            assert base is not None
            x = np.array(base.inputs[name])
            flat = x.reshape(-1)
            flat[0::3] = size * (1 + 0.1 * np.abs(flat[0::3]))
            flat[1::3] = -size * (1 + 0.1 * np.abs(flat[1::3]))
            inputs = {**base.inputs, name: x}
            label = f"special point: {name} large, {size:g}, of both signs"
            yield Point("special", label, inputs, base.parameters, base.upstream)
