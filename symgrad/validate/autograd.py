"""The judge autograd: torch differentiates the independent evaluation of the formula as it was read.

Values and gradients of both generated kernels are held against it in float64 at normal points and on kinks (whose
conventions are torch's), under every reduction; float32 kernels against the float64 reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, KernelError, Kernels, Outcome, attempt
from symgrad.validate.points import Point
from symgrad.validate.verdict import EPSILON, ROUNDING, Failure, Judgement, natural_scale

SINGLE_TOLERANCE = 1e-4
SINGLE_EPSILON = float(np.finfo(np.float32).eps)
FORGIVEN_ULP = 1000


def reference(program: Program, wrt: Sequence[str], call: Call) -> Outcome:
    """Values and gradients by torch autograd of the independent evaluator."""
    import torch

    from symgrad.validate.torch_backend import TorchBackend

    tensors: dict[str, Any] = dict(call.inputs)
    tensors.update({n: torch.tensor(call.inputs[n], dtype=torch.float64, requires_grad=True) for n in wrt})
    values = evaluate_program(program, tensors, call.parameters, TorchBackend())
    outputs = {s.name: values[s.name] for s in program.outputs}
    if program.is_loss:
        name = program.loss.name
        if call.reduction != "none":
            outputs[name] = outputs[name].sum() if call.reduction == "sum" else outputs[name].mean()
        total = outputs[name].sum()
    else:
        total = sum((torch.as_tensor(call.upstream[f"d{n}"]) * y).sum() for n, y in outputs.items())
    leaves = [tensors[n] for n in wrt]
    found: Sequence[Any] = [None] * len(leaves)
    if total.requires_grad:
        found = torch.autograd.grad(total, leaves, allow_unused=True)
    grads = {
        n: np.zeros(tuple(x.shape)) if g is None else g.numpy() for n, x, g in zip(wrt, leaves, found, strict=True)
    }
    return Outcome({n: y.detach().numpy() for n, y in outputs.items()}, grads)


def judge_autograd(
    program: Program, wrt: Sequence[str], kernels: Sequence[Kernels], points: Sequence[Point]
) -> Judgement:
    """The verdict at these points."""
    verdict = Judgement("autograd")
    for point in points:
        limits.check()
        call = Call(point.inputs, point.parameters, point.upstream)
        expected = reference(program, wrt, call)
        if not _is_finite(expected):
            verdict.skip("reference not finite")
            continue
        verdict.look(point)
        noise = _noise(program, wrt, call, expected, point)
        for kernel in kernels:
            _judge_kernel(verdict, program, kernel, call, point, expected, noise)
        if verdict.failure is not None:
            break
    return verdict


def _is_finite(outcome: Outcome) -> bool:
    return all(np.all(np.isfinite(a)) for a in (*outcome.values.values(), *outcome.gradients.values()))


def _noise(
    program: Program, wrt: Sequence[str], call: Call, expected: Outcome, point: Point, epsilon: float = EPSILON
) -> Mapping[str, Any]:
    """What rounding of the inputs alone does to each result; on a kink, where that would hide it, only its scale."""
    names = (*expected.values, *expected.gradients)
    results = {**expected.values, **expected.gradients}
    total = sum(float(np.sum(np.abs(v))) for v in expected.values.values())
    scale = {n: natural_scale(total, call.inputs, n, expected.gradients[n]) for n in expected.gradients}
    scale |= {n: float(np.max(np.abs(v), initial=0.0)) for n, v in expected.values.items()}
    noise: dict[str, Any] = {n: ROUNDING * epsilon * scale[n] for n in names}
    if not point.is_generic:
        return noise
    rng = np.random.default_rng(17)
    moved = {
        n: a * (1 + epsilon * rng.choice([-1.0, 1.0], size=a.shape)) if a.dtype.kind == "f" else a
        for n, a in call.inputs.items()
    }
    other = reference(program, wrt, replace(call, inputs=moved))
    again = {**other.values, **other.gradients}
    return {n: noise[n] + FORGIVEN_ULP * np.nan_to_num(np.abs(again[n] - results[n])) for n in names}


def _judge_kernel(
    verdict: Judgement,
    program: Program,
    kernel: Kernels,
    call: Call,
    point: Point,
    expected: Outcome,
    noise: Mapping[str, Any],
) -> None:
    """Value and gradients of one kernel at one point, and under the other reductions."""
    try:
        got = attempt(kernel, call)
        _hold(verdict, kernel, point, got, expected, noise)
        if program.is_loss and program.loss.indices:
            _judge_sum(verdict, program, kernel, call, point, expected, noise)
        if point.kind == "normal":
            _judge_single(verdict, program, kernel, call, point)
    except KernelError as e:
        verdict.fail(Failure(str(e), point.label))


def _hold(
    verdict: Judgement, kernel: Kernels, point: Point, got: Outcome, expected: Outcome, noise: Mapping[str, Any]
) -> None:
    for n, v in expected.values.items():
        verdict.compare(f"{kernel.name} value {n}", point, got.values[n], v, noise[n])
    for n, g in expected.gradients.items():
        verdict.compare(f"{kernel.name} gradient of {n}", point, got.gradients[n], g, noise[n])


def _judge_sum(
    verdict: Judgement,
    program: Program,
    kernel: Kernels,
    call: Call,
    point: Point,
    expected: Outcome,
    noise: Mapping[str, Any],
) -> None:
    """reduction="sum": the mean's value and gradients times the number of samples."""
    values = evaluate_program(program, call.inputs, call.parameters)
    count = values[program.loss.name].size
    scaled = Outcome(
        {n: v * count for n, v in expected.values.items()}, {n: g * count for n, g in expected.gradients.items()}
    )
    got = attempt(kernel, replace(call, reduction="sum"))
    _hold(
        verdict,
        kernel,
        replace(point, label=f"{point.label}, reduction=sum"),
        got,
        scaled,
        {n: a * count for n, a in noise.items()},
    )


def _judge_single(verdict: Judgement, program: Program, kernel: Kernels, call: Call, point: Point) -> None:
    """float32 kernels against the float64 reference at the rounded inputs."""
    single, wrt = call.cast(np.float32), kernel.wrt
    rounded = single.cast(np.float64)
    expected = reference(program, wrt, rounded)
    if not _is_finite(expected) or _overflows(expected):
        return
    noise = _noise(program, wrt, rounded, expected, point, SINGLE_EPSILON)
    got = attempt(kernel, single)
    at = replace(point, label=f"{point.label}, float32")
    for n, g in expected.gradients.items():
        verdict.compare(f"{kernel.name} gradient of {n}", at, got.gradients[n], g, noise[n], SINGLE_TOLERANCE)
        if got.gradients[n].dtype not in (np.float32, np.dtype(float)) or (
            got.gradients[n].dtype != np.float32 and np.any(g)
        ):
            verdict.fail(
                Failure(f"{kernel.name} gradient of {n} has dtype {got.gradients[n].dtype} for float32", point.label)
            )


def _overflows(outcome: Outcome) -> bool:
    top = float(np.finfo(np.float32).max) / 1e6
    return any(np.any(np.abs(a) > top) for a in (*outcome.values.values(), *outcome.gradients.values()))
