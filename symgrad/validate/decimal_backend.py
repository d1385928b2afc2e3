"""Multiprecision for the evaluator: NumPy arrays of decimal numbers, at a precision of their own.

Arithmetic, roots and exponentials are those of Python's decimal module (libmpdec, some ten times faster than numbers
written in Python), the other functions mpmath's. Both share nothing with NumPy's and torch's floating point. Where an
exponent leaves the range of decimal numbers (exp(1e19)), that is an error, and mpmath's numbers are taken (`in_range`).
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

import numpy as np

from symgrad.validate.backends import (
    COMPARISONS,
    Array,
    EvaluationError,
    Function,
    InNumpyArrays,
    each_matrix,
    first_extremum,
)
from symgrad.validate.decimal_matrices import function_of_matrix
from symgrad.validate.mpmath_backend import MpmathBackend, power_of, remembered

NAN, INFINITY, ZERO, ONE, TWO = (Decimal(x) for x in ("nan", "inf", "0", "1", "2"))
Result = TypeVar("Result")
CANCELS = Decimal("0.05")
"""Below it 1 - exp(-2*x) loses more than a digit."""
MOST_TENS = 5000
"""Powers of ten up to which whole numbers are faster than mpmath's."""
GUARD = 5
"""Digits more that mpmath is asked for."""


class DecimalBackend(InNumpyArrays):
    """Object arrays of Decimal with `digits` digits; what is not real or has no value is nan."""

    def __init__(self, digits: int = 50, rounds_steps: bool = False) -> None:
        """`rounds_steps`: the values of a recurrence are rounded to float64, as every kernel has to keep them."""
        self.rounds_steps = rounds_steps
        self.digits = digits
        self.name = f"decimal {digits} digits"
        self.context = decimal.Context(
            prec=digits,
            Emax=decimal.MAX_EMAX,
            Emin=decimal.MIN_EMIN,
            rounding=decimal.ROUND_HALF_EVEN,
            traps=[decimal.Overflow, decimal.Underflow],
        )
        self.exchange = Exchange(digits + GUARD)
        self.functions = _own_functions(self.exchange)
        self.numbers: dict[Fraction, Array] = {}

    @contextmanager
    def working(self) -> Iterator[None]:
        """In this block arithmetic has the precision of the backend."""
        with decimal.localcontext(self.context), np.errstate(all="ignore"):
            yield

    def scalar(self, x: float | str) -> Decimal:
        """One number."""
        return Decimal(x)

    def is_finite(self, x: Decimal) -> bool:
        """Whether it is neither infinite nor nan."""
        return x.is_finite()

    def real(self, data: Array) -> Array:
        """Data as a real array; float64 without any rounding."""
        a = np.asarray(data)
        return a if a.dtype == object else _elementwise(_exactly)(a.astype(object))

    def number(self, value: Fraction) -> Array:
        """An exact number, rounded once."""
        if value not in self.numbers:
            exact = self.context.divide(Decimal(value.numerator), Decimal(value.denominator))
            self.numbers[value] = _boxed(exact)
            self.numbers[value].flags.writeable = False
        return self.numbers[value]

    def constant(self, name: str) -> Array:
        """pi, E or oo."""
        if name == "oo":
            return _boxed(INFINITY)
        return _boxed(self.exchange.constant(name))

    def compare(self, op: str, a: Array, b: Array) -> np.ndarray[Any, Any]:
        """a op b as a NumPy array of booleans."""
        return np.asarray(COMPARISONS[op](a, b)).astype(bool)

    def function(self, name: str) -> Function:
        """A scalar function, elementwise."""
        if name not in self.functions:
            self.functions[name] = self.exchange.function(name)
        return _elementwise(self.functions[name])

    def power(self, base: Array, exponent: Array, exact: Fraction | None) -> Array:
        """base**exponent."""
        if exact == Fraction(1, 2):
            return _elementwise(_root)(base)
        if exact is not None and exact.denominator == 1:
            return _integer_power(base, int(exact))
        return _elementwise(self.exchange.power)(base, exponent)

    def reduce(self, kind: str, a: Array) -> Array:
        """A reduction of the last axis; like every operation it is asked for while `working`."""
        if kind == "argmax":
            return self.real(first_extremum(kind, a))
        if a.shape[-1] == 0 and kind in ("sum", "prod"):
            return self.expand(_boxed(ONE if kind == "prod" else ZERO), a.shape[:-1])
        got = self._logsumexp(a) if kind == "lse" else _REDUCTIONS[kind](a)
        return got if isinstance(got, np.ndarray) else _boxed(got)

    def _logsumexp(self, a: Array) -> Array:
        top = np.asarray(a.max(axis=-1))
        finite = _elementwise(Decimal.is_finite)(top).astype(bool)
        safe = _chosen(finite, top, ZERO)
        # what is below the last digit of the sum, which is 1 at least, is no part of it
        far = Decimal(-3 * (self.digits + GUARD))
        apart = a - safe[..., None]
        apart = _chosen((apart <= far).astype(bool), -INFINITY, apart)
        total = self.function("exp")(apart).sum(axis=-1)
        return np.where(finite, np.asarray(self.function("log")(np.asarray(total)) + safe), top)

    def matrix(self, function: str, a: Array) -> Array:
        """inv, det, logdet, logabsdet or adj of the matrices in the last two axes; nan where it has no value."""
        return each_matrix(function_of_matrix(function, self.functions["log"]), a)


