"""The judge differences: no torch, no derivation.

Taylor: along a random direction the generated value minus its linear part by the generated gradient falls with the
square of the step (order >= 1.9). Richardson: central differences of the independent evaluator, extrapolated, against
the generated gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, Data, KernelError, NumpyKernels, Outcome, attempt, guarded
from symgrad.validate.points import Point
from symgrad.validate.verdict import EPSILON, Failure, Judgement

ORDER = 1.9
STEPS = (1e-2, 1e-3, 1e-4, 1e-5)
RICHARDSON_STEPS = (1e-3, 1e-4, 1e-2, 1e-5)
"""In this order, until one is sure."""
SURE = 1e-8
TOLERANCE = 1e-6
DIRECTIONS = 2


@dataclass(frozen=True)
class Slope:
    """A direction in the inputs and what the generated gradient says of it; `size` adds up the moduli of its parts."""

    direction: Data
    value: float
    size: float


def judge_differences(
    program: Program, wrt: Sequence[str], kernels: NumpyKernels, points: Sequence[Point], seed: int
) -> Judgement:
    """The verdict at these points; directions come from another stream than the points."""
    verdict = Judgement("differences", tolerance=TOLERANCE)
    for k, point in enumerate(points):
        call = Call(point.inputs, point.parameters, point.upstream)
        verdict.look(point)
        try:
            got = attempt(kernels, call)
            for d in range(DIRECTIONS):
                limits.check()
                rng = np.random.default_rng((seed, 31, k, d))
                slope = _slope(program, wrt, point, got, rng)
                if slope is not None:
                    _taylor(verdict, program, kernels, call, point, slope)
                    _richardson(verdict, program, call, point, slope)
        except KernelError as e:
            verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _slope(program: Program, wrt: Sequence[str], point: Point, got: Outcome, rng: Any) -> Slope | None:
    """A random direction that scales with each element and stays inside of its domain for small steps."""
    direction, parts = {}, []
    for n in wrt:
        x = point.inputs[n]
        d = rng.standard_normal(x.shape) * np.maximum(np.abs(x), 0.1 * float(np.mean(np.abs(x))) if x.size else 0.0)
        direction[n] = d
        parts.append((got.gradients[n] * d).ravel())
    flat = np.concatenate(parts) if parts else np.zeros(0)
    return Slope(direction, float(flat.sum()), float(np.abs(flat).sum())) if flat.size else None


def _moved(call: Call, slope: Slope, h: float) -> Call:
    return replace(
        call, inputs={n: a + h * slope.direction[n] if n in slope.direction else a for n, a in call.inputs.items()}
    )


def _total(program: Program, values: Data, call: Call) -> float:
    """The scalar whose gradient is judged: the mean loss, or upstream times outputs."""
    if program.is_loss:
        return float(np.mean(values[program.loss.name]))
    return float(sum(np.sum(call.upstream[f"d{s.name}"] * values[s.name]) for s in program.outputs))


def _size(program: Program, values: Data, call: Call) -> float:
    """The sum of moduli behind that scalar: what its rounding is relative to."""
    if program.is_loss:
        return float(np.mean(np.abs(values[program.loss.name])))
    return float(sum(np.sum(np.abs(call.upstream[f"d{s.name}"] * values[s.name])) for s in program.outputs))


def _taylor(
    verdict: Judgement, program: Program, kernels: NumpyKernels, call: Call, point: Point, slope: Slope
) -> None:
    """value(x + h d) - value(x) - h slope = O(h**2) for the generated pair, at some range of steps."""
    here = guarded("numpy", lambda: kernels.values(call))
    start, size = _total(program, here, call), _size(program, here, call)
    floor = 1e3 * EPSILON * (size + abs(start))
    best = 0.0
    for h in STEPS:
        rest = []
        for step in (h, h / 2):
            with np.errstate(all="ignore"):
                rest.append(
                    abs(_total(program, kernels.values(_moved(call, slope, step)), call) - start - step * slope.value)
                )
        if not all(np.isfinite(rest)):
            continue
        if rest[1] <= floor + 1e-9 * h * slope.size:
            return
        if rest[0] <= floor:
            return
        best = max(best, float(np.log2(rest[0] / rest[1])))
        if best >= ORDER:
            return
    verdict.fail(Failure("order of the Taylor test of the generated value and gradient", point.label, (), best, 2.0))


def _richardson(verdict: Judgement, program: Program, call: Call, point: Point, slope: Slope) -> None:
    """Extrapolated central differences of the independent evaluation against the generated slope."""
    size = _size(program, evaluate_program(program, call.inputs, call.parameters), call)
    attempts = []
    for h in RICHARDSON_STEPS:
        got, doubt = _extrapolated(program, call, slope, h)
        if np.isfinite(got) and np.isfinite(doubt):
            attempts.append((doubt + 1e2 * EPSILON * size / h, got, h))
            if attempts[-1][0] <= SURE * max(slope.size, abs(got)):
                break
    if not attempts:
        verdict.skip("differences not finite")
        return
    noise, got, _ = min(attempts)
    noise = 10 * noise + 1e-9 * slope.size
    if noise > 1e-3 * max(slope.size, abs(got)) and abs(got - slope.value) <= noise:
        verdict.skip("differences too noisy")
        return
    verdict.compare("slope by the generated gradient", point, slope.value, got, noise, TOLERANCE)


def _extrapolated(program: Program, call: Call, slope: Slope, h: float) -> tuple[float, float]:
    """Richardson's value from steps h, h/2, h/4, and how far it moved last."""

    def at(step: float) -> float:
        both = []
        for sign in (1, -1):
            moved = _moved(call, slope, sign * step)
            both.append(_total(program, evaluate_program(program, moved.inputs, call.parameters), call))
        return (both[0] - both[1]) / (2 * step)

    a, b, c = at(h), at(h / 2), at(h / 4)
    ab, bc = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * bc - ab) / 15, abs(bc - ab)
