"""`expect` where the normal form does not decide: the two closed forms side by side at multiprecision points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import Term
from symgrad.formula.program import Expected, Program
from symgrad.validate.backends import Array, EvaluationError
from symgrad.validate.decimal_backend import backend_of, in_range
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.points import Point, normal_points
from symgrad.validate.precise import Closed, Definition

POINTS = 20
DIGITS = 40
LARGEST = 1000
"""Work of a point; forms of few elements tell as much as those of many."""
TOLERANCE = 1e-10
"""Relative; data satisfy their facts to float64's precision only."""


def refutation(
    expected: Expected, derived: Closed, program: Program, where: Sequence[Definition] = (), seed: int = 0
) -> str | None:
    """Where the expected form differs from the derived one, in words; None where it nowhere does.

    `where`: the names that the two use.
    """
    for point in normal_points(program, seed, POINTS, LARGEST):
        limits.check()
        try:
            mine, theirs = in_range(partial(_both, expected, derived, program, point, where))
        except EvaluationError:
            continue
        difference = _difference(mine, theirs)
        if difference is not None:
            at = ", ".join(map(str, difference))
            place = f"{expected.key}[{at}]" if difference else expected.key
            got, wanted = _told_apart(*(float(a[difference]) for a in (mine, theirs)))
            return f"{place}: derived {got}, expected {wanted} ({point.label})"
    return None


def _both(
    expected: Expected, derived: Closed, program: Program, point: Point, where: Sequence[Definition]
) -> tuple[Array, Array]:
    backend = backend_of(DIGITS)
    values = evaluate_program(program, point.inputs, point.parameters, backend)
    known = {**point.inputs, **values, **point.upstream}
    definitions = [(d.name, d.indices, d.body) for d in where or derived.where]

    def form(t: Term, indices: Sequence[Term]) -> Array:
        return evaluate_term(t, program, known, indices, point.parameters, backend, definitions)

    return form(derived.closed, derived.indices), form(expected.body, expected.indices)


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart."""
    shown = [(f"{a:.{n}g}", f"{b:.{n}g}") for n in (6, 10, 17)]
    return next((s for s in shown if s[0] != s[1]), shown[-1])


def _difference(mine: Array, theirs: Array) -> tuple[int, ...] | None:
    """The index at which two arrays differ most, beyond rounding; what is not finite in both is not compared."""
    a, b = (np.asarray(np.frompyfunc(float, 1, 1)(x)).astype(float) for x in (mine, theirs))
    if a.shape != b.shape:
        return (0,) * a.ndim
    with np.errstate(all="ignore"):
        gap: Any = np.where(np.isfinite(a) & np.isfinite(b), np.abs(a - b), 0.0)
        size = np.where(np.isfinite(b), np.abs(b), 0.0) + np.where(np.isfinite(a), np.abs(a), 0.0)
    if not gap.size or float(gap.max()) <= TOLERANCE * float(size.max()):
        return None
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))
