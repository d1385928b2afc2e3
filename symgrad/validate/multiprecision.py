"""The judge multiprecision: the formula as read, in mpmath, differentiated by central differences of tiny steps.

At each point the derivative along a few directions and single elements is computed at growing precision until two
agree. The printed closed forms must agree with it far beyond float64, and the generated kernels with both. Works where
autograd itself goes wrong: saturated, huge and tied inputs. A direction across a kink (one-sided slopes differ) is
skipped; kinks are the autograd judge's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.kernels import Call, Data, KernelError, Kernels, Outcome, attempt
from symgrad.validate.kink_points import lacks_value, leaves_kink
from symgrad.validate.points import Point
from symgrad.validate.precise import SMALLEST_NORMAL, Closed, Precise, Probe, closed_forms, surely
from symgrad.validate.steps import is_recurrent
from symgrad.validate.verdict import (
    EPSILON,
    FORGIVEN_ULP,
    LARGEST,
    ROUNDING,
    TOLERANCE,
    Failure,
    Judgement,
    natural_scale,
    rounded,
)

CLOSED_TOLERANCE = 1e-12
VALUE_ULP = 16
"""A value may be off by so many ulps of the largest number on the way, and by so many times what an ulp of the inputs
does to it."""
SMALLEST = 1e-300
MOST_INPUTS = 4
"""Inputs whose whole gradients are looked at at a special point, in turn."""
ELEMENTS = {True: 4, False: 2}
"""Single elements whose slopes are computed, at a normal point and at others."""
INFINITY = float("inf")
FAR_APART = 1e6
MOVED = 4
"""So many times what an ulp of the inputs does to it a gradient is, where a zero in its place is wrong."""
STEP_ULP = 8
"""How many times farther than by the rounding of its steps a recurrence may move.

