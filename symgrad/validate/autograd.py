"""The judge autograd: torch differentiates the independent evaluation of the formula as it was read.

Values and gradients of both generated kernels are held against it in float64 at normal points and on kinks (whose
conventions are torch's), under every reduction; float32 kernels against the float64 reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import walk
from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.evaluate import Evaluation, evaluate_program
from symgrad.validate.forward_mode import judge_tangents
from symgrad.validate.kernels import Call, Data, KernelError, Kernels, Outcome, TorchKernels, attempt
from symgrad.validate.points import Point
from symgrad.validate.precise import Precise, Probe
from symgrad.validate.verdict import (
    EPSILON,
    FORGIVEN_ULP,
    ROUNDING,
    TOLERANCE,
    Failure,
    Judgement,
    magnitude,
    natural_scale,
    relative_error,
    rounded,
)

SINGLE_TOLERANCE = 1e-4
SINGLE_EPSILON = float(np.finfo(np.float32).eps)
SINGLE_LARGEST = 1e30
SINGLE_POINTS = 3
OWN_ULP = 16
TORN_ULP = 4
"""Distance at which rounding may turn a comparison of two computed numbers."""
MOST_DOUBTFUL = 16
"""Elements of a gradient that are looked at in multiprecision where a kernel and autograd disagree."""


@dataclass(frozen=True)
class Truth:
    """What autograd says at a call. `magnitude`: the largest number on the way; `count`: samples."""

    outcome: Outcome
    magnitude: float
    count: int

    @property
    def results(self) -> Data:
        """Values and gradients together, by name."""
        return {**self.outcome.values, **self.outcome.gradients}

    @property
    def is_finite(self) -> bool:
        """Whether every number of it is finite."""
        return all(np.all(np.isfinite(a)) for a in self.results.values())


def reference(program: Program, wrt: Sequence[str], call: Call) -> Outcome:
    """Values and gradients by torch autograd of the independent evaluator."""
    return truth(program, wrt, call).outcome


def truth(program: Program, wrt: Sequence[str], call: Call) -> Truth:
    """Values and gradients by torch autograd of the independent evaluator, and their scale.

    Of a loss its mean, or where `d<loss>` is given among the cotangents the sum of the batch times these.
    """
    import torch

    from symgrad.validate.torch_backend import TorchBackend

    tensors: dict[str, Any] = dict(call.inputs)
    tensors.update({n: torch.tensor(call.inputs[n], dtype=torch.float64, requires_grad=True) for n in wrt})
    values = evaluate_program(program, tensors, call.parameters, TorchBackend())
    outputs = {s.name: values[s.name] for s in program.outputs}
    count = outputs[program.loss.name].numel() if program.is_loss else 1
    if program.is_loss:
        given = call.upstream.get(f"d{program.loss.name}")
        loss = next(iter(outputs.values()))
        total = loss.mean() if given is None else (torch.as_tensor(given) * loss).sum()
        outputs = {program.loss.name: total}
    else:
        total = sum((torch.as_tensor(call.upstream[f"d{n}"]) * y).sum() for n, y in outputs.items())
    named = [v for v in values.values() if v.requires_grad]
    leaves = [*(tensors[n] for n in wrt), *named]
    found: Sequence[Any] = [None] * len(leaves)
    if total.requires_grad:
        found = torch.autograd.grad(total, leaves, allow_unused=True)
    arrays = [np.zeros(x.shape) if g is None else g.numpy(force=True) for x, g in zip(leaves, found, strict=True)]
    grads = dict(zip(wrt, arrays, strict=False))
    size = magnitude(call.inputs, call.upstream, {n: v.detach().numpy() for n, v in values.items()})
    size = max(size, _passed_on(named, arrays[len(wrt) :]) * max(_exponents(program, call), 1.0))
    return Truth(Outcome({n: y.detach().numpy() for n, y in outputs.items()}, grads), size, count)


def _passed_on(values: Sequence[Any], adjoints: Sequence[np.ndarray[Any, Any]]) -> float:
    """The largest product of a statement and its adjoint: terms of that size may cancel in a gradient."""
    sizes = (
        float(np.max(np.abs(v.detach().numpy()))) * float(np.max(np.abs(a)))
        for v, a in zip(values, adjoints, strict=True)
        if a.size
    )
    return max((s for s in sizes if np.isfinite(s)), default=0.0)


def _exponents(program: Program, call: Call) -> float:
    """The largest exponent of exp, softmax and logsumexp: by so much they enlarge a relative error."""
    bodies = [
        x.args[0]
        for s in program.statements
        for x in walk(s.body)
        if (x.op == "red" and x.data == "lse") or (x.op == "fn" and x.data == "exp")
    ]
    if not bodies:
        return 0.0
    work = Evaluation(program, call.inputs, call.parameters, strict=False)
    work.run(program.statements)
    with np.errstate(all="ignore"):
        sizes = [np.abs(work.value(t, ()).array) for t in bodies]
    return max(float(np.max(a[np.isfinite(a)], initial=0.0)) for a in map(np.atleast_1d, sizes))


def judge_autograd(
    program: Program, wrt: Sequence[str], kernels: Sequence[Kernels], points: Sequence[Point]
) -> Judgement:
    """The verdict at these points."""
    verdict = Judgement("autograd")
    for point in points:
        limits.check()
        try:
            _judge_point(verdict, program, wrt, kernels, point)
        except (KernelError, EvaluationError) as e:
            verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _judge_point(
    verdict: Judgement, program: Program, wrt: Sequence[str], kernels: Sequence[Kernels], point: Point
) -> None:
    """Every kernel at one point: in float64, and where it is among the first normal ones in float32 too."""
    call = Call(point.inputs, point.parameters, point.upstream)
    expected = truth(program, wrt, call)
    if not expected.is_finite:
        verdict.skip("reference not finite")
        return
    verdict.look(point)
    noise = _noise(program, wrt, call, expected, point, EPSILON)
    for kernel in kernels:
        _judge_kernel(verdict, kernel, call, point, expected, noise)
    if verdict.failure is None and point.kind == "normal" and verdict.kinds["normal"] <= SINGLE_POINTS:
        _judge_upstream(verdict, program, wrt, kernels, call, point)
        _judge_single(verdict, program, wrt, kernels, call, point)


def _noise(
    program: Program, wrt: Sequence[str], call: Call, expected: Truth, point: Point, epsilon: float
) -> Mapping[str, Any]:
    """What rounding of the inputs alone does to each result; on a kink, where that would hide it, only its scale."""
    scale = {n: natural_scale(expected.magnitude, call.inputs, n, g) for n, g in expected.outcome.gradients.items()}
    noise: dict[str, Any] = {n: ROUNDING * epsilon * scale.get(n, expected.magnitude) for n in expected.results}
    if not point.is_generic:
        return noise
    again = truth(program, wrt, replace(call, inputs=rounded(call.inputs, 17, epsilon))).results
    shift = {n: np.nan_to_num(np.abs(again[n] - a)) for n, a in expected.results.items()}
    return {n: a + FORGIVEN_ULP * shift[n] for n, a in noise.items()}


def _judge_kernel(
    verdict: Judgement, kernel: Kernels, call: Call, point: Point, expected: Truth, noise: Mapping[str, Any]
) -> None:
    """Value and gradients of one kernel at one point; of a loss under the reductions mean and sum."""
    got = attempt(kernel, call)
    _hold(verdict, kernel, point, got, expected.outcome, noise, 1)
    if isinstance(kernel, TorchKernels) and verdict.failure is None:
        judge_tangents(verdict, kernel, call, point, got.gradients, noise)
    if kernel.program.is_loss and kernel.program.loss.indices:
        at = replace(point, label=f"{point.label}, reduction=sum")
        got = attempt(kernel, replace(call, reduction="sum"))
        _hold(verdict, kernel, at, got, expected.outcome, noise, expected.count)


def _judge_upstream(
    verdict: Judgement, program: Program, wrt: Sequence[str], kernels: Sequence[Kernels], call: Call, point: Point
) -> None:
    """The torch kernel of a loss under upstreams that are no 1: one number, and for reduction none one an element."""
    if not program.is_loss or not any(isinstance(k, TorchKernels) for k in kernels):
        return
    name, rng = f"d{program.loss.name}", np.random.default_rng((*map(ord, point.label), 43))
    batch = evaluate_program(program, call.inputs, call.parameters)[program.loss.name].shape
    number = np.asarray(rng.standard_normal())
    cases: list[tuple[str, str | None, Any, Any]]
    cases = [("a 0-dim upstream", None, number, np.broadcast_to(number / max(1, int(np.prod(batch))), batch))]
    if program.loss.indices:
        weights = rng.standard_normal(batch)
        cases.append(("reduction=none and a random upstream", "none", weights, weights))
    for words, reduction, given, weights in cases:
        weighted = replace(call, upstream={name: np.array(weights)})
        at = replace(point, label=f"{point.label}, {words}", upstream=dict(weighted.upstream))
        expected = truth(program, wrt, weighted)
        noise = _noise(program, wrt, weighted, expected, point, EPSILON)
        for kernel in (k for k in kernels if isinstance(k, TorchKernels)):
            got = attempt(kernel, replace(call, reduction=reduction, upstream={name: given}))
            _hold(verdict, kernel, at, replace(got, values={}), replace(expected.outcome, values={}), noise, 1)


def _hold(
    verdict: Judgement,
    kernel: Kernels,
    point: Point,
    got: Outcome,
    expected: Outcome,
    noise: Mapping[str, Any],
    times: int,
) -> None:
    """What was got against `times` what is expected."""
    for n, v in expected.values.items():
        verdict.compare(f"{kernel.name} value {n}", point, got.values[n], v * times, noise[n] * times)
    for n, g in expected.gradients.items():
        what, clear = f"{kernel.name} gradient of {n}", verdict.failure is None
        worst, where = verdict.worst, verdict.where
        if verdict.compare(what, point, got.gradients[n], g * times, noise[n] * times) or not clear:
            continue
        doubted = (kernel.program, point, n, got.gradients[n], g * times, noise[n] * times, times)
        exact = in_range(partial(_exactly, *doubted))
        if exact is not None:
            said = f"{verdict.failure}; there autograd is off by rounding: held against exact differences"
            verdict.forgive(said, worst, where)
            verdict.compare(what, point, got.gradients[n], exact, noise[n] * times)


def _exactly(
    program: Program, point: Point, name: str, got: Any, expected: Any, noise: Any, times: int
) -> np.ndarray[Any, Any] | None:
    """`expected`, its doubtful elements by differences of the formula in multiprecision; None where that cannot say."""
    errors = relative_error(got, expected, np.broadcast_to(noise, got.shape), TOLERANCE)
    doubtful = np.argwhere(errors > TOLERANCE)
    if not point.is_generic or len(doubtful) > MOST_DOUBTFUL or not np.all(np.isfinite(got)):
        return None
    precise, exact = Precise(program, point), np.array(expected)
    for place in doubtful:
        at = tuple(int(k) for k in place)
        step = np.zeros(got.shape)
        step[at] = max(abs(float(point.inputs[name][at])), 1e-3)
        slope = precise.slope(Probe({name: step}, name), abs(float(expected[at])) * float(step[at]))
        if slope is None:
            return None
        exact[at] = slope / step[at] * times
    return exact


def _nearly_equal(a: Any, b: Any) -> Any:
    gap = np.abs(a - b)
    return (gap > 0) & (gap <= TORN_ULP * SINGLE_EPSILON * (np.abs(a) + np.abs(b)))


def _is_torn(program: Program, call: Call) -> bool:
    """Whether the sides of some comparison, Max or Min differ, but by less than float32 tells apart."""
    asked = [
        pair
        for s in program.statements
        for x in walk(s.body)
        for pair in combinations(x.args, 2)
        if x.tensors and (x.op == "cmp" or (x.op == "fn" and x.data in ("Max", "Min")))
    ]
    if not asked:
        return False
    work = Evaluation(program, call.inputs, call.parameters, strict=False)
    work.run(program.statements)
    with np.errstate(all="ignore"):
        for one, other in asked:
            if np.any(work.apply(_nearly_equal, work.value(one, ()), work.value(other, ())).array):
                return True
    return False


def _judge_single(
    verdict: Judgement, program: Program, wrt: Sequence[str], kernels: Sequence[Kernels], call: Call, point: Point
) -> None:
    """float32 kernels against the float64 reference at the rounded inputs."""
    single = call.cast(np.float32)
    doubled = single.cast(np.float64)
    expected = truth(program, wrt, doubled)
    if not expected.is_finite or expected.magnitude > SINGLE_LARGEST:
        verdict.skip("beyond float32")
        return
    if _is_torn(program, doubled):
        verdict.skip("conditions that float32 cannot decide")
        return
    noise = _noise(program, wrt, doubled, expected, point, SINGLE_EPSILON)
    at = replace(point, label=f"{point.label}, float32")
    for kernel in kernels:
        got = attempt(kernel, single).gradients
        near = attempt(kernel, replace(single, inputs=rounded(single.inputs, 19, SINGLE_EPSILON))).gradients
        for n, g in expected.outcome.gradients.items():
            # how accurate a kernel is in float32 is not judged here, only that its formula is right there too
            with np.errstate(all="ignore"):
                moved = np.nan_to_num(np.abs(near[n] - got[n]), posinf=0.0).max(initial=0.0)
            allowed = noise[n] + OWN_ULP * moved
            verdict.compare(f"{kernel.name} gradient of {n}", at, got[n], g, allowed, SINGLE_TOLERANCE)
            if got[n].dtype != np.float32:
                verdict.fail(Failure(f"{kernel.name} gradient of {n} has dtype {got[n].dtype}", at.label))
