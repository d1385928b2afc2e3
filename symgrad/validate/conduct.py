"""The judge conduct: what a kernel must do beside being right.

Reductions agree with each other, strided and broadcast inputs give the same numbers, inputs and upstream are not
written to, two runs agree to the bit, no floating-point warnings, `check_inputs` accepts data on every declared fact.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Program
from symgrad.validate.conditioning import functions_of_matrices
from symgrad.validate.empty import emptied
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.kernels import Call, Data, KernelError, Kernels, NumpyKernels, Outcome, attempt, guarded
from symgrad.validate.points import Point
from symgrad.validate.verdict import EPSILON, ROUNDING, Failure, Judgement, magnitude, natural_scale

UPSTREAM = 0.75
"""By which a loss is multiplied."""


def judge_conduct(program: Program, kernels: Sequence[Kernels], points: Sequence[Point]) -> Judgement:
    """The verdict at these points."""
    verdict = Judgement("conduct")
    for point in points:
        limits.check()
        verdict.look(point)
        call = Call(point.inputs, point.parameters, point.upstream)
        values = evaluate_program(program, call.inputs, call.parameters)
        size = magnitude(call.inputs, call.upstream, values)
        for kernel in kernels:
            try:
                _judge_kernel(verdict, program, kernel, call, point, values, size)
            except KernelError as e:
                verdict.fail(Failure(str(e), point.label))
        if verdict.failure is not None:
            break
    return verdict


def _judge_kernel(
    verdict: Judgement, program: Program, kernel: Kernels, call: Call, point: Point, values: Data, size: float
) -> None:
    """`values`: every statement by the independent evaluation; `size`: the largest number on the way."""
    copies = {n: a.copy() for n, a in {**call.inputs, **call.upstream}.items()}
    first = attempt(kernel, call)
    for n, a in {**call.inputs, **call.upstream}.items():
        if not np.array_equal(a, copies[n], equal_nan=a.dtype.kind == "f"):
            verdict.fail(Failure(f"the {kernel.name} kernel wrote to {n}", point.label))
    if not _same(first, attempt(kernel, call)):
        verdict.fail(Failure(f"two runs of the {kernel.name} kernel differ", point.label))
    apart = replace(call, inputs={n: strided(a) for n, a in call.inputs.items()})
    _close(verdict, f"{kernel.name} with strided inputs", point, attempt(kernel, apart), first, size)
    _judge_broadcast(verdict, kernel, call, point, size)
    _judge_empty(verdict, program, kernel, call, point)
    _judge_reductions(verdict, program, kernel, call, point, first, values, size)
    if isinstance(kernel, NumpyKernels):
        _judge_numpy(verdict, kernel, call, point, first, size)
    elif program.is_loss:
        _judge_upstream(verdict, kernel, call, point, first, size)


def _judge_upstream(verdict: Judgement, kernel: Kernels, call: Call, point: Point, first: Outcome, size: float) -> None:
    """The gradient of a multiple of a loss: what flows back into it is a number of no axes, and not 1."""
    named = {f"d{n}": np.asarray(UPSTREAM) for n in first.values}
    got = attempt(kernel, replace(call, upstream=named)).gradients
    expected = Outcome({}, {n: UPSTREAM * g for n, g in first.gradients.items()})
    _close(verdict, f"{kernel.name}, {UPSTREAM} times the loss", point, Outcome({}, got), expected, size)


def _same(a: Outcome, b: Outcome) -> bool:
    return _equal(a.values, b.values) and _equal(a.gradients, b.gradients)


def _equal(a: Data, b: Data) -> bool:
    return all(np.array_equal(a[n], b[n], equal_nan=True) for n in a)


def strided(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same values, neither contiguous nor in C order."""
    if a.ndim == 0:
        return a
    wide = np.repeat(a, 2, axis=-1)
    return np.asarray(np.asfortranarray(wide)[..., ::2])


