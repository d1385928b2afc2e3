"""The judge of the second order in multiprecision: second differences of the formula as read, by tiny steps.

Along a direction u the curvature of the mean loss is `(f(x + h u) - 2 f(x) + f(x - h u))/h**2`, at growing precision
until two agree; `e H v` is a quarter of the curvatures along e + v and e - v. The printed closed forms, read back, must
agree with it far beyond float64, and the generated kernels with the closed forms. Where the curvature jumps nothing is
judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.kernels import Call, Data, KernelError
from symgrad.validate.multiprecision import CLOSED_TOLERANCE, SMALLEST, leaves_range
from symgrad.validate.points import Point
from symgrad.validate.precise import Closed, Precise, closed_forms
from symgrad.validate.second.differences import curvature, mixed
from symgrad.validate.second.kernels import Second, SecondKernels, at_direction, drawn, typical
from symgrad.validate.verdict import EPSILON, FORGIVEN_ULP, LARGEST, ROUNDING, Failure, Judgement, rounded

MOST_INPUTS = 2
"""Inputs of which an element is held against second differences at a normal point; at a special one it is one."""


class SecondForms:
    """The closed forms of the Hessian, read back; their program has the directions as inputs."""

    def __init__(
        self, program: Program, directions: Mapping[str, str], products: Sequence[Closed], diagonals: Sequence[Closed]
    ) -> None:
        self.program, self.directions = program, dict(directions)
        self.products, self.diagonals = products, diagonals

    def at(self, point: Point, direction: Data, wrt: Sequence[str]) -> tuple[Second, Precise]:
        """Their values at a point, where they settle."""
        precise = Precise(self.program, at_direction(point, self.directions, direction))
        return Second(closed_forms(self.diagonals, wrt, precise), closed_forms(self.products, wrt, precise)), precise


def judge_second_multiprecision(
    kernels: SecondKernels | None, forms: SecondForms, wrt: Sequence[str], points: Sequence[Point], seed: int
) -> Judgement:
    """The verdict at these points, normal and special."""
    verdict = Judgement("second multiprecision")
    for k, point in enumerate(points):
        limits.check()
        verdict.add(in_range(partial(_one_point, kernels, forms, wrt, point, (seed, 91, k))))
        if verdict.failure is not None:
            break
    return verdict


def _one_point(
    kernels: SecondKernels | None, forms: SecondForms, wrt: Sequence[str], point: Point, stream: tuple[int, ...]
) -> Judgement:
    """The verdict at one point, and what is forgiven there."""
    verdict = Judgement("second multiprecision")
    try:
        _judge_point(verdict, kernels, forms, wrt, point, np.random.default_rng(stream))
    except (KernelError, EvaluationError) as e:
        verdict.fail(Failure(str(e), point.label))
    except OverflowError:
        verdict.skip("values beyond multiprecision")
    failure = verdict.failure
    if failure is not None and (name := leaves_range(kernels_program(forms), point, failure)) is not None:
        verdict.forgive(f"{failure}; there {name} leaves float64's range, which nothing is promised for")
    return verdict


def kernels_program(forms: SecondForms) -> Program:
    """The program without the directions."""
    own = set(forms.directions.values())
    return replace(forms.program, inputs=tuple(i for i in forms.program.inputs if i.name not in own))


def _judge_point(
    verdict: Judgement,
    kernels: SecondKernels | None,
    forms: SecondForms,
    wrt: Sequence[str],
    point: Point,
    rng: Any,
) -> None:
    direction = drawn(wrt, point.inputs, rng)
    closed, precise = forms.at(point, direction, wrt)
    value = precise.settled(precise.values_of(forms.program.loss.name))
    if value is None or not np.all(np.abs(value) < LARGEST):
        verdict.skip("value outside of float64's range")
        return
    verdict.look(point)
    scale = precise.scale
    few = MOST_INPUTS if point.kind == "normal" else 1
    for n in [wrt[int(k)] for k in sorted(rng.permutation(len(wrt))[:few])]:
        x = point.inputs[n]
        if x.size:
            at = tuple(int(k) for k in np.unravel_index(int(rng.integers(x.size)), x.shape))
            _judge_element(verdict, precise, closed, point, Element(n, at), direction, scale)
    if kernels is not None:
        _judge_kernels(verdict, kernels, forms, closed, scale, point, direction)


# ---- closed forms against second differences ------------------------------------------------------------------------


@dataclass(frozen=True)
class Element:
    """An element of an input."""

    input: str
    at: tuple[int, ...]


def _judge_element(
    verdict: Judgement,
    precise: Precise,
    closed: Second,
    point: Point,
    element: Element,
    direction: Data,
    scale: float,
) -> None:
    """One element of the diagonal and of the product."""
    name, at = element.input, element.at
    one = np.zeros(point.inputs[name].shape)
    step = one[at] = typical(point.inputs[name])
    for what, found, exact, size in (
        ("diagonal", closed.diagonal, curvature(precise, {name: one}, scale), step * step),
        ("product", closed.product, mixed(precise, {name: one}, direction, scale), step),
    ):
        if exact is None or name not in found or abs(exact) > LARGEST:
            verdict.skip("kinks")
            continue
        form = float(found[name][at])
        if not np.isfinite(form) and point.kind == "special":
            verdict.skip("kinks")
            continue
        noise = EPSILON * (scale + abs(exact)) / size
        verdict.compare(f"closed form: Hessian {what} of {name}", point, form, exact / size, noise, CLOSED_TOLERANCE)


# ---- kernels against closed forms -----------------------------------------------------------------------------------


def _judge_kernels(
    verdict: Judgement,
    kernels: SecondKernels,
    forms: SecondForms,
    closed: Second,
    size: float,
    point: Point,
    direction: Data,
) -> None:
    """Every element of both kernels, where the closed form has a value in float64's range."""
    call = Call(point.inputs, point.parameters, point.upstream)
    got = {(kind, n): a for kind, n, a in kernels.run(call, direction).items()}
    allowed = _rounding(kernels, forms, closed, point, direction, call)
    for kind, n, form in closed.items():
        power = 2 if kind == "Hessian diagonal" else 1
        unit = max(
            size / typical(point.inputs[n]) ** power, float(np.max(np.abs(form[np.isfinite(form)]), initial=0.0))
        )
        sane = np.isfinite(form) & (np.abs(form) < LARGEST)
        if not np.all(sane):
            verdict.skip("elements outside of float64's range")
        mine, exact = np.where(sane, got[kind, n], 0.0), np.where(sane, form, 0.0)
        noise = ROUNDING * EPSILON * min(unit, LARGEST) + allowed.get((kind, n), 0.0) + SMALLEST
        verdict.compare(f"{kind} of {n} against its closed form", point, mine, exact, noise)


