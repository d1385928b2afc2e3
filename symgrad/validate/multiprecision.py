"""The judge multiprecision: the formula as read, in mpmath, differentiated by central differences of tiny steps.

At each point the derivative along a few directions and single elements is computed at growing precision until two
agree. The printed closed forms must agree with it far beyond float64, and the generated kernels with both. Works where
autograd itself goes wrong: saturated, huge and tied inputs. A direction across a kink (one-sided slopes differ) is
skipped; kinks are the autograd judge's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import Term
from symgrad.formula.program import Program
from symgrad.validate.backends import Array, EvaluationError
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.kernels import Call, Data, KernelError, Kernels, Outcome, attempt
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.points import Point
from symgrad.validate.verdict import EPSILON, ROUNDING, TOLERANCE, Failure, Judgement, relative_error

LEVELS = (30, 60, 120, 400)
HIGH_LEVELS = (120, 240, 400)
"""Where huge inputs would swallow the step."""
BELIEVED = 120
"""A zero is believed from these digits on."""
AGREED = 1e-13
CLOSED_TOLERANCE = 1e-12
LARGEST = 1e300
SMALLEST = 1e-300
FORGIVEN_ULP = 1000


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

    def __init__(self, program: Program, point: Point) -> None:
        self.program, self.point = program, point
        self.backends: dict[int, MpmathBackend] = {}
        self.known: dict[int, dict[str, Array]] = {}
        largest = max((float(np.max(np.abs(a), initial=0.0)) for a in point.inputs.values()), default=0.0)
        self.levels = LEVELS if largest < 1e6 else HIGH_LEVELS
        self.centers: dict[int, Any] = {}

    def backend(self, digits: int) -> MpmathBackend:
        """The backend of that precision."""
        return self.backends.setdefault(digits, MpmathBackend(digits))

    def values(self, digits: int, moved: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Every statement, with some inputs moved."""
        limits.check()
        if moved is None and digits in self.known:
            return self.known[digits]
        inputs = {**self.point.inputs, **(moved or {})}
        got = evaluate_program(self.program, inputs, self.point.parameters, self.backend(digits))
        if moved is None:
            self.known[digits] = got
        return got

    def values_of(self, name: str) -> Callable[[int], Array]:
        """One statement at a precision still to be said."""
        return lambda digits: self.values(digits)[name]

    def total(self, digits: int, moved: Mapping[str, Array] | None = None) -> Any:
        """The scalar whose gradient is judged: the mean loss, or upstream times outputs."""
        values, backend = self.values(digits, moved), self.backend(digits)
        if self.program.is_loss:
            loss = values[self.program.loss.name]
            return loss.sum() / loss.size
        parts = (backend.real(self.point.upstream[f"d{s.name}"]) * values[s.name] for s in self.program.outputs)
        return sum((p.sum() for p in parts), backend.context.mpf(0))

    def center(self, digits: int) -> Any:
        """That scalar at the point itself."""
        if digits not in self.centers:
            self.centers[digits] = self.total(digits)
        return self.centers[digits]

    def slopes(self, probe: Probe, digits: int) -> tuple[Any, Any]:
        """One-sided slopes, right and left, with a step of a third of the digits."""
        backend = self.backend(digits)
        h = backend.context.mpf(10) ** (-(digits // 3))

        def moved(sign: int) -> Mapping[str, Array]:
            return {
                n: backend.real(self.point.inputs[n]) + sign * h * backend.real(d) for n, d in probe.direction.items()
            }

        middle = self.center(digits)
        return (self.total(digits, moved(1)) - middle) / h, (middle - self.total(digits, moved(-1))) / h

    def slope(self, probe: Probe, scale: float) -> float | None:
        """The derivative along the probe; None on a kink, or where no two precisions agree.

        `scale`: below 1e-20 of it a slope is as good as 0, and 0 is believed at high precision alone.
        """
        before: Any = None
        for digits in self.levels:
            right, left = self.slopes(probe, digits)
            finite = self.backend(digits).context.isfinite
            if not (finite(right) and finite(left)):
                return None
            now = (right + left) / 2
            torn = abs(right - left) > 1e-6 * (abs(right) + abs(left)) + 1e-18 * scale
            small = abs(now) <= 1e-20 * scale
            agreed = digits >= BELIEVED if small else before is not None and abs(now - before) <= AGREED * abs(now)
            if agreed and before is not None:
                return None if torn else float(now)
            before = now
        return None


def judge_multiprecision(
    program: Program,
    wrt: Sequence[str],
    kernels: Sequence[Kernels],
    closed: Sequence[Closed],
    points: Sequence[Point],
    seed: int,
) -> Judgement:
    """The verdict at these points, normal and special."""
    verdict = Judgement("multiprecision")
    typical: dict[str, float] = {}
    for k, point in enumerate(points):
        limits.check()
        try:
            _judge_point(verdict, program, wrt, kernels, closed, point, np.random.default_rng((seed, 57, k)), typical)
        except (KernelError, EvaluationError) as e:
            verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _judge_point(
    verdict: Judgement,
    program: Program,
    wrt: Sequence[str],
    kernels: Sequence[Kernels],
    closed: Sequence[Closed],
    point: Point,
    rng: Any,
    typical: dict[str, float],
) -> None:
    precise = Precise(program, point)
    values = {s.name: _settled(precise.values_of(s.name), precise.levels) for s in program.outputs}
    if not all(v is not None and np.all(np.abs(v) < LARGEST) for v in values.values()):
        verdict.skip("value outside of float64's range")
        return
    verdict.look(point)
    forms = _closed_forms(closed, wrt, precise)
    call = Call(point.inputs, point.parameters, point.upstream)
    outcomes = [(kernel.name, attempt(kernel, call)) for kernel in kernels]
    total = sum(float(np.sum(np.abs(v))) for v in values.values() if v is not None)
    scale = _scales(wrt, outcomes, forms, typical, point, total)
    for s in program.outputs:
        _judge_value(verdict, point, s.name, values[s.name], program.is_loss, outcomes)
    noise = _forgiven(program, closed, wrt, forms, point)
    for probe in _probes(program, wrt, point, rng):
        _judge_probe(verdict, precise, probe, forms, outcomes, scale, noise)
    for n, form in forms.items():
        _judge_elements(
            verdict, point, n, form, outcomes, noise.get(n, 0.0) + ROUNDING * EPSILON * scale.unit(n) + SMALLEST
        )


def _settled(compute: Callable[[int], Array], levels: Sequence[int]) -> np.ndarray[Any, Any] | None:
    """An array computed at growing precision until two agree, as float64; None if none do."""
    before: np.ndarray[Any, Any] | None = None
    for digits in levels:
        now = _as_float(compute(digits))
        if before is not None:
            size = float(np.max(np.abs(now[np.isfinite(now)]), initial=0.0))
            if not np.any(relative_error(now, before, AGREED * 1e-4 * size, AGREED) > AGREED):
                return now
        before = now
    return None


def _closed_values(form: Closed, precise: Precise) -> np.ndarray[Any, Any] | None:
    """A closed form in multiprecision, as float64."""
    program, point = precise.program, precise.point
    definitions = [(d.name, d.indices, d.body) for d in form.where]

    def compute(digits: int) -> Array:
        known = {**point.inputs, **precise.values(digits), **point.upstream}
        backend = precise.backend(digits)
        return evaluate_term(form.closed, program, known, form.indices, point.parameters, backend, definitions)

    return _settled(compute, precise.levels)


def _closed_forms(closed: Sequence[Closed], wrt: Sequence[str], precise: Precise) -> Data:
    """The closed forms that have a settled value here, by input."""
    found = {c.input: _closed_values(c, precise) for c in closed if c.input in wrt}
    return {n: form for n, form in found.items() if form is not None}


def _as_float(a: Array) -> np.ndarray[Any, Any]:
    return np.asarray(np.frompyfunc(float, 1, 1)(a)).astype(float)


@dataclass(frozen=True)
class Scales:
    """How large each gradient is hereabouts (`sizes`; a special point is also measured by what was normal), and by its
    dimensions, value over input (`natural`)."""

    sizes: Mapping[str, float]
    natural: Mapping[str, float]

    def unit(self, name: str) -> float:
        """What the rounding of a gradient is relative to."""
        return max(self.sizes[name], self.natural[name], SMALLEST)


def _scales(
    wrt: Sequence[str],
    outcomes: Sequence[tuple[str, Outcome]],
    forms: Data,
    typical: dict[str, float],
    point: Point,
    total: float,
) -> Scales:
    sizes, natural = {}, {}
    for n in wrt:
        expected = forms.get(n, outcomes[0][1].gradients[n] if outcomes else np.zeros(1))
        largest = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
        top = float(np.max(np.abs(point.inputs[n]), initial=0.0))
        if point.kind == "normal":
            typical[n] = max(typical.get(n, 0.0), largest)
        sizes[n] = max(largest, typical.get(n, 0.0), SMALLEST)
        natural[n] = min(total / top, LARGEST) if top > 0 else 0.0
    return Scales(sizes, natural)


def _probes(program: Program, wrt: Sequence[str], point: Point, rng: Any) -> Iterator[Probe]:
    """One random direction in all inputs together (normal points), and single elements of each."""
    size = {n: np.maximum(np.abs(point.inputs[n]), 1e-3) for n in wrt}
    if point.kind == "normal":
        yield Probe({n: rng.standard_normal(s.shape) * s for n, s in size.items()}, "a direction")
    for n in wrt:
        x = point.inputs[n]
        for flat in rng.permutation(x.size)[: 2 if point.kind == "normal" else 1]:
            at = tuple(int(k) for k in np.unravel_index(int(flat), x.shape))
            d = np.zeros(x.shape)
            d[at] = size[n][at]
            yield Probe({n: d}, f"gradient of {n}", (n, at))


def _judge_value(
    verdict: Judgement, point: Point, name: str, exact: Any, reduced: bool, outcomes: Sequence[tuple[str, Outcome]]
) -> None:
    """The value of a loss (its mean) or of an output at a normal point."""
    if point.kind != "normal":
        return
    size = float(np.max(np.abs(exact), initial=0.0))
    for kernel, got in outcomes:
        noise = (FORGIVEN_ULP * size + 1.0) * EPSILON
        verdict.compare(f"{kernel} value {name}", point, got.values[name], np.mean(exact) if reduced else exact, noise)


def _judge_probe(
    verdict: Judgement,
    precise: Precise,
    probe: Probe,
    forms: Data,
    outcomes: Sequence[tuple[str, Outcome]],
    scale: Scales,
    forgiven: Data,
) -> None:
    """A slope in multiprecision against the closed forms and the kernels."""
    lengths = {n: float(np.sum(np.abs(d))) for n, d in probe.direction.items()}
    reach = sum(scale.unit(n) * length for n, length in lengths.items())
    point, exact = precise.point, precise.slope(probe, sum(scale.sizes[n] * d for n, d in lengths.items()))
    rounding = sum(float(np.sum(np.abs(forgiven[n] * d))) for n, d in probe.direction.items() if n in forgiven)
    if exact is None or abs(exact) > LARGEST:
        verdict.skip("kinks")
        return
    answers = [("closed form", forms, CLOSED_TOLERANCE, EPSILON)] if set(forms) >= set(probe.direction) else []
    answers += [(f"{kernel} kernel", got.gradients, TOLERANCE, ROUNDING * EPSILON) for kernel, got in outcomes]
    for who, gradients, tolerance, unit in answers:
        parts = np.concatenate([(gradients[n] * d).ravel() for n, d in probe.direction.items()])
        if probe.element is not None:
            parts = parts[parts != 0]
        noise = unit * reach + tolerance * float(np.sum(np.abs(parts[np.isfinite(parts)]))) + rounding
        got = float(parts.sum())
        what = f"{who}: {probe.label}"
        where = probe.element[1] if probe.element else ()
        step = float(np.sum(np.abs(probe.direction[probe.element[0]]))) if probe.element else 1.0
        if not verdict.compare(what, point, got / step, exact / step, noise / step, tolerance):
            failure = verdict.failure
            if failure is not None and failure.index == ():
                verdict.failure = Failure(failure.what, failure.point, where, failure.got, failure.expected)
            return


def _forgiven(
    program: Program, closed: Sequence[Closed], wrt: Sequence[str], forms: Data, point: Point
) -> dict[str, np.ndarray[Any, Any]]:
    """What rounding of the inputs alone does to each closed form at a normal point."""
    if not point.is_generic:
        return {}
    rng = np.random.default_rng(23)
    moved = {
        n: a * (1 + EPSILON * rng.choice([-1.0, 1.0], size=a.shape)) if a.dtype.kind == "f" else a
        for n, a in point.inputs.items()
    }
    near = Point(point.kind, point.label, moved, point.parameters, point.upstream)
    again = _closed_forms(closed, wrt, Precise(program, near))
    return {n: FORGIVEN_ULP * np.nan_to_num(np.abs(again[n] - forms[n])) for n in again if n in forms}


def _judge_elements(
    verdict: Judgement,
    point: Point,
    name: str,
    form: np.ndarray[Any, Any],
    outcomes: Sequence[tuple[str, Outcome]],
    noise: Any,
) -> None:
    """Every element of a kernel's gradient against the closed form, where that has a value in float64's range."""
    sane = np.isfinite(form) & (np.abs(form) < LARGEST)
    if not np.all(sane):
        verdict.skip("elements outside of float64's range")
    for kernel, got in outcomes:
        gradient = got.gradients[name]
        if gradient.shape == form.shape:
            gradient, expected = np.where(sane, gradient, 0.0), np.where(sane, form, 0.0)
            verdict.compare(f"{kernel} gradient of {name} against its closed form", point, gradient, expected, noise)
        else:
            verdict.fail(
                Failure(f"{kernel} gradient of {name} has shape {gradient.shape}, expected {form.shape}", point.label)
            )
