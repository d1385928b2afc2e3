"""The judge of the second order's conduct: what `hvp` and `grad_and_hess` must do beside being right.

The gradient is that of `grad`, the product is linear and symmetric, mean is the default and sum its multiple, "none" is
refused, strided inputs give the same, nothing is written to, two runs agree to the bit, nothing warns.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.validate.conduct import strided
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, Data, KernelError
from symgrad.validate.points import Point
from symgrad.validate.second.kernels import Second, SecondKernels, drawn
from symgrad.validate.verdict import EPSILON, ROUNDING, Failure, Judgement, magnitude

NOISE = 1e-12
SYMMETRY = 1e-10
"""Both relative to the largest parts."""


def judge_second_conduct(kernels: SecondKernels, points: Sequence[Point], seed: int) -> Judgement:
    """The verdict at these points."""
    verdict = Judgement("second conduct")
    for k, point in enumerate(points):
        limits.check()
        verdict.look(point)
        try:
            _judge_point(verdict, kernels, point, np.random.default_rng((seed, 83, k)))
        except KernelError as e:
            verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _judge_point(verdict: Judgement, kernels: SecondKernels, point: Point, rng: Any) -> None:
    call = Call(point.inputs, point.parameters, point.upstream)
    v, w = (drawn(kernels.wrt, point.inputs, rng) for _ in range(2))
    given = [*call.inputs.items(), *((f"the direction of {n}", d) for n, d in v.items())]
    copies = {n: a.copy() for n, a in given}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = kernels.run(call, v)
    for said in caught:
        verdict.fail(Failure(f"a kernel of the second order warns: {said.message}", point.label))
    for n, a in given:
        if not np.array_equal(a, copies[n], equal_nan=a.dtype.kind == "f"):
            verdict.fail(Failure(f"a kernel of the second order wrote to {n}", point.label))
    again = kernels.run(call, v)
    if not all(np.array_equal(a, b, equal_nan=True) for (_, _, a), (_, _, b) in _pairs(first, again)):
        verdict.fail(Failure("two runs of a kernel of the second order differ", point.label))
    apart = replace(call, inputs={n: strided(a) for n, a in call.inputs.items()})
    _close(verdict, "strided inputs", point, kernels.run(apart, {n: strided(d) for n, d in v.items()}), first, 1)
    _judge_gradient(verdict, kernels, call, point)
    _judge_reductions(verdict, kernels, call, point, v, first)
    _judge_product(verdict, kernels, call, point, v, w)


def _pairs(a: Second, b: Second) -> Any:
    return zip(a.items(), b.items(), strict=True)


def _close(verdict: Judgement, what: str, point: Point, got: Second, expected: Second, times: float) -> None:
    for (kind, n, a), (_, _, b) in _pairs(got, expected):
        noise = NOISE * times * float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
        verdict.compare(f"{what}: {kind} of {n}", point, a, b * times, noise)


def _judge_gradient(verdict: Judgement, kernels: SecondKernels, call: Call, point: Point) -> None:
    mine, other = kernels.grad_and_hess(call)[0], kernels.first.gradients(call)
    for n, a in mine.items():
        noise = NOISE * float(np.max(np.abs(other[n][np.isfinite(other[n])]), initial=0.0))
        verdict.compare(f"gradient of {n} by grad_and_hess", point, a, other[n], noise)


def _judge_reductions(
    verdict: Judgement, kernels: SecondKernels, call: Call, point: Point, v: Data, mean: Second
) -> None:
    program = kernels.program
    if not program.loss.indices:
        return
    count = evaluate_program(program, call.inputs, call.parameters)[program.loss.name].size
    _close(verdict, "reduction=mean", point, kernels.run(replace(call, reduction="mean"), v), mean, 1)
    _close(verdict, "reduction=sum", point, kernels.run(replace(call, reduction="sum"), v), mean, count)
    for run in (kernels.diagonal, lambda c: kernels.product(c, v)):
        try:
            run(replace(call, reduction="none"))
        except KernelError as e:
            if "ValueError" in str(e):
                continue
        verdict.fail(Failure("reduction=none is not refused by a kernel of the second order", point.label))


def _judge_product(verdict: Judgement, kernels: SecondKernels, call: Call, point: Point, v: Data, w: Data) -> None:
    """2v gives twice the product; w H v = v H w."""
    hv, hw = kernels.product(call, v), kernels.product(call, w)
    twice = kernels.product(call, {n: 2 * d for n, d in v.items()})
    nothing: Data = {}
    _close(verdict, "hvp of 2 v", point, Second(nothing, twice), Second(nothing, hv), 2)
    left, right = ([(hv[n] * w[n]).ravel() for n in hv], [(hw[n] * v[n]).ravel() for n in hw])
    parts = np.abs(np.concatenate([*left, *right]))
    # directions are of the inputs' size, so both sides are of the size of the value, or cancel from there
    values = evaluate_program(kernels.program, call.inputs, call.parameters)
    noise = SYMMETRY * float(parts.sum()) + ROUNDING * EPSILON * parts.size * magnitude(call.inputs, {}, values)
    verdict.compare("w H v, held against v H w", point, np.concatenate(left).sum(), np.concatenate(right).sum(), noise)
