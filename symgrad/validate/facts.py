"""The judge facts: points that break each declared fact on purpose.

Where the generated gradient is wrong without a fact, the fact must be named among those assumed, and `check_inputs`
must refuse the data: the result is then reported as valid under that fact only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Fact, Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.decimal_backend import in_range
from symgrad.validate.equations import holds
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, Data, KernelError, NumpyKernels, attempt
from symgrad.validate.points import Point, place
from symgrad.validate.precise import Precise, Probe
from symgrad.validate.sampling import cotangents, sample_inputs
from symgrad.validate.verdict import Failure, Judgement

WRONG = 1e-6
SMALL = 3000


def judge_facts(
    program: Program, wrt: Sequence[str], kernels: NumpyKernels, assumed: Sequence[Fact], seed: int
) -> Judgement:
    """The verdict: one point a fact whose breaking leaves the formula a value."""
    verdict = Judgement("facts", tolerance=WRONG)
    named = {f.condition for f in assumed}
    at = place(program, 0, SMALL)
    for k, fact in enumerate(program.facts):
        if not fact.condition.tensors & {i.name for i in program.inputs}:
            continue
        limits.check()
        rng = np.random.default_rng((seed, 71, k))
        base = sample_inputs(program, at.dims, (2,), rng, 1.0, at.parameters)
        broken = _broken(program, fact, base, at.parameters, rng)
        if broken is None:
            verdict.skip("facts that cannot be broken within the formula's domain")
            continue
        upstream = {} if program.is_loss else cotangents(program, evaluate_program(program, broken, at.parameters), rng)
        point = Point(
            "off fact", f"data that break {fact.text or repr(fact.condition)}", broken, at.parameters, upstream
        )
        missing = [f for f in program.facts if not holds(program, f.condition, broken, at.parameters)]
        reported = any(f.condition in named for f in missing)
        _judge_fact(verdict, program, wrt, kernels, fact, reported, point, rng)
    return verdict


def _judge_fact(
    verdict: Judgement,
    program: Program,
    wrt: Sequence[str],
    kernels: NumpyKernels,
    fact: Fact,
    reported: bool,
    point: Point,
    rng: Any,
) -> None:
    text = fact.text or repr(fact.condition)
    call = Call(point.inputs, point.parameters, point.upstream)
    verdict.look(point)
    try:
        wrong = _is_wrong(program, wrt, attempt(kernels, call).gradients, point, rng)
    except KernelError:
        wrong = None
    verdict.notes.append(f"{text}: {_OUTCOMES[wrong]}" + (", reported as assumed" if reported else ""))
    if wrong and not reported:
        verdict.fail(Failure(f"the gradient needs {text}, which is not among the facts assumed", point.label))
    if wrong and _accepted(kernels, call):
        verdict.fail(Failure(f"the gradient needs {text}, and check_inputs accepts data that break it", point.label))


_OUTCOMES: Mapping[bool | None, str] = {
    True: "wrong without it",
    False: "right without it too",
    None: "no value without it",
}


def _accepted(kernels: NumpyKernels, call: Call) -> bool:
    try:
        kernels.check_inputs(call)
    except (ValueError, TypeError):
        return False
    return True


def _is_wrong(program: Program, wrt: Sequence[str], gradients: Data, point: Point, rng: Any) -> bool | None:
    """Whether the gradient differs from the slope of the formula along a random direction."""
    probe = Probe({n: rng.standard_normal(point.inputs[n].shape) for n in wrt}, "a direction")
    parts = np.concatenate([(gradients[n] * d).ravel() for n, d in probe.direction.items()])
    exact = in_range(lambda: Precise(program, point).slope(probe, 1.0))
    if exact is None or not np.all(np.isfinite(parts)):
        return None
    return bool(abs(parts.sum() - exact) > WRONG * (abs(exact) + float(np.sum(np.abs(parts)))))


def _broken(program: Program, fact: Fact, data: Data, parameters: Mapping[str, Any], rng: Any) -> dict[str, Any] | None:
    """Data that break the fact and still give the formula a finite value."""
    for change in _BREAKS:
        for tensor in program.inputs:
            if tensor.dtype != "real" or tensor.name not in fact.condition.tensors:
                continue
            changed = {**data, tensor.name: change(data[tensor.name], rng)}
            if holds(program, fact.condition, changed, parameters):
                continue
            if _has_value(program, changed, parameters):
                return changed
    return None


def _has_value(program: Program, data: Data, parameters: Mapping[str, Any]) -> bool:
    try:
        values = evaluate_program(program, data, parameters)
    except EvaluationError:
        return False
    return all(np.all(np.isfinite(values[s.name])) for s in program.outputs)


_BREAKS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda a, rng: a * (1.5 + rng.random(a.shape)),
    lambda a, rng: a + 0.3 + rng.random(a.shape),
    lambda a, rng: -a - 0.2,
    lambda a, rng: a * np.where(rng.random(a.shape) < 0.5, -1.0, 1.0),
    lambda a, rng: -np.abs(a) - 0.1,
)
