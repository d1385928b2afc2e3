"""Every float32 input of an elementwise formula: the NumPy kernel in float32 against itself in double.

The kernel in double is the reference, for it keeps the promise by far more than float32 can tell; what seems wrong is
judged again by multiprecision. Errors are mixed ulp, as docs/accuracy.md defines them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.algebra.terms import walk
from symgrad.errors import UsageError
from symgrad.formula.program import Program
from symgrad.validate.kernels import Call, NumpyKernels, attempt
from symgrad.validate.points import Point
from symgrad.validate.precise import Closed, Precise, closed_forms

PATTERNS = 1 << 32
BLOCK = 1 << 16
"""Inputs run at once: their temporaries stay in the cache."""
PROMISED = 8.0
SUSPECT = 1.0
"""Plain ulp from which the forgiveness of the inputs is computed."""
SURELY = 2.0**-25
"""Relative error that is surely within half an ulp: nothing else is asked of such elements."""
NUDGE = 2.0**-24
MOST_SUSPECTS = 32
"""Worst elements of each kind that multiprecision judges."""
EPSILON = float(np.finfo(np.float32).eps)
TINY = float(np.finfo(np.float32).tiny)
LARGEST = float(np.finfo(np.float32).max)

Array = np.ndarray[Any, Any]
Progress = Callable[[float], None]


@dataclass
class Found:
    """What was found of the value or of the gradient. `worst`: mixed ulp, at the input `at`."""

    nan: int = 0
    zeros: int = 0
    worst: float = 0.0
    at: float = 0.0
    suspects: list[tuple[float, float]] = field(default_factory=list)
    """(mixed ulp, input) of the worst, nan and wrong zeros among them as infinite."""

    def note(self, x: Array, nan: Array, zeros: Array, ulp: Array) -> None:
        """Count a block."""
        self.nan, self.zeros = self.nan + int(nan.sum()), self.zeros + int(zeros.sum())
        bad = nan | zeros
        if bad.any():
            self.suspects += [(float("inf"), float(v)) for v in x[bad][:MOST_SUSPECTS]]
        if ulp.size:
            k = int(np.argmax(ulp))
            if ulp[k] > self.worst:
                self.worst, self.at = float(ulp[k]), float(x[k])
                self.suspects.append((self.worst, self.at))
        self.suspects = sorted(self.suspects, reverse=True)[:MOST_SUSPECTS]


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep over float32. `confirmed`: the worst by multiprecision, of value and gradient."""

    inputs: int
    stride: int
    value: Found
    gradient: Found
    confirmed: dict[str, float]

    @property
    def passed(self) -> bool:
        """Whether no nan or wrong zero is confirmed, and no error beyond the promise."""
        pairs = (("value", self.value), ("gradient", self.gradient))
        return all(min(f.worst, self.confirmed[n]) <= PROMISED and self.confirmed[n] < np.inf for n, f in pairs)

    def to_json(self) -> dict[str, Any]:
        """For the certificate."""
        parts = (("value", self.value), ("gradient", self.gradient))
        return {"inputs": self.inputs, "stride": self.stride, "passed": self.passed, "promised_ulp": PROMISED} | {
            name: {
                "nan": f.nan,
                "wrong_zeros": f.zeros,
                "worst_ulp": round(f.worst, 3),
                "at": f.at,
                "worst_by_multiprecision": round(self.confirmed[name], 3),
            }
            for name, f in parts
        }

    def __str__(self) -> str:
        said = [
            f"{name}: {f.nan} nan, {f.zeros} wrong zeros, worst {f.worst:.2f} mixed ulp at {f.at:.9g}"
            for name, f in (("value", self.value), ("gradient", self.gradient))
        ]
        return f"{self.inputs} float32 inputs; {'; '.join(said)}"


def refuse_others(program: Program) -> None:
    """UsageError unless the formula is elementwise in one real input, with one output."""
    reductions = any(t.op in ("red", "mat") for s in program.statements for t in walk(s.body))
    steps = any(s.recurrence is not None for s in program.statements)
    indices = {len(s.indices) for s in program.statements}
    if len(program.inputs) != 1 or reductions or steps or len(program.outputs) != 1 or indices != {1}:
        raise UsageError(
            f"{program.name} cannot be tried on every float32 number\n"
            " = help: --exhaustive is for elementwise formulas of one real input, such as activations"
        )


def sweep(
    program: Program, kernels: NumpyKernels, closed: Sequence[Closed], stride: int = 1, progress: Progress | None = None
) -> Sweep:
    """Every `stride`-th bit pattern of float32, infinities and nan left out. `progress` is told how much is done."""
    refuse_others(program)
    value, gradient = Found(), Found()
    count = 0
    for start, x in _blocks(stride):
        limits.check()
        count += x.size
        small, large = _run(program, kernels, x), _run(program, kernels, x.astype(np.float64))
        slack = _Slack(program, kernels, x, large)
        for k, found in enumerate((value, gradient)):
            _compare(found, x, small[k], large[k], slack, k)
        if progress is not None:
            progress(min(1.0, (start + stride * BLOCK) / PATTERNS))
    confirmed = {
        name: _confirmed(program, kernels, closed, found, k)
        for k, (name, found) in enumerate((("value", value), ("gradient", gradient)))
    }
    return Sweep(count, stride, value, gradient, confirmed)


