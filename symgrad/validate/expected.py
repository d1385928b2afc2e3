"""`expect` where the normal form did not decide: both closed forms in multiprecision, at 20 points.

The report then says *checked, not proven*; where they differ, at which point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.algebra.build import substitute
from symgrad.algebra.terms import Term
from symgrad.formula.program import Expected, Program
from symgrad.validate.backends import Array, EvaluationError
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.points import Point, normal_points
from symgrad.validate.verdict import Failure

POINTS = 20
DIGITS = 50
EQUAL = 1e-25
SMALL = 3000

Definitions = Sequence[tuple[str, Sequence[Term], Term]]


@dataclass(frozen=True)
class Checked:
    """An expected closed form, held against the derived one at `points` points; `failure` says where they differ."""

    expected: Expected
    ok: bool
    points: int
    failure: Failure | None = None


def judge_expected(derivation: Any, seed: int = 0) -> tuple[Checked, ...]:
    """The expected forms that were not proven, each checked at 20 points."""
    out = []
    for verdict in derivation.expected:
        if verdict.proven is None:
            e, g = verdict.expected, derivation.gradient(verdict.expected.input)
            wanted = substitute(e.body, dict(zip(e.indices, g.indices, strict=True)))
            definitions = [(d.name, d.indices, d.body) for d in g.where]
            out.append(check(e, derivation.program, (g.closed, wanted), g.indices, definitions, seed))
    return tuple(out)


def check(
    e: Expected,
    program: Program,
    forms: tuple[Term, Term],
    indices: Sequence[Term],
    definitions: Definitions,
    seed: int,
) -> Checked:
    """Two closed forms of one gradient at random points of the formula's domain."""
    points = list(normal_points(program, seed + 7, POINTS, SMALL))
    for k, point in enumerate(points):
        limits.check()
        failure = differ_at(program, point, forms, indices, definitions, f"gradient of {e.input} as expected")
        if failure is not None:
            return Checked(e, False, k + 1, failure)
    return Checked(e, bool(points), len(points))


def differ_at(
    program: Program,
    point: Point,
    forms: tuple[Term, Term],
    indices: Sequence[Term],
    definitions: Definitions = (),
    what: str = "the term",
) -> Failure | None:
    """Where the two terms differ at a point: `expected` is the first term's value, `got` the second's."""
    backend = MpmathBackend(DIGITS)
    values = evaluate_program(program, point.inputs, point.parameters, backend)
    known = {**point.inputs, **values, **point.upstream}

    def value(t: Term) -> Array:
        return evaluate_term(t, program, known, indices, point.parameters, backend, definitions)

    try:
        a, b = value(forms[0]), value(forms[1])
    except EvaluationError as e:
        return Failure(str(e), point.label)
    size = max((abs(x) for x in a.ravel()), default=0)
    for index in np.ndindex(a.shape):
        x, y = a[index], b[index]
        if x != y and not abs(x - y) <= EQUAL * (abs(x) + 1e-3 * size) + EQUAL:
            return Failure(what, point.label, index, float(y), float(x))
    return None
