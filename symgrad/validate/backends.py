"""What the independent evaluator asks of an array library, and NumPy's answer.

A backend has real arrays of one working precision. Conditions and integers are NumPy arrays in every backend, so
gathers and branches are the same code everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

Array = Any
Function = Callable[..., Array]


class EvaluationError(Exception):
    """The evaluator met a term, an access or an array that it has no meaning for."""


class Backend(Protocol):
    """Real arrays of one working precision."""

    name: str

    def working(self) -> AbstractContextManager[Any]:
        """In this block arithmetic is that of the backend, and nothing warns."""

    def real(self, data: Array) -> Array:
        """Data as a real array."""

    def number(self, value: Fraction) -> Array:
        """An exact number, rounded once."""

    def constant(self, name: str) -> Array:
        """pi, E or oo."""

    def plain(self, a: Array) -> np.ndarray[Any, Any]:
        """The values as a NumPy array; float64 where the backend has machine numbers."""

    def permute(self, a: Array, order: tuple[int, ...]) -> Array:
        """Axes in another order."""

    def expand(self, a: Array, shape: tuple[int, ...]) -> Array:
        """Broadcast to a shape."""

    def where(self, c: np.ndarray[Any, Any], a: Array, b: Array) -> Array:
        """a where c holds, else b."""

    def compare(self, op: str, a: Array, b: Array) -> np.ndarray[Any, Any]:
        """a op b as a NumPy array of booleans."""

    def function(self, name: str) -> Function:
        """A scalar function, elementwise."""

    def power(self, base: Array, exponent: Array, exact: Fraction | None) -> Array:
        """base**exponent; `exact` is the exponent where it is a number of the term."""

    def reduce(self, kind: str, a: Array) -> Array:
        """A reduction of the last axis."""

    def matrix(self, function: str, a: Array) -> Array:
        """inv, det, logdet, logabsdet or adj of the matrices in the last two axes; nan where it has no value."""


def each_matrix(f: Function, a: np.ndarray[Any, Any]) -> Array:
    """f of every matrix in the last two axes; what f gives is a matrix or a number of the dtype of a."""
    lead = a.shape[:-2]
    found = [np.asarray(f(m), dtype=a.dtype) for m in a.reshape(-1, *a.shape[-2:])]
    return np.stack(found).reshape((*lead, *found[0].shape))


def cofactors(det: Function, m: np.ndarray[Any, Any], one: Any) -> np.ndarray[Any, Any]:
    """The adjugate by its definition: adj[j, i] is the signed determinant without row i and column j."""
    n = len(m)
    out = np.empty((n, n), m.dtype)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(m, i, axis=0), j, axis=1)
            out[j, i] = (-1) ** (i + j) * (det(minor) if n > 1 else one)
    return out


def first_extremum(kind: str, a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Position of the first maximum (kind max_first, argmax) or minimum (min_first) along the last axis."""
    found = np.argmin(a, axis=-1) if kind.startswith("min") else np.argmax(a, axis=-1)
    return np.asarray(found)


class InNumpyArrays:
    """What backends whose numbers stand in NumPy arrays, of whatever dtype, have in common."""

    def plain(self, a: Array) -> np.ndarray[Any, Any]:
        """The values as a NumPy array."""
        return np.asarray(a)

    def permute(self, a: Array, order: tuple[int, ...]) -> Array:
        """Axes in another order."""
        return np.transpose(a, order)

    def expand(self, a: Array, shape: tuple[int, ...]) -> Array:
        """Broadcast to a shape."""
        return np.broadcast_to(a, shape)

    def where(self, c: np.ndarray[Any, Any], a: Array, b: Array) -> Array:
        """a where c holds, else b."""
        return np.where(c, a, b)


class NumpyBackend(InNumpyArrays):
    """NumPy arrays of one floating dtype."""

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.name = f"numpy {self.dtype}"

    def working(self) -> AbstractContextManager[Any]:
        """In this block nothing warns."""
        return np.errstate(all="ignore")

    def real(self, data: Array) -> Array:
        """Data as a real array."""
        return np.asarray(data, dtype=self.dtype)

    def number(self, value: Fraction) -> Array:
        """An exact number, rounded once."""
        return self.real(_as_float(value))

    def constant(self, name: str) -> Array:
        """pi, E or oo."""
        return self.real({"pi": np.pi, "E": np.e, "oo": np.inf}[name])

    def compare(self, op: str, a: Array, b: Array) -> np.ndarray[Any, Any]:
        """a op b as a NumPy array of booleans."""
        return np.asarray(COMPARISONS[op](a, b))

    def function(self, name: str) -> Function:
        """A scalar function, elementwise."""
        table = _numpy_functions()
        if name not in table:
            raise EvaluationError(f"function {name} is not known to the evaluator")
        return table[name]

    def power(self, base: Array, exponent: Array, exact: Fraction | None) -> Array:
        """base**exponent."""
        if exact == Fraction(1, 2):
            return np.sqrt(base)
        return np.power(base, exponent)

    def reduce(self, kind: str, a: Array) -> Array:
        """A reduction of the last axis."""
        if kind in ("max_first", "min_first"):
            at = first_extremum(kind, a)
            return np.take_along_axis(a, at[..., None], axis=-1)[..., 0]
        if kind == "argmax":
            return first_extremum(kind, a).astype(self.dtype)
        return _NUMPY_REDUCTIONS[kind](a)

    def matrix(self, function: str, a: Array) -> Array:
        """inv, det, logdet, logabsdet or adj of the matrices in the last two axes; nan where it has no value."""
        return each_matrix(_NUMPY_MATRICES[function], a)


