"""Second differences of the formula as read, in multiprecision: curvatures, and the Hessian between two directions.

Along a direction u the curvature of the mean loss is `(f(x + h u) - 2 f(x) + f(x - h u))/h**2`, at growing precision
until two agree; `e H v` is a quarter of the curvatures along e + v and e - v.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.validate.precise import Precise

SMALLEST_PART = 1e-8
"""Of the curvatures: what is less of them has lost too many digits."""
Direction = Mapping[str, np.ndarray[Any, Any]]


def curvature(precise: Precise, direction: Direction, scale: float) -> float | None:
    """The second derivative along a direction; None where it jumps, or where no two precisions agree."""
    found = _curvature(precise, direction, scale)
    return None if found is None else float(found)


def _curvature(precise: Precise, direction: Direction, scale: float) -> Any:
    """The same with all its digits."""
    return precise.agreed(lambda _, digits: [_differences(precise, direction, digits)], [scale])[0]


def _differences(precise: Precise, direction: Direction, digits: int) -> tuple[Any, Any, Any]:
    """Second differences to the right, about and to the left of the point, with a step of a quarter of the digits."""
    backend = precise.backend(digits)
    h = backend.scalar(f"1e-{digits // 4}")
    steps = (-2, -1, 1, 2)
    with backend.working():
        moves = [{n: k * h * backend.real(d) for n, d in direction.items()} for k in steps]
    f = {0: precise.center(digits), **dict(zip(steps, precise.after(moves, digits), strict=True))}
    with backend.working():
        right, middle, left = ((f[k + 1] - 2 * f[k] + f[k - 1]) / h**2 for k in (1, 0, -1))
    return right, middle, left


def mixed(precise: Precise, one: Direction, other: Direction, scale: float) -> float | None:
    """one H other."""
    names = [*dict.fromkeys((*one, *other))]
    shapes = {n: (one[n] if n in one else other[n]).shape for n in names}
    parts = []
    for sign in (1, -1):
        both = {n: one.get(n, np.zeros(shapes[n])) + sign * other.get(n, np.zeros(shapes[n])) for n in names}
        parts.append(_curvature(precise, both, scale))
    first, second = parts
    if first is None or second is None:
        return None
    backend = precise.backend(max(precise.levels))
    with backend.working():
        if abs(first - second) < (abs(first) + abs(second)) * backend.scalar(SMALLEST_PART):
            return None
        return float((first - second) / 4)
