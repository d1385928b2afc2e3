"""Functions of matrices of decimal numbers, by elimination with pivots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from symgrad.validate.backends import Function, cofactors

NAN, ZERO, ONE = (Decimal(x) for x in ("nan", "0", "1"))


def _eliminated(m: np.ndarray[Any, Any], beside: np.ndarray[Any, Any]) -> Decimal:
    """Gauss and Jordan with pivots, both arrays in place; the determinant, 0 where a pivot is 0."""
    det, n = ONE, len(m)
    for k in range(n):
        p = k + int(np.argmax(np.abs(m[k:, k])))
        if m[p, k] == 0 or not m[p, k].is_finite():
            return ZERO if m[p, k] == 0 else NAN
        if p != k:
            m[[k, p]], beside[[k, p]], det = m[[p, k]], beside[[p, k]], -det
        det *= m[k, k]
        for i in range(n):
            if i != k and m[i, k] != 0:
                times = m[i, k] / m[k, k]
                beside[i], m[i] = beside[i] - beside[k] * times, m[i] - m[k] * times
    beside /= np.diagonal(m)[:, None]
    return det


def _inverse(m: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    beside: Any = np.full(m.shape, ZERO, dtype=object)
    np.fill_diagonal(beside, ONE)
    # rounded first: equal rows leave exact zeros
    det = _eliminated(m * ONE, beside)
    return np.full(m.shape, NAN, dtype=object) if det == 0 or det.is_nan() else beside


def _determinant(m: np.ndarray[Any, Any]) -> Decimal:
    return _eliminated(m * ONE, np.empty((len(m), 0), dtype=object))


def function_of_matrix(name: str, log: Callable[[Decimal], Decimal]) -> Function:
    """inv, det, logdet, logabsdet or adj of one matrix; nan where it has no value."""

    def log_of(d: Decimal) -> Decimal:
        return NAN if d.is_nan() else log(d)

    functions: Mapping[str, Function] = {
        "inv": _inverse,
        "det": _determinant,
        "logdet": lambda m: log_of(_determinant(m)),
        "logabsdet": lambda m: log_of(abs(_determinant(m))),
        "adj": lambda m: cofactors(_determinant, m, ONE),
    }
    return functions[name]