def _rounding(
    kernels: SecondKernels, forms: SecondForms, closed: Second, point: Point, direction: Data, call: Call
) -> dict[tuple[str, str], Any]:
    """What an ulp of the inputs does to the closed forms, at large inputs to the kernels themselves too."""
    noise: dict[tuple[str, str], Any] = {}
    if point.is_generic:
        again, _ = forms.at(replace(point, inputs=rounded(point.inputs, 23)), direction, kernels.wrt)
        near = {(kind, n): a for kind, n, a in again.items()}
        for kind, n, a in closed.items():
            if (kind, n) in near:
                with np.errstate(all="ignore"):
                    noise[kind, n] = FORGIVEN_ULP * np.nan_to_num(np.abs(near[kind, n] - a), posinf=0.0)
    if point.kind == "special":
        first = {(kind, n): a for kind, n, a in kernels.run(call, direction).items()}
        for seed in (29, 31):
            moved = kernels.run(replace(call, inputs=rounded(call.inputs, seed)), direction)
            for kind, n, a in moved.items():
                with np.errstate(all="ignore"):
                    shift = np.nan_to_num(np.abs(a - first[kind, n]), posinf=0.0)
                noise[kind, n] = noise.get((kind, n), 0.0) + FORGIVEN_ULP * shift
    return noise