def _chosen(condition: Array, a: Any, b: Any) -> Array:
    """numpy.where of decimal numbers."""
    return np.where(condition, a, b)


def _boxed(x: Any) -> Array:
    box = np.empty((), dtype=object)
    box[()] = x
    return box


@cache
def _elementwise(f: Callable[..., Any]) -> Function:
    ufuncs = {}

    def apply(*arrays: Array) -> Array:
        n = len(arrays)
        if n not in ufuncs:
            ufuncs[n] = np.frompyfunc(f, n, 1)
        out = ufuncs[n](*arrays)
        return out if isinstance(out, np.ndarray) else _boxed(out)

    return apply


def _exactly(x: Any) -> Decimal:
    return Decimal(int(x)) if isinstance(x, (bool, np.bool_, np.integer)) else Decimal(x)


def _root(x: Decimal) -> Decimal:
    return x.sqrt() if x >= 0 else NAN


def _integer_power(base: Array, n: int) -> Array:
    if n < 0:
        # 1/0 has no value
        base = _chosen(_elementwise(Decimal.is_zero)(base).astype(bool), NAN, base)
    if n == -1:
        return np.asarray(ONE / base, dtype=object)
    if n == 2:
        return np.asarray(base * base, dtype=object)
    return np.ones_like(base) * ONE if n == 0 else np.asarray(base**n, dtype=object)


_REDUCTIONS: Mapping[str, Function] = {
    "sum": lambda a: a.sum(axis=-1),
    "prod": lambda a: a.prod(axis=-1),
    "max": lambda a: a.max(axis=-1),
    "min": lambda a: a.min(axis=-1),
    "max_first": lambda a: a.max(axis=-1),
    "min_first": lambda a: a.min(axis=-1),
    "norm": lambda a: _elementwise(_root)(np.asarray((a * a).sum(axis=-1))),
}


# ---- functions ------------------------------------------------------------------------------------------------------


class Exchange:
    """Functions of mpmath for decimal numbers, with the values that they gave before."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.mpmath = MpmathBackend(digits)
        self.context = self.mpmath.context
        self.wide = decimal.Context(prec=digits + GUARD, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
        self.tens: dict[int, Any] = {}
        self.twos: dict[int, Decimal] = {}

    def given(self, x: Decimal) -> Any:
        """As mpmath's number; an integer stays one, as orders must."""
        c = self.context
        if not x.is_finite():
            return c.nan if x.is_nan() else c.inf if x > 0 else -c.inf
        if not x:
            return c.mpf(0)
        k = x.adjusted() - self.digits
        if k not in self.tens:
            self.tens[k] = c.mpf(10) ** abs(k)
        man = c.mpf(int(x.scaleb(-k, self.wide)))
        return man / self.tens[k] if k < 0 else man * self.tens[k]

    def taken(self, x: Any) -> Decimal:
        """A number of mpmath's as a decimal one."""
        c = self.context
        if not c.isfinite(x):
            return NAN if c.isnan(x) else INFINITY if x > 0 else -INFINITY
        sign, man, exponent, _ = x._mpf_
        if exponent not in self.twos:
            self.twos[exponent] = self.wide.power(TWO, Decimal(exponent))
        got = self.wide.multiply(Decimal(int(man)), self.twos[exponent])
        return -got if sign else got

    def constant(self, name: str) -> Decimal:
        """pi or E."""
        return self.taken({"pi": +self.context.pi, "E": +self.context.e}[name])

    def power(self, base: Decimal, exponent: Decimal) -> Decimal:
        """base**exponent."""
        c = self.context
        try:
            got = power_of(c, self.given(base), self.given(exponent))
        except (ValueError, ZeroDivisionError, OverflowError):
            return NAN
        return self.taken(got) if isinstance(got, c.mpf) else NAN

    def function(self, name: str) -> Callable[..., Decimal]:
        """A function of mpmath's."""
        if name not in self.mpmath.functions:
            raise EvaluationError(f"function {name} is not known to the evaluator")
        inner = self.mpmath.functions[name]
        return remembered(lambda *args: self.taken(inner(*map(self.given, args))))