One rounding of the states is one draw of what a kernel does; its own products and sums are rounded too, about as many
again as there are in a step. It bears on special points alone, where the states leave no digits: a wrong sign or factor
is seen at the normal ones, which come first, and here wherever rounding moves the gradient by less than an eighth.
"""


@dataclass(frozen=True)
class Judged:
    """A program, its kernels, its closed forms, and where it has kinks."""

    program: Program
    kernels: Sequence[Kernels]
    closed: Sequence[Closed]
    kinks: Sequence[Any]


def judge_multiprecision(
    program: Program,
    wrt: Sequence[str],
    kernels: Sequence[Kernels],
    closed: Sequence[Closed],
    points: Sequence[Point],
    seed: int,
    kinks: Sequence[Any] = (),
) -> Judgement:
    """The verdict at these points, normal and special."""
    verdict, judged = Judgement("multiprecision"), Judged(program, kernels, closed, kinks)
    typical: dict[str, float] = {}
    for k, point in enumerate(points):
        limits.check()
        verdict.add(in_range(partial(_one_point, judged, wrt, point, (seed, 57, k), typical)))
        if verdict.failure is not None:
            break
    return verdict


def _one_point(
    judged: Judged, wrt: Sequence[str], point: Point, stream: tuple[int, ...], typical: dict[str, float]
) -> Judgement:
    """The verdict at one point, and what is forgiven there."""
    verdict = Judgement("multiprecision")
    try:
        _judge_point(verdict, judged, wrt, point, np.random.default_rng(stream), typical)
    except (KernelError, EvaluationError) as e:
        verdict.fail(Failure(str(e), point.label))
    except OverflowError:  # exp of 1e300: beyond mpmath too
        verdict.skip("values beyond multiprecision")
    verdict.unseen("nothing to compare")
    failure = verdict.failure
    if failure is not None and (name := leaves_range(judged.program, point, failure)) is not None:
        verdict.forgive(f"{failure}; there {name} leaves float64's range, which nothing is promised for")
    if verdict.failure is not None and is_rounding_of_steps(judged.program, judged.closed, wrt, point, verdict.failure):
        verdict.forgive(f"{verdict.failure}; there float64 cannot hold the steps of a recurrence exactly enough")
    return verdict


def leaves_range(program: Program, point: Point, failure: Failure) -> str | None:
    """A named value that float64 cannot hold at a special point: too large, lost below its normal range, or 0/0.

    The promise is for finite inputs whose named values are in the normal range. A value lost below excuses no nan.
    """
    if point.kind != "special":
        return None
    precise = Precise(program, point)
    finite = failure.got is not None and bool(np.isfinite(failure.got))
    for name, values in precise.values(precise.levels[0]).items():
        for v in np.asarray(values).ravel():
            if np.isnan(float(v)) or LARGEST < abs(v) < INFINITY or (finite and 0 < abs(v) < SMALLEST_NORMAL):
                return name
    return None


def is_rounding_of_steps(
    program: Program, closed: Sequence[Closed], wrt: Sequence[str], point: Point, failure: Failure
) -> bool:
    """Whether a gradient at a special point moves as far when the steps of a recurrence are rounded to float64.

    Every kernel keeps them so; nothing can see through them, as it can through other names.
    """
    name = next((n for n in wrt if f"gradient of {n}" in failure.what), None)
    if point.kind != "special" or name is None or failure.got is None or not is_recurrent(program.statements):
        return False
    exact = closed_forms(closed, (name,), Precise(program, point))
    near = closed_forms(closed, (name,), Precise(program, point, rounds_steps=True))
    if name not in exact or name not in near or failure.expected is None:
        return False
    moved = float(np.abs(near[name] - exact[name])[failure.index])
    return abs(failure.got - failure.expected) <= STEP_ULP * moved


def _judge_point(
    verdict: Judgement,
    judged: Judged,
    wrt: Sequence[str],
    point: Point,
    rng: Any,
    typical: dict[str, float],
) -> None:
    program, kernels, closed = judged.program, judged.kernels, judged.closed
    precise = Precise(program, point)
    values = {s.name: precise.settled(precise.values_of(s.name)) for s in program.outputs}
    if not all(v is not None and np.all(np.abs(v) < LARGEST) for v in values.values()):
        verdict.skip("value outside of float64's range")
        return
    verdict.look(point)
    wrt = _looked_at(wrt, point, rng)
    forms = closed_forms(closed, wrt, precise)
    call = Call(point.inputs, point.parameters, point.upstream)
    outcomes = [(kernel.name, attempt(kernel, call)) for kernel in kernels]
    scale = _scales(wrt, outcomes, forms, typical, point, precise.scale)
    near = Precise(program, replace(point, inputs=rounded(point.inputs, 23))) if point.is_generic else None
    for s in program.outputs:
        _judge_value(verdict, point, s.name, values[s.name], program.is_loss, outcomes, scale.size, near)
    noise = _forgiven(closed, wrt, forms, near)
    if point.kind == "special" and noise:
        _add_rounding(noise, kernels, call, outcomes)
    probes = list(_probes(program, wrt, point, rng))
    slopes = precise.slopes(probes, [_size(probe, scale.sizes) for probe in probes])
    for probe, exact in zip(probes, slopes, strict=True):
        if exact is None or abs(exact) > LARGEST or leaves_kink(program, judged.kinks, point, probe.direction):
            verdict.skip("kinks")
        else:
            answers = _answers(judged, precise, probe, forms, outcomes)
            _judge_probe(verdict, point, probe, exact, answers, scale, noise)
    for n, form in forms.items():
        allowed = noise.get(n, 0.0) + ROUNDING * EPSILON * scale.unit(n) + SMALLEST
        _judge_elements(verdict, point, n, form, outcomes, allowed)
        _judge_zeros(verdict, judged, precise, {n: form}, outcomes, scale.unit(n))


def _looked_at(wrt: Sequence[str], point: Point, rng: Any) -> tuple[str, ...]:
    """The inputs judged at a point: all at a normal one, a few in turn at a special one."""
    if point.kind == "normal" or len(wrt) <= MOST_INPUTS:
        return tuple(wrt)
    return tuple(wrt[k] for k in sorted(rng.permutation(len(wrt))[:MOST_INPUTS]))


@dataclass(frozen=True)
class Scales:
    """How large each gradient is hereabouts (`sizes`; a special point is also measured by what was normal), and by its
    dimensions, value over input (`natural`)."""

    sizes: Mapping[str, float]
    natural: Mapping[str, float]
    size: float
    """The largest number among inputs and statements."""

    def unit(self, name: str) -> float:
        """What the rounding of a gradient is relative to."""
        return max(self.sizes[name], self.natural[name], SMALLEST)


def _scales(
    wrt: Sequence[str],
    outcomes: Sequence[tuple[str, Outcome]],
    forms: Data,
    typical: dict[str, float],
    point: Point,
    size: float,
) -> Scales:
    sizes, natural = {}, {}
    for n in wrt:
        expected = forms.get(n, outcomes[0][1].gradients[n] if outcomes else np.zeros(1))
        largest = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
        if point.kind == "normal":
            typical[n] = max(typical.get(n, 0.0), largest)
        sizes[n] = max(largest, typical.get(n, 0.0), SMALLEST)
        natural[n] = natural_scale(size, point.inputs, n, expected)
    return Scales(sizes, natural, size)


def _probes(program: Program, wrt: Sequence[str], point: Point, rng: Any) -> Iterator[Probe]:
    """One random direction in all inputs together (normal points), and single elements of a few of them."""
    size = {n: np.maximum(np.where(np.isfinite(point.inputs[n]), np.abs(point.inputs[n]), 1.0), 1e-3) for n in wrt}
    if point.kind == "normal":
        yield Probe({n: rng.standard_normal(s.shape) * s for n, s in size.items()}, "a direction")
    few = ELEMENTS[point.kind == "normal"]
    for n in [wrt[int(k)] for k in sorted(rng.permutation(len(wrt))[:few])]:
        x = point.inputs[n]
        for flat in rng.permutation(x.size)[: max(1, few // len(wrt))]:
            at = tuple(int(k) for k in np.unravel_index(int(flat), x.shape))
            d = np.zeros(x.shape)
            d[at] = size[n][at]
            yield Probe({n: d}, f"gradient of {n}", (n, at))


def _judge_value(
    verdict: Judgement,
    point: Point,
    name: str,
    exact: Any,
    reduced: bool,
    outcomes: Sequence[tuple[str, Outcome]],
    size: float,
    near: Precise | None,
) -> None:
    """The value of a loss (its mean) or of an output.

    `near`: the point with rounded inputs; what that does to the value is no fault.
    """
    moved = np.zeros(())
    if near is not None:
        with np.errstate(all="ignore"):
            moved = np.nan_to_num(np.abs(near.rough_values()[name] - exact), posinf=0.0)
    for kernel, got in outcomes:
        noise = VALUE_ULP * (size * EPSILON + (np.mean(moved) if reduced else moved))
        expected = np.mean(exact) if reduced else exact
        verdict.compare(f"{kernel} value {name}", point, got.values[name], expected, noise)


def _size(probe: Probe, sizes: Mapping[str, float]) -> float:
    """How large a slope along a probe may be where gradients are of these sizes."""
    return sum(sizes[n] * float(np.sum(np.abs(d))) for n, d in probe.direction.items())


@dataclass(frozen=True)
class Answer:
    """What somebody says of the gradients; `unit`: its rounding, relative to the scale."""

    who: str
    gradients: Data
    tolerance: float
    unit: float


def _answers(
    judged: Judged, precise: Precise, probe: Probe, forms: Data, outcomes: Sequence[tuple[str, Outcome]]
) -> list[Answer]:
    """The closed forms, where they have a value, and the kernels."""
    said = _has_value(forms, probe, precise, judged.kinks)
    answers = [Answer("closed form", forms, CLOSED_TOLERANCE, EPSILON)] if said else []
    return answers + [Answer(f"{k} kernel", got.gradients, TOLERANCE, ROUNDING * EPSILON) for k, got in outcomes]


def _judge_probe(
    verdict: Judgement,
    point: Point,
    probe: Probe,
    exact: float,
    answers: Sequence[Answer],
    scale: Scales,
    forgiven: Data,
) -> None:
    """A slope in multiprecision against the closed forms and the kernels."""
    reach = _size(probe, {n: scale.unit(n) for n in probe.direction})
    rounding = sum(float(np.sum(np.abs(forgiven[n] * d))) for n, d in probe.direction.items() if n in forgiven)
    step = float(np.sum(np.abs(probe.direction[probe.element[0]]))) if probe.element else 1.0
    for a in answers:
        parts = np.concatenate([a.gradients[n][d != 0] * d[d != 0] for n, d in probe.direction.items()])
        noise = a.unit * reach + a.tolerance * float(np.sum(np.abs(parts[np.isfinite(parts)]))) + rounding
        got, what = float(parts.sum()), f"{a.who}: {probe.label}"
        if not verdict.compare(what, point, got / step, exact / step, noise / step, a.tolerance):
            failure, where = verdict.failure, probe.element[1] if probe.element else ()
            if failure is not None and failure.index == ():
                verdict.failure = Failure(failure.what, failure.point, where, failure.got, failure.expected)
            return


def _has_value(forms: Data, probe: Probe, precise: Precise, kinks: Sequence[Any]) -> bool:
    """Whether the closed forms say something here: at its own kinks (a norm of 0) a printed form need not."""
    if not set(forms) >= set(probe.direction):
        return False
    if all(bool(np.all(np.isfinite(forms[n][d != 0]))) for n, d in probe.direction.items()):
        return True
    return precise.point.kind != "special" and not lacks_value(precise.program, kinks, precise.point)


def _forgiven(
    closed: Sequence[Closed], wrt: Sequence[str], forms: Data, near: Precise | None
) -> dict[str, np.ndarray[Any, Any]]:
    """What rounding of the inputs alone does to each closed form at a generic point."""
    if near is None:
        return {}
    again = closed_forms(closed, wrt, near, roughly=True)
    return {n: FORGIVEN_ULP * np.nan_to_num(np.abs(again[n] - forms[n])) for n in again if n in forms}


def _add_rounding(
    noise: dict[str, np.ndarray[Any, Any]],
    kernels: Sequence[Kernels],
    call: Call,
    outcomes: Sequence[tuple[str, Outcome]],
) -> None:
    """At large inputs, what an ulp of them does to the kernels themselves: how accurate they are is not judged here."""
    for kernel, (_, got) in zip(kernels, outcomes, strict=True):
        for seed in (29, 31):
            again = attempt(kernel, replace(call, inputs=rounded(call.inputs, seed))).gradients
            for n, allowed in list(noise.items()):
                with np.errstate(all="ignore"):
                    moved = np.nan_to_num(np.abs(again[n] - got.gradients[n]), posinf=0.0)
                noise[n] = allowed + FORGIVEN_ULP * moved


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
    for kernel, got in outcomes if np.any(sane) else ():
        gradient = got.gradients[name]
        gradient, expected = np.where(sane, gradient, 0.0), np.where(sane, form, 0.0)
        verdict.compare(f"{kernel} gradient of {name} against its closed form", point, gradient, expected, noise)


def _judge_zeros(
    verdict: Judgement,
    judged: Judged,
    precise: Precise,
    form: Data,
    outcomes: Sequence[tuple[str, Outcome]],
    unit: float,
) -> None:
    """A zero where a gradient is a normal number is wrong, however small that is beside others.

    Not so where an ulp of the inputs moves the gradient as far, where the rounded steps of a recurrence leave it of a
    difference, or where inputs are so far apart (1e50 beside 1) that a difference has no digit of the smaller: these
    are counted.
    """
    ((name, values),) = form.items()
    normal = np.isfinite(values) & (np.abs(values) >= SMALLEST_NORMAL)
    doubtful = {k: (g.gradients[name] == 0) & normal for k, g in outcomes}
    asked = np.any(list(doubtful.values()), axis=0)
    if not np.any(asked):
        return
    closed, point = next(c for c in judged.closed if c.input == name), precise.point
    sure, moved = surely(closed, precise, asked), np.zeros(values.shape)
    for seed in (29, 31) if np.any(sure[asked]) else ():
        near = Precise(judged.program, replace(point, inputs=rounded(point.inputs, seed)))
        again = closed_forms([closed], (name,), near, roughly=True)
        moved = np.maximum(moved, np.nan_to_num(np.abs(again[name] - sure)))
    is_lost = precise.largest > FAR_APART or is_recurrent(judged.program.statements)
    lost = EPSILON * ROUNDING * unit if is_lost else 0.0
    for kernel, zeros in doubtful.items():
        wrong = zeros & (np.abs(sure) > np.maximum(MOVED * moved, lost))
        for place in np.argwhere(wrong)[:1]:
            at = tuple(int(k) for k in place)
            what = f"{kernel} gradient of {name} against its closed form, a wrong zero"
            verdict.fail(Failure(what, point.label, at, 0.0, float(sure[at])))
        if forgiven := int(np.sum(zeros & (sure != 0) & ~wrong)):
            verdict.skip("zeros where rounding is larger than the gradient", forgiven)