COMPARISONS: Mapping[str, Function] = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal}


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _logsumexp(a: Array) -> Array:
    top = a.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    return np.log(np.exp(a - top).sum(axis=-1)) + top[..., 0]


def _norm(a: Array) -> Array:
    top = np.abs(a).max(axis=-1, keepdims=True)
    safe = np.where((top > 0) & np.isfinite(top), top, np.ones_like(top))
    return safe[..., 0] * np.sqrt(((a / safe) ** 2).sum(axis=-1))


_NUMPY_REDUCTIONS: Mapping[str, Function] = {
    "sum": lambda a: a.sum(axis=-1),
    "prod": lambda a: a.prod(axis=-1),
    "max": lambda a: a.max(axis=-1),
    "min": lambda a: a.min(axis=-1),
    "lse": _logsumexp,
    "norm": _norm,
}


def _inverse(m: np.ndarray[Any, Any]) -> Array:
    try:
        return np.linalg.inv(m)
    except np.linalg.LinAlgError:
        return np.full_like(m, np.nan)


def _logdet(m: np.ndarray[Any, Any]) -> Array:
    sign, value = np.linalg.slogdet(m)
    return value if sign >= 0 else np.nan


_NUMPY_MATRICES: Mapping[str, Function] = {
    "inv": _inverse,
    "det": np.linalg.det,
    "logdet": _logdet,
    "logabsdet": lambda m: np.linalg.slogdet(m)[1],
    "adj": lambda m: cofactors(np.linalg.det, m, 1.0),
}

_table: dict[str, Function] = {}


def _numpy_functions() -> Mapping[str, Function]:
    if not _table:
        _table.update(_plain_functions())
        _table.update(_special_functions())
    return _table


def _plain_functions() -> dict[str, Function]:
    names = "exp log sign sin cos tan sinh cosh tanh floor expm1 log1p"
    table: dict[str, Function] = {n: getattr(np, n) for n in names.split()}
    arcs = "sin cos tan sinh cosh tanh"
    table.update({"a" + n: getattr(np, "arc" + n) for n in arcs.split()})
    table.update(
        Abs=np.abs,
        ceiling=np.ceil,
        atan2=np.arctan2,
        Max=np.maximum,
        Min=np.minimum,
        Heaviside=np.heaviside,
        relu=lambda x: np.where(x > 0, x, np.zeros_like(x)),
        clip=lambda x, a, b: np.where(x < a, a, np.where(x > b, b, x)),
        softplus=lambda x: np.logaddexp(x, np.zeros_like(x)),
        logit=lambda x: np.log(x / (1 - x)),
        floordiv=np.floor_divide,
        mod=np.mod,
        log_sigmoid=lambda x: -np.logaddexp(-x, np.zeros_like(x)),
        logcosh=lambda x: np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(x.dtype.type(2)),
        sech2=lambda x: 4 * np.exp(-2 * np.abs(x)) / (1 + np.exp(-2 * np.abs(x))) ** 2,
        normal_pdf=lambda x: np.exp(-x * x / 2) / np.sqrt(2 * x.dtype.type(np.pi)),
        complement=lambda x: 1 - x,
        ratio=np.divide,
        hypot=np.hypot,
        exp_rest=lambda x: np.expm1(x) - x,
        log1psq=lambda x: 2 * np.log(np.hypot(x, x.dtype.type(1))),
        log1mexp=lambda x: np.log(-np.expm1(x)),
        series=lambda u, r, s, n, *rest: sum(rest[int(n) :]),
        logmeanexp=lambda x: np.logaddexp(x, np.zeros_like(x)) - np.log(x.dtype.type(2)),
    )
    return table


def _special_functions() -> dict[str, Function]:
    from scipy import special

    return {
        "erf": special.erf,
        "erfc": special.erfc,
        "loggamma": special.gammaln,
        "digamma": special.digamma,
        "polygamma": lambda n, x: special.polygamma(np.rint(n).astype(int), x).astype(x.dtype),
        "sigmoid": special.expit,
        "normal_cdf": special.ndtr,
        "gelu": lambda x: x * special.ndtr(x),
        "silu": lambda x: x * special.expit(x),
    }