def _judge_broadcast(verdict: Judgement, kernel: Kernels, call: Call, point: Point, size: float) -> None:
    """Inputs whose first axis has a stride of 0 give what their copies give; no matrix becomes singular by that."""
    if list(functions_of_matrices(kernel.program)):
        return
    wide = {n: np.broadcast_to(a[:1], a.shape) if a.ndim > 1 else a for n, a in call.inputs.items()}
    copied = replace(call, inputs={n: a.copy() for n, a in wide.items()})
    got = attempt(kernel, replace(call, inputs=wide))
    _close(verdict, f"{kernel.name} with broadcast inputs", point, got, attempt(kernel, copied), size)


def _judge_empty(verdict: Judgement, program: Program, kernel: Kernels, call: Call, point: Point) -> None:
    """A batch of no elements: values are empty or 0, gradients of their shapes and 0."""
    nothing = emptied(program, call)
    if nothing is None:
        return
    at = replace(point, label=f"{point.label}, a batch of none")
    got = attempt(kernel, nothing)
    for name, a in (*got.values.items(), *got.gradients.items()):
        verdict.compare(f"{kernel.name} {name}", at, a, np.zeros(a.shape))


def _close(verdict: Judgement, what: str, point: Point, got: Outcome, expected: Outcome, size: float) -> None:
    """Equal up to the order of additions: what is added may be as large as `size` makes it."""
    for name, a in (*expected.values.items(), *expected.gradients.items()):
        b = got.values.get(name, got.gradients.get(name))
        unit = natural_scale(size, point.inputs, name, a) if name in expected.gradients else size
        noise = max(1e-12 * float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)), ROUNDING * EPSILON * unit)
        verdict.compare(f"{what}: {name}", point, b, a, noise)


def _judge_reductions(
    verdict: Judgement,
    program: Program,
    kernel: Kernels,
    call: Call,
    point: Point,
    mean: Outcome,
    values: Data,
    size: float,
) -> None:
    """`mean` is the default, `sum` its multiple, `none` the values of the batch in the order of the loss's indices."""
    if not program.is_loss or not program.loss.indices:
        return
    name = program.loss.name
    each = values[name]
    again = attempt(kernel, replace(call, reduction="mean"))
    _close(verdict, f"{kernel.name}, reduction=mean", point, again, mean, size)
    total = attempt(kernel, replace(call, reduction="sum"))
    scaled = Outcome(
        {n: v * each.size for n, v in mean.values.items()}, {n: g * each.size for n, g in mean.gradients.items()}
    )
    _close(verdict, f"{kernel.name}, reduction=sum", point, total, scaled, size * each.size)
    none = replace(call, reduction="none")
    if isinstance(kernel, NumpyKernels):
        numpy = kernel
        got = guarded("numpy", lambda: numpy.values(none))
    else:
        got = attempt(kernel, none).values
    noise = 1e-11 * float(np.max(np.abs(each), initial=0.0)) + 1e-13
    verdict.compare(f"{kernel.name} loss, reduction=none", point, got[name], each, noise)


def _run_plainly(kernel: NumpyKernels, call: Call) -> None:
    try:
        kernel.run(call)
    except Exception as e:
        raise KernelError(f"numpy kernel raised {type(e).__name__}: {e}") from e


def _judge_numpy(
    verdict: Judgement, kernel: NumpyKernels, call: Call, point: Point, first: Outcome, size: float
) -> None:
    """What only the NumPy module has."""
    values = guarded("numpy", lambda: kernel.values(call))
    gradients = guarded("numpy", lambda: kernel.gradients(call))
    _close(verdict, "numpy value alone", point, Outcome(values, {}), Outcome(first.values, {}), size)
    _close(verdict, "numpy gradient alone", point, Outcome({}, gradients), Outcome({}, first.gradients), size)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _run_plainly(kernel, call)
    for w in caught:
        verdict.fail(Failure(f"the numpy kernel warns: {w.message}", point.label))
    if point.kind in ("normal", "unit axes"):
        try:
            kernel.check_inputs(call)
        except (ValueError, TypeError) as e:
            verdict.fail(Failure(f"check_inputs refuses data that keep every fact: {e}", point.label))
