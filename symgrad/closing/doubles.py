"""Terms as kernels compute them, in doubles and in float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from symgrad.algebra.terms import Term, coefficient
from symgrad.closing.arithmetic import Arithmetic, Here, single
from symgrad.closing.exactly import Exactly
from symgrad.rules.series import by_series


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x > 0 else e / (1 + e)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _exp(x: float) -> float:
    return math.exp(x) if x < 710 else math.inf


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _power(x: float, e: float) -> float:
    try:
        return math.pow(x, e)
    except OverflowError:
        return math.inf


def _ratio(x: float, y: float) -> float:
    if y != 0:
        return x / y
    return math.copysign(math.inf, x) * math.copysign(1.0, y) if x else math.nan


def _exp_rest(x: float) -> float:
    if abs(x) >= 1:
        return (math.expm1(x) if x < 710 else math.inf) - x
    return math.fsum(x**k / math.factorial(k) for k in range(18, 1, -1))


DOUBLES: dict[str, Callable[..., float]] = {
    n: getattr(math, n) for n in "sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf erfc".split()
} | {
    "log": _log,
    "sqrt": math.sqrt,
    "exp": _exp,
    "expm1": lambda x: math.expm1(x) if x < 710 else math.inf,
    "log1p": lambda x: math.log1p(x) if x > -1 else _log(1 + x),
    "Abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "relu": lambda x: max(x, 0.0),
    "Max": max,
    "Min": min,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log_sigmoid": lambda x: -_softplus(-x),
    "logcosh": lambda x: abs(x) + math.log1p(math.expm1(-2 * abs(x)) / 2),
    "sech2": lambda x: 4 * math.exp(-2 * abs(x)) / (1 + math.exp(-2 * abs(x))) ** 2,
    "normal_cdf": lambda x: 0.5 * math.erfc(-x * math.sqrt(0.5)),
    "normal_pdf": lambda x: math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi),
    "ratio": _ratio,
    "pow": _power,
    "hypot": math.hypot,
    "exp_rest": _exp_rest,
    "log1psq": lambda x: math.log1p(x * x) if abs(x) < 1 else 2 * math.log(abs(x)) + math.log1p(1 / x / x),
    "log1mexp": lambda x: math.log(-math.expm1(x)) if x > -0.7 else math.log1p(-math.exp(x)),
    "logmeanexp": lambda x: max(x, 0.0) + math.log1p(math.expm1(-abs(x)) / 2),
}


class Doubles(Arithmetic):
    """As a kernel computes: in doubles."""

    functions = DOUBLES
    constants: Mapping[str, Any] = {"pi": math.pi, "E": math.e, "oo": math.inf}

    def number(self, x: Any) -> float:
        """As a double."""
        return float(x)

    def power(self, x: float, n: int) -> float:
        """x**n, infinite where that overflows."""
        try:
            return x**n
        except OverflowError:
            return math.inf if x > 0 or n % 2 == 0 else -math.inf

    def quotient(self, x: float, y: float) -> float:
        """x/y, as IEEE has it."""
        return _ratio(x, y)

    def _add(self, t: Term, here: Here) -> Any:
        """Kernels take a logsumexp from what it is of before anything else is added."""
        if any(self._is_logsumexp(coefficient(a)[1]) for a in t.args):
            parts = [self.value(a, here) for a in t.args]
            return math.fsum(parts) if all(map(math.isfinite, parts)) else sum(parts)
        return super()._add(t, here)

    def _is_logsumexp(self, t: Term) -> bool:
        if t.op == "get" and (s := self.definitions.get(str(t.data))) is not None:
            return self._is_logsumexp(s.body)
        return t.op == "red" and t.data == "lse"

    def _fn(self, t: Term, here: Here) -> Any:
        if t.data == "complement":  # kernels add up the other weights
            return float(Exactly(self.definitions, self.leaves).value(t, here))
        return self.value(by_series(t), here) if t.data == "series" else super()._fn(t, here)


class Singles(Doubles):
    """As a kernel computes in float32: each result is rounded to it."""

    def rounded(self, x: float) -> float:
        """In float32."""
        return single(x)
