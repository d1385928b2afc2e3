"""The judge of the second order by autograd: torch differentiates the independent evaluation twice.

Products by double backward along random directions; the diagonal by the derivatives of single elements of the gradient.
In float64 at normal points, moderate special ones and on kinks, under both reductions; in float32 at normal points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.autograd import (
    OWN_ULP,
    SINGLE_EPSILON,
    SINGLE_LARGEST,
    SINGLE_POINTS,
    SINGLE_TOLERANCE,
    truth,
)
from symgrad.validate.backends import EvaluationError
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, Data, KernelError
from symgrad.validate.points import Point
from symgrad.validate.precise import Precise
from symgrad.validate.second.differences import curvature, mixed
from symgrad.validate.second.kernels import Second, SecondKernels, drawn, typical
from symgrad.validate.verdict import (
    EPSILON,
    FORGIVEN_ULP,
    LARGEST,
    ROUNDING,
    TOLERANCE,
    Failure,
    Judgement,
    natural_scale,
    relative_error,
    rounded,
)

NUDGE = 1e-7
BESIDE = 12
"""How far, relative to the inputs, and how often the judge looks beside a point that may be a kink."""
MOST_ELEMENTS = 12
"""Elements of each input at which the diagonal is looked at."""
MOST_DOUBTFUL = 8
"""Elements for which autograd is doubted; more than these are a fault of the kernel."""
Places = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class SecondTruth:
    """What autograd says: the diagonal at some places of each input, and the product."""

    second: Second
    places: Places
    magnitude: float
    count: int

    @property
    def is_finite(self) -> bool:
        """Whether every number of it is finite."""
        return all(np.all(np.isfinite(a)) for _, _, a in self.second.items())


def second_truth(program: Program, wrt: Sequence[str], call: Call, direction: Data, places: Places) -> SecondTruth:
    """The Hessian of the mean loss by double backward; `places`: flat positions for the diagonal."""
    import torch

    from symgrad.validate.torch_backend import TorchBackend

    leaves = {n: torch.tensor(call.inputs[n], dtype=torch.float64, requires_grad=True) for n in wrt}
    values = evaluate_program(program, {**call.inputs, **leaves}, call.parameters, TorchBackend())
    loss = values[program.loss.name]
    grads = _again(loss.mean(), leaves, create_graph=True)
    along = sum((g * torch.as_tensor(direction[n])).sum() for n, g in grads.items())
    product = {n: g.detach().numpy(force=True) for n, g in _again(along, leaves, retain_graph=True).items()}
    diagonal = {n: np.zeros(len(at)) for n, at in places.items()}
    for n, at in places.items():
        for k, position in enumerate(at):
            one = grads[n].reshape(-1)[int(position)]
            diagonal[n][k] = float(_again(one, {n: leaves[n]}, retain_graph=True)[n].reshape(-1)[int(position)])
    first = truth(program, wrt, call)
    return SecondTruth(Second(diagonal, product), places, first.magnitude, first.count)


def _again(total: Any, leaves: Any, **options: Any) -> dict[str, Any]:
    """Derivatives of a scalar by the leaves; zeros where it does not depend on them."""
    import torch

    found: Sequence[Any] = [None] * len(leaves)
    if getattr(total, "requires_grad", False):
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, **options)
    return {n: torch.zeros_like(x) if g is None else g for (n, x), g in zip(leaves.items(), found, strict=True)}


def judge_second_autograd(program: Program, kernels: SecondKernels, points: Sequence[Point], seed: int) -> Judgement:
    """The verdict at these points."""
    verdict = Judgement("second autograd")
    for k, point in enumerate(points):
        limits.check()
        rng = np.random.default_rng((seed, 71, k))
        try:
            _judge_point(verdict, program, kernels, point, rng)
        except (KernelError, EvaluationError) as e:
            verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _judge_point(verdict: Judgement, program: Program, kernels: SecondKernels, point: Point, rng: Any) -> None:
    call = Call(point.inputs, point.parameters, point.upstream)
    direction = drawn(kernels.wrt, point.inputs, rng)
    places = {n: rng.permutation(point.inputs[n].size)[:MOST_ELEMENTS] for n in kernels.wrt}
    expected = second_truth(program, kernels.wrt, call, direction, places)
    if not expected.is_finite:
        verdict.skip("reference not finite")
        return
    verdict.look(point)
    noise = _noise(program, kernels.wrt, call, direction, expected, point, EPSILON)
    got = kernels.run(call, direction)
    if not _agrees(point, got, expected, noise):
        if not point.is_generic:
            expected = _or_beside(program, call, direction, expected, got)
        doubted = expected
        expected = in_range(lambda: _with_exact(program, point, direction, doubted, got, noise))
    _hold(verdict, point, got, expected, noise, 1)
    if program.loss.indices:
        at = replace(point, label=f"{point.label}, reduction=sum")
        _hold(verdict, at, kernels.run(replace(call, reduction="sum"), direction), expected, noise, expected.count)
    if verdict.failure is None and point.kind == "normal" and verdict.kinds["normal"] <= SINGLE_POINTS:
        _judge_single(verdict, program, kernels, call, direction, point, places)


def _agrees(point: Point, got: Second, expected: SecondTruth, noise: Second) -> bool:
    trial = Judgement("trial")
    _hold(trial, point, got, expected, noise, 1)
    return trial.failure is None


def _or_beside(program: Program, call: Call, direction: Data, expected: SecondTruth, got: Second) -> SecondTruth:
    """The truth, where the gradient has a kink one of those that the Hessian has beside it, or the mean of two.

    There is no Hessian at such a place (Huber at |r| == delta), and a simpler gradient need not take autograd's side.
    """
    rng = np.random.default_rng(5)
    near = []
    for _ in range(BESIDE):
        moved = {
            n: call.inputs[n] + NUDGE * typical(call.inputs[n]) * rng.choice([-1.0, 1.0], call.inputs[n].shape)
            for n in direction
        }
        there = second_truth(
            program, list(direction), replace(call, inputs={**call.inputs, **moved}), direction, expected.places
        )
        near.append(there.second)
    found = Second(
        {n: got.diagonal[n].reshape(-1)[at] for n, at in expected.places.items()},
        got.product,
    )

    def settled(kind: str) -> Data:
        mine, truth_ = getattr(found, kind), getattr(expected.second, kind)
        return {n: _beside(mine[n], truth_[n], [getattr(s, kind)[n] for s in near]) for n in truth_}

    return replace(expected, second=Second(settled("diagonal"), settled("product")))


def _beside(got: Any, expected: Any, near: Sequence[Any]) -> np.ndarray[Any, Any]:
    """What was got where it is one of the values beside, or midway of two, and these differ; else what is expected."""
    size = np.max(np.abs(near), axis=0) + 1
    jumps = np.max(near, axis=0) - np.min(near, axis=0) > 1e3 * NUDGE * size
    sides = [(a + b) / 2 for k, a in enumerate(near) for b in near[k:]]
    close = np.any([np.abs(got - side) <= 1e2 * NUDGE * size for side in sides], axis=0)
    return np.asarray(np.where(jumps & close, got, expected))


def _noise(
    program: Program,
    wrt: Sequence[str],
    call: Call,
    direction: Data,
    expected: SecondTruth,
    point: Point,
    epsilon: float,
) -> Second:
    """What rounding of the inputs alone does to each result; on a kink, where that would hide it, only its scale."""
    second = expected.second
    product: dict[str, Any] = {n: _unit(expected, call, n, a, 1) * epsilon for n, a in second.product.items()}
    diagonal: dict[str, Any] = {n: _unit(expected, call, n, a, 2) * epsilon for n, a in second.diagonal.items()}
    noise = Second(diagonal, product)
    if not point.is_generic:
        return noise
    moved = replace(call, inputs=rounded(call.inputs, 17, epsilon))
    again = second_truth(program, wrt, moved, direction, expected.places).second
    return Second(
        {
            n: a + FORGIVEN_ULP * np.nan_to_num(np.abs(again.diagonal[n] - second.diagonal[n]))
            for n, a in diagonal.items()
        },
        {n: a + FORGIVEN_ULP * np.nan_to_num(np.abs(again.product[n] - second.product[n])) for n, a in product.items()},
    )


def _unit(expected: SecondTruth, call: Call, name: str, a: np.ndarray[Any, Any], order: int) -> float:
    """ROUNDING times the size that a result has by its dimensions, value over input to a power, or has indeed.

    A product with a direction of the input's own size is of the size of value over input.
    """
    top = float(np.max(np.abs(call.inputs[name]), initial=0.0)) or 1.0
    size = min(expected.magnitude / top ** (order - 1), LARGEST)
    return ROUNDING * max(natural_scale(size, call.inputs, name, a), min(size, LARGEST) if top == 1.0 else 0.0)


def _hold(verdict: Judgement, point: Point, got: Second, expected: SecondTruth, noise: Second, times: int) -> None:
    """What was got against `times` what is expected."""
    for n, a in expected.second.diagonal.items():
        found = got.diagonal[n].reshape(-1)[expected.places[n]]
        verdict.compare(f"Hessian diagonal of {n}", point, found, a * times, noise.diagonal[n] * times)
    for n, a in expected.second.product.items():
        verdict.compare(f"Hessian-vector product of {n}", point, got.product[n], a * times, noise.product[n] * times)


def _with_exact(
    program: Program, point: Point, direction: Data, expected: SecondTruth, got: Second, noise: Second
) -> SecondTruth:
    """The truth, its doubtful elements by second differences of the formula in multiprecision.

    torch's polygamma is right to nine digits only.
    """
    precise = Precise(program, point)
    diagonal = {n: a.copy() for n, a in expected.second.diagonal.items()}
    product = {n: a.copy() for n, a in expected.second.product.items()}
    for n, at in expected.places.items():
        shape, step = point.inputs[n].shape, typical(point.inputs[n])
        for k in _doubtful(got.diagonal[n].reshape(-1)[at], diagonal[n], noise.diagonal[n]):
            one = step * np.eye(1, point.inputs[n].size, int(at[k])).reshape(shape)
            exact = curvature(precise, {n: one}, expected.magnitude)
            diagonal[n][k] = diagonal[n][k] if exact is None else exact / step**2
        flat = product[n].reshape(-1)
        for k in _doubtful(got.product[n], product[n], noise.product[n]):
            one = step * np.eye(1, point.inputs[n].size, k).reshape(shape)
            exact = mixed(precise, {n: one}, direction, expected.magnitude)
            flat[k] = flat[k] if exact is None else exact / step
    return replace(expected, second=Second(diagonal, product))


def _doubtful(got: Any, expected: Any, noise: Any) -> list[int]:
    errors = relative_error(got, expected, np.broadcast_to(noise, got.shape), TOLERANCE).reshape(-1)
    return [int(k) for k in np.flatnonzero(errors > TOLERANCE)[:MOST_DOUBTFUL]]


def _judge_single(
    verdict: Judgement,
    program: Program,
    kernels: SecondKernels,
    call: Call,
    direction: Data,
    point: Point,
    places: Places,
) -> None:
    """float32 kernels against the float64 reference at the rounded inputs."""
    single = call.cast(np.float32)
    v = {n: d.astype(np.float32) for n, d in direction.items()}
    doubled = single.cast(np.float64)
    expected = second_truth(program, kernels.wrt, doubled, {n: d.astype(float) for n, d in v.items()}, places)
    if not expected.is_finite or expected.magnitude > SINGLE_LARGEST:
        verdict.skip("beyond float32")
        return
    wide = {n: d.astype(float) for n, d in v.items()}
    noise = _noise(program, kernels.wrt, doubled, wide, expected, point, SINGLE_EPSILON)
    at = replace(point, label=f"{point.label}, float32")
    got = kernels.run(single, v)
    near = kernels.run(replace(single, inputs=rounded(single.inputs, 19, SINGLE_EPSILON)), v)
    pairs = zip(got.items(), near.items(), noise.items(), expected.second.items(), strict=True)
    for (kind, n, mine), (_, _, other), (_, _, allowed), (_, _, exact) in pairs:
        with np.errstate(all="ignore"):
            moved = np.nan_to_num(np.abs(other - mine), posinf=0.0).max(initial=0.0)
        found = mine.reshape(-1)[places[n]] if kind == "Hessian diagonal" else mine
        verdict.compare(f"{kind} of {n}", at, found, exact, allowed + OWN_ULP * moved, SINGLE_TOLERANCE)
        if mine.dtype != np.float32:
            verdict.fail(Failure(f"{kind} of {n} has dtype {mine.dtype}", at.label))
