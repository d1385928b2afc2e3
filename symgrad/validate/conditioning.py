"""Matrices whose inverse or determinant a formula takes: data at which they are well conditioned.

inv(X)          a real X has singular values within a factor of 4 of each other
logdet(X)       and a positive determinant
inv(X.T @ X)    X is drawn until X.T @ X is so conditioned; sizes at which it is always singular are not taken
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.algebra.terms import matrix_of, walk
from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError

Data = dict[str, np.ndarray[Any, Any]]
DRAWS = 12
GOOD, HOPELESS = 50.0, 1e7
"""Condition numbers. Kernels promise digits up to 1e6 (ACCURACY); from 1e7 on half of them are gone, and a singular
matrix has no inverse, so special points are judged up to there; determinants everywhere, singular matrices too."""
REGULAR = frozenset(("inv", "logdet", "logabsdet", "det"))
"""Functions without a value at singular matrices, or whose closed gradient has none there."""


def is_judged(program: Program, label: str, data: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether a special point says something of kernels: no inverse is taken of a matrix that is nearly singular.

    Nor a determinant of one that is itself computed from numbers far apart: rounding its elements is all that is left.
    """
    from symgrad.validate.evaluate import evaluate_program

    if not functions_of_matrices(program):
        return True
    if condition(program, data, parameters, REGULAR - {"det"}) >= HOPELESS:
        return False
    if label.startswith("large") and condition(program, data, parameters, frozenset(("det",)), True) >= HOPELESS:
        return False
    if label != "singular":
        return True
    values = evaluate_program(program, data, parameters)
    return all(bool(np.all(np.isfinite(values[s.name]))) for s in program.outputs)


def functions_of_matrices(program: Program) -> list[tuple[str, str]]:
    """(function, tensor) of every function of a matrix in the program."""
    terms = (t for s in program.statements for t in walk(s.body) if t.op == "mat")
    return list(dict.fromkeys(matrix_of(t) for t in terms))


def needs_regular(program: Program) -> bool:
    """Whether some matrix must not be singular."""
    return any(f in REGULAR for f, _ in functions_of_matrices(program))


def tamed(program: Program, draw: Callable[[], Data], parameters: Mapping[str, Any], draws: int = DRAWS) -> Data:
    """The best conditioned of several draws."""
    best, least = _spread(program, draw()), float("inf")
    data = best
    for k in range(draws if needs_regular(program) else 0):
        found = condition(program, data, parameters)
        if found < least or not k:
            best, least = data, found
        if least <= GOOD:
            break
        data = _spread(program, draw())
    return best


def condition(
    program: Program,
    data: Mapping[str, Any],
    parameters: Mapping[str, Any],
    functions: frozenset[str] = REGULAR,
    is_made: bool = False,
) -> float:
    """The worst condition number among the matrices of the functions; infinite for a logdet without a value.

    `is_made`: only among those that are no inputs.
    """
    from symgrad.validate.evaluate import evaluate_program

    try:
        values = {**data, **evaluate_program(program, data, parameters)}
    except EvaluationError:
        return float("inf")
    worst = 1.0
    for function, name in functions_of_matrices(program):
        a = np.asarray(values[name], dtype=float)
        if function not in functions or (is_made and name in data):
            continue
        if not np.all(np.isfinite(a)) or (function == "logdet" and np.any(np.linalg.slogdet(a)[0] <= 0)):
            return float("inf")
        worst = max(worst, float(np.max(np.linalg.cond(a), initial=1.0)))
    return worst


def is_regular(program: Program, data: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether no matrix is nearly singular: a Hessian through an adjugate has a value at regular matrices only."""
    return not functions_of_matrices(program) or condition(program, data, parameters) < HOPELESS


def _spread(program: Program, data: Data) -> Data:
    """The data with real inputs that are inverted themselves brought to like singular values."""
    out = dict(data)
    for function, name in functions_of_matrices(program):
        tensor = next((i for i in program.inputs if i.name == name), None)
        if function not in REGULAR or tensor is None or tensor.dtype != "real" or tensor.domain.kind != "real":
            continue
        u, s, v = np.linalg.svd(out[name])
        top = s[..., :1] * np.ones_like(s)
        a = (u * np.maximum(s, top / 4)[..., None, :]) @ v
        if function == "logdet":
            a[..., 0, :] *= np.where(np.linalg.det(u) * np.linalg.det(v) < 0, -1.0, 1.0)[..., None]
        out[name] = a
    return out
