"""mpmath's answer to the evaluator: NumPy arrays of multiprecision numbers, at a precision of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symgrad.validate.backends import (
    Array,
    EvaluationError,
    Function,
    InNumpyArrays,
    cofactors,
    each_matrix,
    first_extremum,
)

MOST_EXPONENT = 10_000
MOST_BITS = 100_000
MOST_PLAIN = 20
"""Bits of a whole number up to which mpmath's own exponential is fast."""
MOST_REMEMBERED = 20_000
"""Values of one function that are kept."""
ALGEBRAIC = frozenset(("Abs", "sign", "Max", "Min", "Heaviside", "relu", "clip", "log"))
"""Functions that any number may be put in."""


class MpmathBackend(InNumpyArrays):
    """Object arrays of mpmath numbers with `digits` decimal digits; what is not real or has no value is nan."""

    def __init__(self, digits: int = 50, rounds_steps: bool = False) -> None:
        """`rounds_steps`: the values of a recurrence are rounded to float64, as every kernel has to keep them."""
        import mpmath

        self.rounds_steps = rounds_steps

        self.context = mpmath.MPContext()
        self.context.dps = digits
        self.digits = digits
        self.name = f"mpmath {digits} digits"
        self.functions = {name: remembered(f) for name, f in _functions(self.context).items()}

    def working(self) -> AbstractContextManager[Any]:
        """In this block nothing warns."""
        return np.errstate(all="ignore")

    def scalar(self, x: float | str) -> Any:
        """One number."""
        return self.context.mpf(x)

    def is_finite(self, x: Any) -> bool:
        """Whether it is neither infinite nor nan."""
        return bool(self.context.isfinite(x))

    def real(self, data: Array) -> Array:
        """Data as a real array."""
        a = np.asarray(data)
        if a.dtype == object:
            return a
        convert = (
            (lambda x: self.context.mpf(int(x))) if a.dtype.kind in "bui" else (lambda x: self.context.mpf(float(x)))
        )
        return _elementwise(convert)(a)

    def number(self, value: Fraction) -> Array:
        """An exact number, rounded once."""
        mpf = self.context.mpf
        return _boxed(mpf(value.numerator) / mpf(value.denominator))

    def constant(self, name: str) -> Array:
        """pi, E or oo."""
        return _boxed({"pi": +self.context.pi, "E": +self.context.e, "oo": self.context.inf}[name])

    def compare(self, op: str, a: Array, b: Array) -> np.ndarray[Any, Any]:
        """a op b as a NumPy array of booleans."""
        return np.asarray(_elementwise(_COMPARISONS[op])(a, b)).astype(bool)

    def function(self, name: str) -> Function:
        """A scalar function, elementwise."""
        if name not in self.functions:
            raise EvaluationError(f"function {name} is not known to the evaluator")
        return _elementwise(self.functions[name])

    def power(self, base: Array, exponent: Array, exact: Fraction | None) -> Array:
        """base**exponent."""
        if exact is not None and exact.denominator == 1:
            n = int(exact)
            return _elementwise(_guarded(self.context, lambda b: b**n))(base)
        if exact == Fraction(1, 2):
            return _elementwise(_guarded(self.context, self.context.sqrt))(base)
        return _elementwise(_guarded(self.context, partial(power_of, self.context)))(base, exponent)

    def reduce(self, kind: str, a: Array) -> Array:
        """A reduction of the last axis."""
        if kind == "argmax":
            return self.real(first_extremum(kind, a))
        if a.shape[-1] == 0 and kind in ("sum", "prod"):
            return self.expand(self.number(Fraction(kind == "prod")), a.shape[:-1])
        lists = a.reshape(-1, a.shape[-1])
        reduce = _reductions(self.context)[kind]
        out = np.empty(len(lists), dtype=object)
        for k, row in enumerate(lists):
            out[k] = reduce(list(row))
        return out.reshape(a.shape[:-1])

    def matrix(self, function: str, a: Array) -> Array:
        """inv, det, logdet, logabsdet or adj of the matrices in the last two axes; nan where it has no value."""
        return each_matrix(_matrices(self.context)[function], a)


def _matrices(context: Any) -> Mapping[str, Function]:
    def listed(m: np.ndarray[Any, Any]) -> Any:
        return context.matrix(m.tolist())

    def inverse(m: np.ndarray[Any, Any]) -> Array:
        try:
            if not finite(m):
                raise ValueError
            found = context.inverse(listed(m)).tolist()
        except (ZeroDivisionError, ValueError, TypeError):
            found = [[context.nan] * len(m)] * len(m)
        out = np.empty(m.shape, dtype=object)
        out[...] = found
        return out

    def det(m: np.ndarray[Any, Any]) -> Any:
        try:
            return context.det(listed(m)) if finite(m) else context.nan
        except TypeError:  # mpmath finds no pivot in a column of zeros
            return context.mpf(0)

    def finite(m: np.ndarray[Any, Any]) -> bool:
        return all(context.isfinite(x) for x in m.ravel())

    def log(d: Any) -> Any:
        return context.log(d) if d > 0 else -context.inf if d == 0 else context.nan

    return {
        "inv": inverse,
        "det": det,
        "logdet": lambda m: log(det(m)),
        "logabsdet": lambda m: log(abs(det(m))),
        "adj": lambda m: cofactors(det, m, context.mpf(1)),
    }