def _blocks(stride: int) -> Iterator[tuple[int, Array]]:
    for start in range(0, PATTERNS, stride * BLOCK):
        patterns = np.arange(start, min(start + stride * BLOCK, PATTERNS), stride, dtype=np.uint64)
        x = patterns.astype(np.uint32).view(np.float32)
        x = x[np.isfinite(x)]
        if x.size:
            yield start, x


def _run(program: Program, kernels: NumpyKernels, x: Array) -> tuple[Array, Array]:
    """Value and gradient in the dtype of x, under an upstream of 1."""
    name = program.inputs[0].name
    upstream = {} if program.is_loss else {f"d{program.outputs[0].name}": np.ones_like(x)}
    reduction = "sum" if program.is_loss else None
    got = attempt(kernels, Call({name: x}, {}, upstream, reduction))
    if program.is_loss:
        none = Call({name: x}, {}, {}, "none")
        with np.errstate(all="ignore"):
            return kernels.values(none)[program.loss.name], got.gradients[name]
    return got.values[program.outputs[0].name], got.gradients[name]


class _Slack:
    """What half an ulp in the input does to value and gradient, for some of the elements."""

    def __init__(self, program: Program, kernels: NumpyKernels, x: Array, center: tuple[Array, Array]) -> None:
        self.program, self.kernels, self.x, self.center = program, kernels, x, center

    def of(self, which: int, at: Array) -> Array:
        """eps*|x f'| + eps*|f| of the upstream, at these elements: a zero within it is a root's neighbor, not wrong."""
        x = self.x[at].astype(np.float64)
        moved = _run(self.program, self.kernels, x * (1 + NUDGE))[which]
        here = self.center[which][at]
        with np.errstate(all="ignore"):
            slack = EPSILON * np.abs(moved - here) / NUDGE
        upstream = EPSILON * np.abs(here) if which == 1 and not self.program.is_loss else 0.0
        return np.asarray(np.nan_to_num(slack, posinf=0.0) + upstream)


def _compare(found: Found, x: Array, got: Array, true: Array, slack: _Slack, which: int) -> None:
    size = np.abs(true)
    with np.errstate(all="ignore"):
        asked = ~(np.abs(got - true) <= SURELY * size) & (size <= LARGEST)
    at = np.flatnonzero(asked)
    x, got, true, size = x[at], got[at], true[at], size[at]
    nan = ~np.isfinite(got)
    zeros = (got == 0) & (size >= TINY)
    zeros[zeros] = size[zeros] > slack.of(which, at[zeros])
    unit = np.spacing(size.astype(np.float32)).astype(np.float64)
    error = np.where(nan | zeros, 0.0, np.abs(got.astype(np.float64) - true))
    # subnormal named values are outside of the promise
    named = np.abs(slack.center[0][at])
    error[(named != 0) & (named < TINY)] = 0.0
    ulp = error / unit
    suspects = np.flatnonzero(ulp > SUSPECT)
    if suspects.size:
        ulp[suspects] = error[suspects] / (unit[suspects] + slack.of(which, at[suspects]))
    found.note(x, nan, zeros, ulp)


def _confirmed(program: Program, kernels: NumpyKernels, closed: Sequence[Closed], found: Found, which: int) -> float:
    """The worst of the suspects by multiprecision: where a nan or a wrong zero is confirmed, infinite."""
    if not found.suspects:
        return 0.0
    name = program.inputs[0].name
    x = np.array([v for _, v in found.suspects], dtype=np.float32)
    upstream = {} if program.is_loss else {f"d{program.outputs[0].name}": np.ones(x.shape)}
    parameters = {p.name: float(p.value) for p in program.parameters}
    precise = Precise(program, Point("special", "suspects", {name: x.astype(np.float64)}, parameters, upstream))
    if which == 0:
        true = precise.settled(precise.values_of(program.outputs[0].name))
    else:
        true = closed_forms(closed, (name,), precise).get(name)
        true = true * x.size if true is not None and program.is_loss else true
    if true is None:
        return float("nan")
    got, large = _run(program, kernels, x)[which], _run(program, kernels, x.astype(np.float64))
    with np.errstate(all="ignore"):
        slack = _Slack(program, kernels, x, large).of(which, np.arange(x.size))
        ulp = np.abs(got - true) / (np.spacing(np.abs(true).astype(np.float32)) + slack)
        zeros = (got == 0) & (np.abs(true) >= np.maximum(TINY, slack))
        wrong = (np.abs(true) <= LARGEST) & (~np.isfinite(got) | zeros)
    return float(np.max(np.where(wrong, np.inf, np.nan_to_num(ulp, posinf=0.0))))
