"""Terms evaluated at one element for the probe: leaves drawn when they are read, and what all arithmetics share."""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from ctypes import c_float
from dataclasses import dataclass
from typing import Any

from symgrad.algebra.build import Fresh, open_reduction
from symgrad.algebra.show import INTERNAL
from symgrad.algebra.terms import Term, value
from symgrad.formula.program import Input, Program, Statement

EXTENT = 3
"""Elements of each axis."""
MOST_INPUTS = 24
"""Elements of inputs above which a statement is not measured."""
Numbers = dict[tuple[str, tuple[int, ...]], float]
Here = dict[Term, int]


class UnmeasuredError(Exception):
    """The statement holds something that the probe does not evaluate, or has no value at a point."""


REACH, SINGLE_REACH = (6, 60, 600), (6, 30, 100)
"""Exponents that are drawn uniformly over bit patterns, in float64 and in float32."""


def single(x: float) -> float:
    """Rounded to float32."""
    return c_float(x).value


@dataclass(frozen=True)
class Draw:
    """How a point is drawn: uniform over bit patterns or from the working range, in float32 or float64 numbers, each
    element by itself or near to one that was drawn before."""

    by_bits: bool = False
    in_single: bool = False
    near: bool = False


class Leaves:
    """The value of each element of each input, drawn when it is first read."""

    def __init__(self, program: Program, rng: random.Random, how: Draw) -> None:
        self.inputs = {i.name: i for i in program.inputs}
        self.parameters = {p.name: float(p.value) for p in program.parameters}
        self.rng, self.how = rng, how
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
        if i is not None and i.dtype != "real":
            raise UnmeasuredError
        kind = i.domain.kind if i is not None else "real"
        low, high = _ends(kind, i)
        x = self._between(low, high) if high < math.inf else self._anywhere()
        x = abs(x) if low == 0 else x
        if self.how.near and self.rng.random() < 0.7:
            x = self._beside(low, high, x)
        return single(x) if self.how.in_single else x

    def _between(self, low: float, high: float) -> float:
        if (low, high) != (0, 1):
            return self.rng.uniform(low, high)
        small = math.ldexp(self.rng.random(), -self.rng.randint(0, 40))
        return self.rng.choice((0.0, 1.0, small, 1 - small))

    def _anywhere(self) -> float:
        if not self.how.by_bits:
            return self.rng.gauss(0, self.scale)
        reach = self.rng.choice(SINGLE_REACH if self.how.in_single else REACH)
        return self.rng.choice((-1, 1)) * math.ldexp(self.rng.uniform(1, 2), self.rng.randint(-reach, reach))

    def _beside(self, low: float, high: float, x: float) -> float:
        """A number near to one that was drawn before, or x where there is none in the range."""
        others = [v for v in self.numbers.values() if low <= v <= high and v]
        if not others:
            return x
        away = self.rng.uniform(-1, 1) * 2.0 ** -self.rng.randint(1, 18 if self.how.in_single else 40)
        return min(max(self.rng.choice(others) * (1 + away), low), high)


def _ends(kind: str, i: Input | None) -> tuple[float, float]:
    """The range of a domain."""
    if kind in ("unit_interval", "simplex", "one_hot", "boolean"):
        return 0.0, 1.0
    if kind in ("positive", "nonnegative"):
        return 0.0, math.inf
    if kind == "interval" and i is not None and all(b.op == "num" for b in i.domain.bounds):
        low, high = (float(value(b)) for b in i.domain.bounds)
        return low, high
    if kind != "real":
        raise UnmeasuredError
    return -math.inf, math.inf


class Arithmetic(ABC):
    """Evaluates a term at one element; `functions` and `number` say in which arithmetic."""

    functions: Mapping[str, Callable[..., Any]]
    constants: Mapping[str, Any]

    def __init__(self, definitions: Mapping[str, Statement], leaves: Leaves) -> None:
        self.definitions, self.leaves = definitions, leaves
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
            self.memo[key] = self.rounded(method(t, here))
        return self.memo[key]

    def rounded(self, x: Any) -> Any:
        """A result as this arithmetic stores it."""
        return x

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
        s = self.definitions.get(str(t.data))
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
        if v.denominator > 2:
            return self.functions["pow"](b, self.number(v.numerator) / self.number(v.denominator))
        root = self.functions["sqrt"](b) if v.denominator == 2 else b
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
