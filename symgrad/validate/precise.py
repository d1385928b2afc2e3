"""The formula at one point in multiprecision: values, slopes, closed forms, at a precision raised until two agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import Term
from symgrad.formula.program import Program, Statement
from symgrad.validate.backends import Array
from symgrad.validate.decimal_backend import BEYOND, DecimalBackend, backend_of
from symgrad.validate.evaluate import Evaluation, Lanes, evaluate_program, untouched
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
TOGETHER = 4000
"""Elements of all statements in all lanes up to which moves of different inputs are one evaluation."""
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
        self.pages: dict[int, Page] = {}

    def backend(self, digits: int) -> DecimalBackend | MpmathBackend:
        """The backend of that precision."""
        return backend_of(digits, self.rounds_steps, self.wide)

    def anyhow(self, run: Callable[[], Result]) -> Result:
        """Run, and where decimal numbers do not reach forget them and run again with mpmath's."""
        try:
            return run()
        except BEYOND:
            self.wide = True
            for memory in (self.known, self.centers, self.converted, self.pages):
                memory.clear()
            return run()

    def inputs(self, digits: int) -> Mapping[str, Array]:
        """The inputs, real ones as multiprecision numbers."""
        if digits not in self.converted:
            real, data = self.backend(digits).real, self.point.inputs
            self.converted[digits] = {n: real(a) if a.dtype.kind == "f" else a for n, a in data.items()}
        return self.converted[digits]

    def values(self, digits: int) -> dict[str, Array]:
        """Every statement."""
        if digits not in self.known:
            limits.check()
            inputs, parameters = self.inputs(digits), self.point.parameters
            self.known[digits] = evaluate_program(self.program, inputs, parameters, self.backend(digits))
        return self.known[digits]

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

    def totals(self, values: Mapping[str, Array], digits: int, lanes: int = 1) -> Array:
        """The scalar whose gradient is judged, in each lane: the mean loss, or upstream times outputs or losses."""
        backend, total = self.backend(digits), np.zeros(lanes, dtype=object)
        with backend.working():
            total = total * backend.scalar(0.0)
            for s in self.program.outputs:
                value = np.asarray(values[s.name])
                terms = value.reshape((-1, lanes if value.ndim > np.ndim(self.values(digits)[s.name]) else 1))
                given = self.point.upstream.get(f"d{s.name}")
                if given is None:
                    total = total + terms.sum(axis=0) / len(terms)
                else:
                    total = total + (np.asarray(backend.real(given)).reshape((-1, 1)) * terms).sum(axis=0)
        return total

    def after(self, moves: Sequence[Mapping[str, Array]], digits: int) -> list[Any]:
        """That scalar after each of the moves, input -> what is added to it; many moves are one evaluation."""
        limits.check()
        found: list[Any] = [None] * len(moves)
        start, known, backend = self.inputs(digits), self.values(digits), self.backend(digits)
        for group in self._together(moves, sum(int(np.size(a)) for a in known.values())):
            lanes = Lanes(len(group), dict.fromkeys(n for k in group for n in moves[k]))
            with backend.working():
                both = {n: [start[n] + moves[k][n] if n in moves[k] else start[n] for k in group] for n in lanes.inputs}
            moved = {n: np.stack([np.asarray(a) for a in each], axis=-1) for n, each in both.items()}
            kept = {n: known[n] for n in untouched(self.program, moved)}
            inputs, parameters = {**start, **moved}, self.point.parameters
            values = evaluate_program(self.program, inputs, parameters, backend, kept, lanes)
            for k, total in zip(group, self.totals(values, digits, len(group)), strict=True):
                found[k] = total
        return found

    @staticmethod
    def _together(moves: Sequence[Mapping[str, Array]], size: int) -> list[list[int]]:
        """Which moves are made at once: all, or where statements are large those of the same inputs."""
        if size * len(moves) <= TOGETHER:
            return [list(range(len(moves)))]
        groups: dict[tuple[str, ...], list[int]] = {}
        for k, move in enumerate(moves):
            groups.setdefault(tuple(move), []).append(k)
        return list(groups.values())

    def center(self, digits: int) -> Any:
        """That scalar at the point itself."""
        if digits not in self.centers:
            self.centers[digits] = self.totals(self.values(digits), digits)[0]
        return self.centers[digits]

    def sides(self, probes: Sequence[Probe], digits: int) -> Iterator[tuple[Any, Any, Any]]:
        """Slopes from the right, about the point and from the left, with a step of a third of the digits."""
        backend, middle = self.backend(digits), self.center(digits)
        h = backend.scalar(f"1e-{digits // 3}")
        with backend.working():
            moves = [{n: s * h * backend.real(d) for n, d in p.direction.items()} for p in probes for s in (1, -1)]
        found = self.after(moves, digits)
        with backend.working():
            for k in range(len(probes)):
                right, left = (found[2 * k] - middle) / h, (middle - found[2 * k + 1]) / h
                yield right, (right + left) / 2, left

    def slope(self, probe: Probe, scale: float) -> float | None:
        """The derivative along one probe."""
        return self.slopes([probe], [scale])[0]

    def slopes(self, probes: Sequence[Probe], scales: Sequence[float]) -> list[float | None]:
        """The derivatives along the probes; None on a kink, or where no two precisions agree.

        `scales`: below 1e-20 of its scale a slope is as good as 0, and 0 is believed at high precision alone.
        """

        def sides(open_ones: Sequence[int], digits: int) -> list[tuple[Any, Any, Any]]:
            return list(self.sides([probes[k] for k in open_ones], digits))

        return [None if x is None else float(x) for x in self.agreed(sides, scales)]

    def agreed(
        self, compute: Callable[[Sequence[int], int], Sequence[tuple[Any, Any, Any]]], scales: Sequence[float]
    ) -> list[Any]:
        """Numbers on which two precisions agree, one for each of the scales.

        `compute` gives those asked for from the right, in the middle and from the left. None where the sides differ.
        Below 1e-20 of its scale a number is as good as 0, believed at high precision alone.
        """
        return self.anyhow(lambda: self._agreed(compute, scales))

    def _agreed(
        self, compute: Callable[[Sequence[int], int], Sequence[tuple[Any, Any, Any]]], scales: Sequence[float]
    ) -> list[Any]:
        heard = [Agreement(self, scale) for scale in scales]
        for digits in self.levels:
            asked = [k for k, a in enumerate(heard) if not a.is_done]
            backend = self.backend(digits)
            for k, (right, now, left) in zip(asked, compute(asked, digits) if asked else (), strict=True):
                with backend.working():
                    heard[k].hear(backend, digits, right, now, left)
        return [a.found for a in heard]


