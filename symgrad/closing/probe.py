"""The numeric probe: how many bits a form of a statement loses, in doubles against multiprecision.

A statement is evaluated at one element, axes of three, names unfolded to inputs. Points are drawn in two ways: uniform
over bit patterns, and from the working range. Those that choose a form are not those that judge it. Forgiven is what
half an ulp in the inputs would do. Draws follow from the statement alone: the same in every process.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from symgrad.algebra.build import Fresh, open_reduction
from symgrad.algebra.show import INTERNAL
from symgrad.algebra.terms import Term, coefficient, value
from symgrad.formula.program import Program, Statement

EXTENT = 3
POINTS = 12
DIGITS, MORE_DIGITS = 60, 240
"""The truth is believed where both agree."""
BITS = 53
MOST_TERMS = 240
"""Terms above which a statement is not measured."""
MOST_INPUTS = 12
"""Elements of inputs above which a statement is not measured."""
ULP = 2.0 ** (1 - BITS)
NO_VALUE = (ArithmeticError, ValueError, TypeError)
"""What multiprecision raises where a formula has no real value: a division by 0, a complex number that is compared."""
Numbers = dict[tuple[str, tuple[int, ...]], float]


class UnmeasuredError(Exception):
    """The statement holds something that the probe does not evaluate, or has no value at a point."""


@dataclass(frozen=True)
class Loss:
    """Bits lost: at worst and on average, over the points where the truth is finite and normal."""

    worst: float
    mean: float
    points: int

    def __str__(self) -> str:
        return f"{self.worst:.0f} bits lost at worst, {self.mean:.1f} on average"


@dataclass(frozen=True)
class Probe:
    """Evaluates terms of a program; `definitions`: what names stand for."""

    program: Program
    definitions: Mapping[str, Statement]

    def losses(self, forms: Sequence[Term], s: Statement, draw: int) -> list[Loss] | None:
        """What each form loses at the points of a draw; None where that cannot be measured."""
        if sum(f.size for f in forms) > MOST_TERMS:
            return None
        lost: list[list[float]] = [[] for _ in forms]
        for k in range(POINTS):
            rng = random.Random(f"{s.name} {draw} {k} {s.body.digest.hex()}")
            leaves = Leaves(self.program, rng, k % 2 == 0)
            try:
                self._at(forms, s, leaves, lost)
            except UnmeasuredError:
                return None
            except NO_VALUE:
                continue
        if not lost[0]:
            return None
        return [Loss(max(x), sum(x) / len(x), len(x)) for x in lost]

    def _at(self, forms: Sequence[Term], s: Statement, leaves: Leaves, lost: list[list[float]]) -> None:
        here = dict.fromkeys(s.indices, 0)
        exact, again = Exactly(self, leaves), Exactly(self, leaves, digits=MORE_DIGITS)
        true = again.value(s.body, here)
        if not _is_normal(true) or abs(exact.value(s.body, here) - true) > ULP / 1024 * abs(true):
            return
        slack: Any = None
        for form, found in zip(forms, lost, strict=True):
            try:
                got = Doubles(self, leaves).value(form, here)
                error = abs(again.context.mpf(got) - true) if math.isfinite(got) and got != 0 else None
            except NO_VALUE:
                error = None
            unit = abs(true) * ULP
            if error is not None and error > unit:
                slack = self._forgiven(s, leaves, here, true) if slack is None else slack
                unit += slack
            found.append(float(BITS) if error is None else min(float(BITS), math.log2(max(1.0, float(error / unit)))))

    def _forgiven(self, s: Statement, leaves: Leaves, here: dict[Term, int], center: Any) -> Any:
        """The sum over inputs of |x df/dx|, times an ulp; `center`: the value itself."""
        total: Any = 0
        for key in list(leaves.numbers):
            moved = Exactly(self, leaves, key, MORE_DIGITS)
            total += abs(moved.value(s.body, here) - center) / moved.step
        return total * ULP


class Leaves:
    """The value of each element of each input, drawn when it is first read."""

    def __init__(self, program: Program, rng: random.Random, by_bits: bool) -> None:
        self.inputs = {i.name: i for i in program.inputs}
        self.parameters = {p.name: float(p.value) for p in program.parameters}
        self.rng, self.by_bits = rng, by_bits
        self.scale = rng.choice((0.01, 1.0, 6.0, 40.0))
        self.numbers: Numbers = {}

    def read(self, name: str, at: tuple[int, ...]) -> float:
        """An element of an input or cotangent."""
        if (name, at) not in self.numbers:
            if len(self.numbers) == MOST_INPUTS:
                raise UnmeasuredError
            self.numbers[name, at] = self._draw(name)
        return self.numbers[name, at]

    def _draw(self, name: str) -> float:
        i = self.inputs.get(name)
        kind = i.domain.kind if i is not None else "real"
        if i is not None and i.dtype != "real":
            raise UnmeasuredError
        if kind in ("unit_interval", "simplex", "one_hot", "boolean"):
            small = math.ldexp(self.rng.random(), -self.rng.randint(0, 40))
            return self.rng.choice((0.0, 1.0, small, 1 - small))
        if kind not in ("real", "positive", "nonnegative"):
            raise UnmeasuredError
        x = self.rng.gauss(0, self.scale)
        if self.by_bits:
            reach = self.rng.choice((6, 60, 600))
            x = self.rng.choice((-1, 1)) * math.ldexp(self.rng.uniform(1, 2), self.rng.randint(-reach, reach))
        return x if kind == "real" else abs(x)


Here = dict[Term, int]


class Arithmetic(ABC):
    """Evaluates a term at one element; `functions` and `number` say in which arithmetic."""

    functions: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]

    def __init__(self, probe: Probe, leaves: Leaves) -> None:
        self.probe, self.leaves = probe, leaves
        self.memo: dict[tuple[Term, tuple[int, ...]], Any] = {}
        self.fresh = Fresh()

    @abstractmethod
    def number(self, x: Any) -> Any:
        """A number of this arithmetic."""

    def element(self, name: str, at: tuple[int, ...]) -> Any:
        """An element of an input."""
        return self.number(self.leaves.read(name, at))

    def value(self, t: Term, here: Here) -> Any:
        """The value of a term where indices have these values."""
        key = (t, tuple(here.get(i, -1) for i in sorted(t.free, key=lambda i: i.digest)))
        if key not in self.memo:
            method = getattr(self, "_" + t.op, None)
            if method is None:
                raise UnmeasuredError
            self.memo[key] = method(t, here)
        return self.memo[key]

    def _num(self, t: Term, here: Here) -> Any:
        v = value(t)
        return self.number(v.numerator) / self.number(v.denominator)

    def _par(self, t: Term, here: Here) -> Any:
        return self.number(self.leaves.parameters[str(t.data)])

    def _dim(self, t: Term, here: Here) -> Any:
        return self.number(EXTENT)

    def _get(self, t: Term, here: Here) -> Any:
        if any(a.op != "idx" for a in t.args):
            raise UnmeasuredError
        s = self.probe.definitions.get(str(t.data))
        at = tuple(here[a] for a in t.args)
        if s is None:
            return self.element(str(t.data), at)
        if s.recurrence is not None:
            raise UnmeasuredError
        return self.value(s.body, dict(zip(s.indices, at, strict=True)))

    def _add(self, t: Term, here: Here) -> Any:
        total = self.value(t.args[0], here)
        for a in t.args[1:]:
            total = total + self.value(a, here)
        return total

    def _mul(self, t: Term, here: Here) -> Any:
        brackets = [a for a in t.args if a.op == "iv"]
        if not all(self.holds(a.args[0], here) for a in brackets):
            return self.number(0)
        total = self.number(1)
        for a in t.args:
            if a.op != "iv":
                total = total * self.value(a, here)
        return total

    def _iv(self, t: Term, here: Here) -> Any:
        return self.number(int(self.holds(t.args[0], here)))

    def _where(self, t: Term, here: Here) -> Any:
        return self.value(t.args[1] if self.holds(t.args[0], here) else t.args[2], here)

    def holds(self, c: Term, here: Here) -> bool:
        """Whether a condition holds."""
        if c.op == "cmp":
            a, b = (self.value(x, here) for x in c.args)
            return bool({"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b}[str(c.data)])
        if c.op == "not":
            return not self.holds(c.args[0], here)
        if c.op in ("and", "or"):
            return (all if c.op == "and" else any)(self.holds(a, here) for a in c.args)
        raise UnmeasuredError

    def _pow(self, t: Term, here: Here) -> Any:
        b, e = self.value(t.args[0], here), t.args[1]
        if e.op != "num":
            raise UnmeasuredError
        v = value(e)
        root = self.functions["sqrt"](b) if v.denominator == 2 else b
        if v.denominator > 2:
            raise UnmeasuredError
        power = self.power(root, abs(v.numerator))
        return power if v > 0 else self.quotient(self.number(1), power)

    def power(self, x: Any, n: int) -> Any:
        """x**n, n > 0."""
        return x**n

    def quotient(self, x: Any, y: Any) -> Any:
        """x/y."""
        return x / y

    def _const(self, t: Term, here: Here) -> Any:
        return self.number(self.constants[str(t.data)])

    def _fn(self, t: Term, here: Here) -> Any:
        name = str(t.data)
        if name in self.functions:
            return self.functions[name](*(self.value(a, here) for a in t.args))
        if name in INTERNAL:
            return self.value(INTERNAL[name](*t.args), here)
        raise UnmeasuredError

    def _red(self, t: Term, here: Here) -> Any:
        body, over = open_reduction(t, self.fresh)
        places: list[Here] = [dict(here)]
        for v in over:
            places = [{**p, v: k} for p in places for k in range(EXTENT)]
        values = [self.value(body, p) for p in places]
        if t.data not in self.reductions:
            raise UnmeasuredError
        return self.reductions[str(t.data)](values)

    @property
    def reductions(self) -> Mapping[str, Callable[[list[Any]], Any]]:
        """What reductions make of a list."""
        f = self.functions

        def lse(xs: list[Any]) -> Any:
            top = max(xs)
            at = xs.index(top)
            return top + f["log1p"](sum((f["exp"](x - top) for k, x in enumerate(xs) if k != at), self.number(0)))

        def norm(xs: list[Any]) -> Any:
            top = max(abs(x) for x in xs)
            return top * f["sqrt"](sum((x / top) ** 2 for x in xs)) if top else top

        return {"sum": sum, "prod": math.prod, "max": max, "min": min, "lse": lse, "norm": norm}


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x > 0 else e / (1 + e)


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _exp(x: float) -> float:
    return math.exp(x) if x < 710 else math.inf


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _ratio(x: float, y: float) -> float:
    if y != 0:
        return x / y
    return math.copysign(math.inf, x) * math.copysign(1.0, y) if x else math.nan


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
    "hypot": math.hypot,
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
        if t.op == "get" and (s := self.probe.definitions.get(str(t.data))) is not None:
            return self._is_logsumexp(s.body)
        return t.op == "red" and t.data == "lse"

    def _fn(self, t: Term, here: Here) -> Any:
        if t.data == "complement":  # kernels add up the other weights
            return float(Exactly(self.probe, self.leaves).value(t, here))
        return super()._fn(t, here)


@cache
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    return context


@cache
def _precise(digits: int) -> Mapping[str, Callable[..., Any]]:
    c = _context(digits)
    names = "log sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf exp expm1 log1p sqrt".split()
    return {n: getattr(c, n) for n in names} | {
        "erfc": lambda x: c.erfc(x) if abs(x) < 1e6 else c.mpf(0 if x > 0 else 2),
        "Abs": abs,
        "sign": lambda x: c.mpf((x > 0) - (x < 0)),
        "relu": lambda x: max(x, c.mpf(0)),
        "Max": max,
        "Min": min,
        "sigmoid": lambda x: 1 / (1 + c.exp(-x)),
        "softplus": lambda x: max(x, c.mpf(0)) + c.log1p(c.exp(-abs(x))),
        "log_sigmoid": lambda x: min(x, c.mpf(0)) - c.log1p(c.exp(-abs(x))),
        "sech2": lambda x: 1 / c.cosh(x) ** 2,
        "normal_cdf": lambda x: c.erfc(-x / c.sqrt(2)) / 2 if abs(x) < 1e6 else c.mpf(0 if x < 0 else 1),
    }


class Exactly(Arithmetic):
    """In multiprecision; `moved`: an element that is moved by a step relative to itself."""

    def __init__(
        self, probe: Probe, leaves: Leaves, moved: tuple[str, tuple[int, ...]] | None = None, digits: int = DIGITS
    ) -> None:
        super().__init__(probe, leaves)
        self.context, self.moved = _context(digits), moved
        self.functions = _precise(digits)
        self.constants = {"pi": +self.context.pi, "E": +self.context.e, "oo": self.context.inf}
        self.step = self.context.mpf(10) ** (-digits // 3)

    def number(self, x: Any) -> Any:
        """As a multiprecision number."""
        return self.context.mpf(x)

    def element(self, name: str, at: tuple[int, ...]) -> Any:
        """An element of an input, moved if it is that one."""
        x = super().element(name, at)
        return x * (1 + self.step) if (name, at) == self.moved else x


def _is_normal(x: Any) -> bool:
    return bool(getattr(x, "imag", 0) == 0 and 2.0**-1000 < abs(x) < 2.0**1000)