def remembered(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with the values that it gave before: the same ones come again and again."""
    known: dict[tuple[Any, ...], Any] = {}

    def call(*args: Any) -> Any:
        found = known.get(args)
        if found is None:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            found = known[args] = f(*args)
        return found

    return call


def _boxed(x: Any) -> Array:
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _elementwise(f: Callable[..., Any]) -> Function:
    def apply(*arrays: Array) -> Array:
        out = np.frompyfunc(f, len(arrays), 1)(*arrays)
        return out if isinstance(out, np.ndarray) else _boxed(out)

    return apply


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
}


def power_of(context: Any, b: Any, e: Any) -> Any:
    """b**e; a whole exponent of more digits than a loop over its bits can do goes by the logarithm."""
    if abs(e) < MOST_EXPONENT or not context.isint(e) or not context.isfinite(b) or not b:
        return context.power(b, e)
    exponent = e * context.log(abs(b))
    if _is_beyond(context, exponent):
        return context.nan
    size = context.exp(exponent)
    return -size if b < 0 and context.mag(e) <= context.prec and e % 2 else size


def _within(context: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """f; nan where an argument has an exponent so long that mpmath would fill the memory, or never end."""

    def call(*args: Any) -> Any:
        return context.nan if any(_is_beyond(context, x) for x in args) else f(*args)

    return call


def _is_beyond(context: Any, x: Any) -> bool:
    return bool(context.isfinite(x) and context.mag(x) > MOST_BITS)


def _guarded(context: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """f, with nan where it has no real value."""

    def call(*args: Any) -> Any:
        try:
            got = f(*args)
        except (ValueError, ZeroDivisionError, OverflowError):
            return context.nan
        return got if isinstance(got, context.mpf) else context.nan

    return call


def exponential(context: Any, x: Any) -> Any:
    """exp(x) by its remainder after powers of two: mpmath multiplies e with itself where x is a large whole number."""
    if not context.isfinite(x) or context.mag(x) < MOST_PLAIN:
        return context.exp(x)
    with context.extraprec(int(context.mag(x)) + MOST_PLAIN):
        k = int(context.floor(x / context.ln2))
        y = context.ldexp(context.exp(x - k * context.ln2), k)
    return +y


def _reductions(context: Any) -> Mapping[str, Callable[[list[Any]], Any]]:
    def lse(row: list[Any]) -> Any:
        top = max(row)
        if not context.isfinite(top):
            return top
        if any(_is_beyond(context, x - top) for x in row):
            return context.nan
        # what is below the last bit of the sum, which is 1 at least, is no part of it
        near = (x - top for x in row if not x - top <= -context.prec)
        return top + context.log(context.fsum(exponential(context, x) for x in near))

    return {
        "sum": context.fsum,
        "prod": context.fprod,
        "max": max,
        "min": min,
        "max_first": max,
        "min_first": min,
        "lse": lse,
        "norm": lambda row: context.sqrt(context.fsum(x * x for x in row)),
    }


def _functions(context: Any) -> Mapping[str, Callable[..., Any]]:
    c, one, two = context, context.mpf(1), context.mpf(2)
    exp = partial(exponential, context)
    names = "log sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 erf erfc loggamma digamma"
    table: dict[str, Callable[..., Any]] = {n: getattr(c, n) for n in f"{names} floor expm1 log1p".split()}
    table.update(
        exp=exp,
        Abs=abs,
        sign=lambda x: c.mpf((x > 0) - (x < 0)),
        ceiling=c.ceil,
        polygamma=lambda n, x: c.polygamma(int(n), x),
        Max=lambda a, b: b if b > a else a,
        Min=lambda a, b: b if b < a else a,
        Heaviside=lambda x, h: h if x == 0 else c.mpf(x > 0),
        sigmoid=lambda x: one / (one + exp(-x)),
        logit=lambda x: c.log(x / (one - x)),
        softplus=lambda x: c.log1p(exp(x)) if x < 0 else x + c.log1p(exp(-x)),
        relu=lambda x: x if x > 0 else c.mpf(0),
        clip=lambda x, a, b: a if x < a else b if x > b else x,
        silu=lambda x: x / (one + exp(-x)),
        gelu=lambda x: x * c.erfc(-x / c.sqrt(two)) / two,
        normal_cdf=lambda x: c.erfc(-x / c.sqrt(two)) / two,
        floordiv=lambda a, b: c.floor(a / b),
        mod=lambda a, b: a - b * c.floor(a / b),
        log_sigmoid=lambda x: -c.log1p(exp(-x)),
        logcosh=lambda x: c.log(c.cosh(x)),
        sech2=lambda x: one / c.cosh(x) ** 2,
        normal_pdf=lambda x: exp(-x * x / two) / c.sqrt(two * c.pi),
        complement=lambda x: one - x,
        ratio=lambda x, y: x / y,
        hypot=lambda x, y: c.sqrt(x * x + y * y),
        exp_rest=lambda x: c.expm1(x) - x,
        log1psq=lambda x: c.log1p(x * x),
        log1mexp=lambda x: c.log(-c.expm1(x)),
        series=lambda u, r, s, n, *rest: sum(rest[int(n) :]),
        logmeanexp=lambda x: c.log((one + exp(x)) / two),
    )
    return {name: _guarded(c, f if name in ALGEBRAIC else _within(c, f)) for name, f in table.items()}