class Agreement:
    """A number at growing precision, until two agree."""

    def __init__(self, precise: Precise, scale: float) -> None:
        self.believed, self.unit = precise.believed, scale if np.isfinite(scale) else LARGEST
        self.before: Any = None
        self.found: Any = None
        self.is_done = False

    def hear(self, backend: DecimalBackend | MpmathBackend, digits: int, right: Any, now: Any, left: Any) -> None:
        """What one precision says."""
        if not all(map(backend.is_finite, (right, now, left))):
            self.is_done = True
            return
        small = abs(now) <= backend.scalar(SMALL * self.unit)
        same = self.before is not None and abs(now - self.before) <= abs(now) * backend.scalar(AGREED)
        if self.before is not None and (digits >= self.believed if small else same):
            sides = (abs(right) + abs(left)) * backend.scalar(TORN) + backend.scalar(TORN_UNIT * self.unit)
            self.found, self.is_done = None if abs(right - left) > sides else now, True
        self.before = now


class Page:
    """The closed forms at one precision: what several of them define or hold alike is computed once."""

    def __init__(self, precise: Precise, digits: int) -> None:
        self.program, self.parameters = precise.program, precise.point.parameters
        self.backend = precise.backend(digits)
        self.given = {**precise.inputs(digits), **precise.values(digits), **precise.point.upstream}
        self.start()

    def start(self) -> None:
        """Nothing is defined yet."""
        self.work = Evaluation(self.program, self.given, self.parameters, self.backend, strict=False)
        self.work.bind(self.given)
        self.defined: dict[str, tuple[Statement, ...]] = {}

    def value(self, form: Closed) -> Array:
        """A closed form."""
        parts = in_order(Statement(d.name, tuple(d.indices), d.body) for d in form.where)
        groups = [p.statements if isinstance(p, Circle) else (p,) for p in parts]
        needed = {s.name: group for group in groups for s in group}
        if any(needed.get(n, None if n in self.given else g) != g for n, g in self.defined.items()):
            self.start()  # a name that stands for something else in this form
        for group in groups:
            if group[0].name not in self.defined:
                self.work.run(group)
                self.defined.update((s.name, group) for s in group)
        return self.work.term(form.closed, form.indices)


def closed_at(form: Closed, precise: Precise, digits: int) -> Array:
    """A closed form at one precision."""
    if digits not in precise.pages:
        precise.pages[digits] = Page(precise, digits)
    return precise.pages[digits].value(form)


def closed_values(form: Closed, precise: Precise, roughly: bool = False) -> np.ndarray[Any, Any] | None:
    """A closed form in multiprecision, as float64."""
    if roughly:
        return precise.anyhow(lambda: as_float(closed_at(form, precise, precise.levels[0])))
    return precise.settled(lambda digits: closed_at(form, precise, digits))


def surely(form: Closed, precise: Precise, asked: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A closed form as float64 where two precisions in succession agree in a normal number, each element for itself;
    0 elsewhere: what is nothing but rounding is another number at each precision. It rises until they agree in all
    the elements that are asked for."""
    sure = before = np.zeros(asked.shape)
    for digits in precise.levels:
        now = precise.anyhow(lambda digits=digits: as_float(closed_at(form, precise, digits)))  # type: ignore[misc]
        with np.errstate(all="ignore"):
            agree = np.isfinite(now) & (np.abs(now) >= SMALLEST_NORMAL) & (np.abs(now - before) <= AGREED * np.abs(now))
        sure, before = np.where(agree, now, sure), now
        if np.all(sure[asked] != 0):
            break
    return sure


def closed_forms(closed: Sequence[Closed], wrt: Sequence[str], precise: Precise, roughly: bool = False) -> Data:
    """The closed forms that have a settled value here, by input; `roughly`: what the first precision says."""
    found = {c.input: closed_values(c, precise, roughly) for c in closed if c.input in wrt}
    return {n: form for n, form in found.items() if form is not None}


def as_float(a: Array) -> np.ndarray[Any, Any]:
    """Multiprecision numbers rounded to float64; too large ones are infinite."""
    with np.errstate(all="ignore"):
        return np.asarray(a).astype(float)