def _own_functions(exchange: Exchange) -> dict[str, Callable[..., Decimal]]:
    """What decimal numbers have themselves."""

    log_: Callable[[Decimal], Decimal] = exchange.function("log")

    ten = log_(Decimal(10))

    def log(x: Decimal) -> Decimal:
        if not x > 0 or x.is_infinite():
            return INFINITY if x > 0 else -INFINITY if x == 0 else NAN
        k = x.adjusted()
        # far from 1 the power of ten apart: nothing cancels there, and mpmath need not raise 10 to it
        return log_(x) if -1 <= k <= 0 else log_(x.scaleb(-k)) + k * ten

    exp_ = remembered(Decimal.exp)
    tanh_ = exchange.function("tanh")

    def tanh(x: Decimal) -> Decimal:
        if x.is_nan() or abs(x) < CANCELS:
            return tanh_(x)
        e: Decimal = exp_(-2 * abs(x))
        return ((ONE - e) / (ONE + e)).copy_sign(x)

    return {
        "exp": exp_,
        "log": log,
        "sigmoid": lambda x: ONE / (ONE + exp_(-x)) if not x.is_nan() else NAN,
        "silu": lambda x: x / (ONE + exp_(-x)),
        "tanh": tanh,
        "Abs": abs,
        "sign": lambda x: NAN if x.is_nan() else Decimal((x > 0) - (x < 0)),
        "floor": lambda x: x.to_integral_value(decimal.ROUND_FLOOR),
        "ceiling": lambda x: x.to_integral_value(decimal.ROUND_CEILING),
        "Max": lambda a, b: b if b > a else a,
        "Min": lambda a, b: b if b < a else a,
        "Heaviside": lambda x, h: h if x == 0 else Decimal(int(x > 0)),
        "relu": lambda x: x if x > 0 else ZERO,
        "clip": lambda x, a, b: a if x < a else b if x > b else x,
        "floordiv": lambda a, b: (a / b).to_integral_value(decimal.ROUND_FLOOR),
        "mod": lambda a, b: a - b * (a / b).to_integral_value(decimal.ROUND_FLOOR),
    }


def backend_of(digits: int, rounds_steps: bool = False, wide: bool = False) -> DecimalBackend | MpmathBackend:
    """The one backend of a precision: of decimal numbers, or where `wide` or within `in_range` of mpmath's."""
    return _backend_of(digits, rounds_steps, wide or _wide.get())


@cache
def _backend_of(digits: int, rounds_steps: bool, wide: bool) -> DecimalBackend | MpmathBackend:
    return MpmathBackend(digits, rounds_steps) if wide else DecimalBackend(digits, rounds_steps)


BEYOND = (decimal.Overflow, decimal.Underflow)
"""What is raised where a number leaves the range of decimal numbers."""
_wide: ContextVar[bool] = ContextVar("wide", default=False)


def in_range(run: Callable[[], Result]) -> Result:
    """Run with decimal numbers, and where these leave their range again with mpmath's, ten times slower."""
    try:
        return run()
    except BEYOND:
        token = _wide.set(True)
        try:
            return run()
        finally:
            _wide.reset(token)
