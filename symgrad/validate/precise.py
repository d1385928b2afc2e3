"""The formula at one point in multiprecision: values, slopes, closed forms, at a precision raised until two agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import Term
from symgrad.formula.program import Program, Statement
from symgrad.validate.backends import Array
from symgrad.validate.decimal_backend import BEYOND, DecimalBackend, backend_of
from symgrad.validate.evaluate import evaluate_program, evaluate_statements, evaluate_term, untouched
from symgrad.validate.kernels import Data
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.points import Point
from symgrad.validate.steps import Circle, in_order
from symgrad.validate.verdict import LARGEST, magnitude, relative_error

Result = TypeVar("Result")
LEVELS = (30, 60, 120, 400)
HIGH_LEVELS = (120, 240, 400)
HIGHEST_LEVELS = (240, 400, 600)
"""Where huge inputs would swallow the step."""
BELIEVED = 120
"""A zero is believed from these digits on, where nothing is larger than 1e50."""
BELOW = 30
AGREED = 1e-13
TORN, TORN_UNIT = 1e-6, 1e-18
"""One-sided slopes that differ by more than so much of themselves and of the scale are those of a kink."""
SMALL = 1e-20
SMALLEST_NORMAL = float(np.finfo(np.float64).smallest_normal)


class Definition(Protocol):
    """A name of a closed form and what it stands for."""

    @property
    def name(self) -> str:
        """As the derivation has it."""

    @property
    def indices(self) -> tuple[Term, ...]:
        """As the derivation has it."""

    @property
    def body(self) -> Term:
        """As the derivation has it."""


class Closed(Protocol):
    """A closed form as the derivation gives it: the gradient of the mean loss, or for a layer in the cotangents."""

    @property
    def input(self) -> str:
        """As the derivation has it."""

    @property
    def indices(self) -> tuple[Term, ...]:
        """As the derivation has it."""

    @property
    def closed(self) -> Term:
        """As the derivation has it."""

    @property
    def where(self) -> Sequence[Definition]:
        """As the derivation has it."""


@dataclass(frozen=True)
class Probe:
    """A direction in one input, or in all, relative to the size of each element. `element`: its only element."""

    direction: Mapping[str, np.ndarray[Any, Any]]
    label: str
    element: tuple[str, tuple[int, ...]] | None = None


class Precise:
    """The formula at one point in multiprecision."""

    def __init__(self, program: Program, point: Point, rounds_steps: bool = False) -> None:
        self.program, self.point, self.rounds_steps = program, point, rounds_steps
        self.wide = False
        self.known: dict[int, dict[str, Array]] = {}
        finite = [np.abs(a[np.isfinite(a)]) for a in point.inputs.values() if a.dtype.kind == "f"]
        self.largest = max((float(np.max(a, initial=0.0)) for a in finite), default=0.0)
        self.levels = LEVELS if self.largest < 1e6 else HIGH_LEVELS if self.largest < 1e60 else HIGHEST_LEVELS
        self.centers: dict[int, Any] = {}
        self.converted: dict[int, Mapping[str, Array]] = {}
        self.definitions: dict[int, dict[tuple[Statement, ...], dict[str, Array]]] = {}

    def backend(self, digits: int) -> DecimalBackend | MpmathBackend:
        """The backend of that precision."""
        return backend_of(digits, self.rounds_steps, self.wide)

    def anyhow(self, run: Callable[[], Result]) -> Result:
        """Run, and where decimal numbers do not reach forget them and run again with mpmath's."""
        try:
            return run()
        except BEYOND:
            self.wide = True
            for memory in (self.known, self.centers, self.converted, self.definitions):
                memory.clear()
            return run()

    def inputs(self, digits: int) -> Mapping[str, Array]:
        """The inputs, real ones as multiprecision numbers."""
        if digits not in self.converted:
            real, data = self.backend(digits).real, self.point.inputs
            self.converted[digits] = {n: real(a) if a.dtype.kind == "f" else a for n, a in data.items()}
        return self.converted[digits]

    def values(self, digits: int, moved: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Every statement, with some inputs moved."""
        limits.check()
        if moved is None and digits in self.known:
            return self.known[digits]
        inputs, kept = {**self.inputs(digits), **(moved or {})}, {}
        if moved is not None:
            kept = {n: self.values(digits)[n] for n in untouched(self.program, moved)}
        got = evaluate_program(self.program, inputs, self.point.parameters, self.backend(digits), kept)
        if moved is None:
            self.known[digits] = got
        return got

    def rough_values(self) -> Data:
        """Every statement as float64, at the first precision."""
        values = self.anyhow(lambda: self.values(self.levels[0]))
        return {n: as_float(v) for n, v in values.items()}

    @cached_property
    def scale(self) -> float:
        """The largest number among inputs and statements, times upstream."""
        return magnitude(self.point.inputs, self.point.upstream, self.rough_values())

    @property
    def believed(self) -> float:
        """Digits from which a zero is believed: two thirds of them, a step below 1, must reach below the largest."""
        return max(float(BELIEVED), 1.5 * (math.log10(max(self.scale, 1.0)) + BELOW))

    def settled(self, compute: Callable[[int], Array]) -> np.ndarray[Any, Any] | None:
        """An array computed at growing precision until two agree, as float64; None if none do.

        What is nothing but rounding at high precision is a zero, and agrees with any other.
        """
        return self.anyhow(lambda: self._settled(compute))

    def _settled(self, compute: Callable[[int], Array]) -> np.ndarray[Any, Any] | None:
        before: np.ndarray[Any, Any] | None = None
        rounding = 0.0
        for digits in self.levels:
            now = as_float(compute(digits))
            # what was nothing but rounding at the precision before may be 0 at this one
            nothing = self.scale * 10.0 ** -(digits * 3 // 4) if digits >= BELIEVED else 0.0
            rounding = max(rounding, nothing)
            if before is not None:
                size = float(np.max(np.abs(now[np.isfinite(now)]), initial=0.0))
                if not np.any(relative_error(now, before, AGREED * 1e-4 * size + rounding, AGREED) > AGREED):
                    return now
            before = now
        return None

    def values_of(self, name: str) -> Callable[[int], Array]:
        """One statement at a precision still to be said."""
        return lambda digits: self.values(digits)[name]

    def total(self, digits: int, moved: Mapping[str, Array] | None = None) -> Any:
        """The scalar whose gradient is judged: the mean loss, or upstream times outputs or losses."""
        values, backend = self.values(digits, moved), self.backend(digits)
        with backend.working():
            if self.program.is_loss:
                loss = values[self.program.loss.name]
                given = self.point.upstream.get(f"d{self.program.loss.name}")
                return loss.sum() / loss.size if given is None else np.sum(backend.real(given) * loss)
            parts = (backend.real(self.point.upstream[f"d{s.name}"]) * values[s.name] for s in self.program.outputs)
            return sum((np.sum(p) for p in parts), backend.scalar(0.0))

    def define(self, where: Sequence[Definition], known: dict[str, Array], digits: int) -> None:
        """Add the values of definitions to what is known, each computed once a point; recurrences step by step."""
        made = self.definitions.setdefault(digits, {})
        for part in in_order(Statement(d.name, tuple(d.indices), d.body) for d in where):
            members = part.statements if isinstance(part, Circle) else (part,)
            if members not in made:
                made[members] = evaluate_statements(
                    members, self.program, known, self.point.parameters, self.backend(digits)
                )
            known.update(made[members])

    def center(self, digits: int) -> Any:
        """That scalar at the point itself."""
        if digits not in self.centers:
            self.centers[digits] = self.total(digits)
        return self.centers[digits]

    def slopes(self, probe: Probe, digits: int) -> tuple[Any, Any]:
        """One-sided slopes, right and left, with a step of a third of the digits."""
        backend = self.backend(digits)
        h = backend.scalar(f"1e-{digits // 3}")

        def moved(sign: int) -> Mapping[str, Array]:
            start, step = self.inputs(digits), sign * h
            return {n: start[n] + step * backend.real(d) for n, d in probe.direction.items()}

        middle = self.center(digits)
        with backend.working():
            return (self.total(digits, moved(1)) - middle) / h, (middle - self.total(digits, moved(-1))) / h

    def slope(self, probe: Probe, scale: float) -> float | None:
        """The derivative along the probe; None on a kink, or where no two precisions agree.

        `scale`: below 1e-20 of it a slope is as good as 0, and 0 is believed at high precision alone.
        """
        found = self.agreed(lambda digits: self._both(probe, digits), scale)
        return None if found is None else float(found)

    def _both(self, probe: Probe, digits: int) -> tuple[Any, Any, Any]:
        right, left = self.slopes(probe, digits)
        return right, (right + left) / 2, left

    def agreed(self, compute: Callable[[int], tuple[Any, Any, Any]], scale: float) -> Any:
        """What two precisions agree on; `compute` gives it from the right, in the middle and from the left.

        None where the sides differ. Below 1e-20 of `scale` it is as good as 0, believed at high precision alone.
        """
        return self.anyhow(lambda: self._agreed(compute, scale))

    def _agreed(self, compute: Callable[[int], tuple[Any, Any, Any]], scale: float) -> Any:
        before: Any = None
        unit = scale if np.isfinite(scale) else LARGEST
        for digits in self.levels:
            backend = self.backend(digits)
            with backend.working():
                right, now, left = compute(digits)
                if not all(map(backend.is_finite, (right, now, left))):
                    return None
                small = abs(now) <= backend.scalar(SMALL * unit)
                same = before is not None and abs(now - before) <= abs(now) * backend.scalar(AGREED)
                if before is not None and (digits >= self.believed if small else same):
                    sides = (abs(right) + abs(left)) * backend.scalar(TORN) + backend.scalar(TORN_UNIT * unit)
                    return None if abs(right - left) > sides else now
            before = now
        return None


def closed_at(form: Closed, precise: Precise, digits: int) -> Array:
    """A closed form at one precision."""
    program, point = precise.program, precise.point
    known = {**precise.inputs(digits), **precise.values(digits), **point.upstream}
    precise.define(form.where, known, digits)
    return evaluate_term(form.closed, program, known, form.indices, point.parameters, precise.backend(digits))


def closed_values(form: Closed, precise: Precise, roughly: bool = False) -> np.ndarray[Any, Any] | None:
    """A closed form in multiprecision, as float64."""
    if roughly:
        return precise.anyhow(lambda: as_float(closed_at(form, precise, precise.levels[0])))
    return precise.settled(lambda digits: closed_at(form, precise, digits))


def surely(form: Closed, precise: Precise) -> np.ndarray[Any, Any]:
    """A closed form as float64 where the two highest precisions agree in a normal number, each element for itself;
    0 elsewhere: what is nothing but rounding is another number at each precision."""

    def at(digits: int) -> np.ndarray[Any, Any]:
        return precise.anyhow(lambda: as_float(closed_at(form, precise, digits)))

    low, high = map(at, precise.levels[-2:])
    with np.errstate(all="ignore"):
        agree = np.isfinite(high) & (np.abs(high) >= SMALLEST_NORMAL) & (np.abs(high - low) <= AGREED * np.abs(high))
    return np.asarray(np.where(agree, high, 0.0))


def closed_forms(closed: Sequence[Closed], wrt: Sequence[str], precise: Precise, roughly: bool = False) -> Data:
    """The closed forms that have a settled value here, by input; `roughly`: what the first precision says."""
    found = {c.input: closed_values(c, precise, roughly) for c in closed if c.input in wrt}
    return {n: form for n, form in found.items() if form is not None}


def as_float(a: Array) -> np.ndarray[Any, Any]:
    """Multiprecision numbers rounded to float64; too large ones are infinite."""
    with np.errstate(all="ignore"):
        return np.asarray(a).astype(float)
