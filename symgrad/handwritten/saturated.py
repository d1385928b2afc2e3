"""Points at which one input has large values of both signs beside plain ones, where sigmoids saturate.

And how many special points multiprecision can look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from symgrad.formula.program import Program
from symgrad.validate.extents import work_of
from symgrad.validate.points import Point, normal_points
from symgrad.validate.sizes import bind_sizes

SMALL = 1000
SIZES = (30.0, 100.0, 800.0)
TINY = 2.0**-40
MOST_INPUTS = 3
MOST_WORK = 1_000_000
"""Elements that multiprecision touches in all, about."""
A_TERM = 20
"""Elements that take as long as one more term does."""


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
        assert base is not None
        for label, moved in (("offset by 2e6", np.array(base.inputs[name]) + 2e6), ("tiny", base.inputs[name] * TINY)):
            inputs = {**base.inputs, name: moved}
            yield Point("special", f"special point: {name} {label}", inputs, base.parameters, base.upstream)


def affordable(program: Program, points: Sequence[Point]) -> list[Point]:
    """As many of the points, evenly spread, as multiprecision can look at: two at least."""
    terms = sum(s.body.size for s in program.statements)
    cost = 0
    for p in points:
        dims = bind_sizes(program, {n: tuple(np.shape(a)) for n, a in p.inputs.items()}, p.parameters).dims
        cost += work_of(program.statements, dims, p.parameters) + A_TERM * terms
    count = max(2, int(len(points) * min(1.0, MOST_WORK / max(1, cost * (1 + len(program.wrt))))))
    return [points[k * len(points) // count] for k in range(min(count, len(points)))]
