"""Points exactly on the kinks of a formula, where its convention decides.

A kink is a condition `a == b`. Data of small halves start the search (dense ones; an input of zeros; equal inputs that
differ in one element a row, so that norms of differences are exact), and one element is moved along its line until the
sides are equal to the last bit. A tie of an extreme value is there where it is reached twice.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from symgrad.algebra.terms import Term
from symgrad.formula.program import Program
from symgrad.validate.backends import Backend, EvaluationError
from symgrad.validate.decimal_backend import BEYOND, DecimalBackend
from symgrad.validate.equations import impose
from symgrad.validate.evaluate import Evaluation
from symgrad.validate.points import Place, Point, finish, is_plain, place
from symgrad.validate.sampling import Data, sample_inputs

ATTEMPTS = 4
"""Draws of each kind of start."""
MOVED = 3
"""Elements of an input that are tried, and gaps that each is to close."""
STEPS = 12
"""Steps of the search for a root."""
LOOKS = 40
"""Evaluations of a condition, for each start, about."""
SNAP = 64
"""A root is tried rounded to such parts of 1 too."""
DIGITS = 50
UP_AND_DOWN = (decimal.ROUND_UP, decimal.ROUND_DOWN)
"""A condition that holds by rounding alone, as sqrt(2)*sqrt(2) == 2 may, holds in one of these at most."""
STEP_OFF = 1e-3
OTHERWISE = ", other parameters"
EXTREME = ("max", "min", "max_first", "min_first")
UNGUARDED = ("norm", "power")
"""Kinks at which a closed form may be 0/0: the convention stands beside it, not in it."""

Integers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Gap:
    """left - right of a condition, for every value of its indices; `rows`: how many of them are 0 always."""

    array: np.ndarray[Any, Any]
    rows: int = 0

    @property
    def closes(self) -> bool:
        """Whether the condition holds somewhere; of an extreme value, that some row reaches it twice."""
        return int(np.sum(self.array == 0)) > self.rows


class Search:
    """The way onto one kink, at the sizes of a place."""

    def __init__(self, program: Program, condition: Term, at: Place) -> None:
        self.program, self.condition, self.at, self.looks, self.most = program, condition, at, 0, LOOKS

    def gap(self, inputs: Data) -> Gap:
        """How far apart the sides are."""
        self.looks += 1
        return gap_of(self.program, self.condition, inputs, self.at.parameters)

    def arrives(self, inputs: Data) -> bool:
        """Whether the condition holds, and not by rounding alone: another float of it might say no."""
        return self.gap(inputs).closes and all(self._precisely(inputs, how).closes for how in UP_AND_DOWN)

    def _precisely(self, inputs: Data, how: str) -> Gap:
        try:
            return gap_of(self.program, self.condition, inputs, self.at.parameters, _rounding(how))
        except BEYOND:
            return Gap(np.ones(1))

    def solve(self, start: Data, elements: Mapping[str, Sequence[int]]) -> Data | None:
        """The start, or the start with one element moved, on the kink."""
        if self.arrives(start):
            return start
        for tensor in self.program.inputs:
            if tensor.dtype == "real" and tensor.domain.kind in ("real", "positive", "nonnegative"):
                for flat in elements.get(tensor.name, ()):
                    got = self.moved(start, tensor.name, flat, tensor.domain.kind == "real")
                    if got is not None:
                        return got
        return None

    def moved(self, start: Data, name: str, flat: int, is_free: bool) -> Data | None:
        """One element moved until some gap closes exactly."""

        def along(v: float) -> Data:
            x = start[name].copy()
            x.reshape(-1)[flat] = v
            return {**start, name: x}

        v = float(start[name].reshape(-1)[flat])
        here, there = self.gap(start).array, self.gap(along(v + 1)).array
        if here.shape != there.shape:
            return None
        with np.errstate(all="ignore"):
            changes = np.isfinite(there - here) & (there != here) & (here != 0)
        for k in np.flatnonzero(changes)[:MOVED]:
            ends = (v, float(here.reshape(-1)[k])), (v + 1, float(there.reshape(-1)[k]))

            def one(u: float, k: int = int(k)) -> float:
                return float(self.gap(along(u)).array.reshape(-1)[k])

            for root in _roots(one, *ends):
                if self.looks > self.most:
                    return None
                if (is_free or root > 0) and self.arrives(along(root)):
                    return along(root)
        return None


@cache
def _rounding(how: str) -> DecimalBackend:
    """Decimal numbers whose arithmetic rounds one way; what is exact is not rounded."""
    found = DecimalBackend(DIGITS)
    found.context.rounding = how
    return found


def _roots(f: Callable[[float], float], a: tuple[float, float], b: tuple[float, float]) -> Iterator[float]:
    """Places where f may be 0, by secants from two of its values: each as it is, and rounded to a short number."""
    for _ in range(STEPS):
        if a[1] == b[1]:
            return
        v = a[0] - a[1] * (b[0] - a[0]) / (b[1] - a[1])
        if not np.isfinite(v) or abs(v) > 1e6:
            return
        yield v
        if (short := round(v * SNAP) / SNAP) != v:
            yield short
        a, b = min(a, b, key=lambda end: abs(end[1])), (v, f(v))
        if not np.isfinite(b[1]) or b[0] == a[0]:
            return


# ---- where the search starts ----------------------------------------------------------------------------------------

Start = tuple[Data, Mapping[str, Sequence[int]]]


def _starts(program: Program, at: Place, rng: Any) -> Iterator[Start]:
    """Data of small halves, and which of their elements are to be moved."""
    dense = _halves(program, at, rng)
    plain = [i.name for i in program.inputs if is_plain(i)]
    some = {n: [int(k) for k in rng.permutation(a.size)[:MOVED]] for n, a in dense.items()}
    yield dense, some
    for n in plain:
        yield {**dense, n: np.zeros_like(dense[n])}, {}
    first: dict[Any, Any] = {}
    shape = {i.name: (i.shape, i.batch) for i in program.inputs}
    alike = {n: first.setdefault(shape[n], a).copy() if n in plain else a for n, a in dense.items()}
    nothing = {n: np.zeros_like(a) if n in plain else a for n, a in dense.items()}
    groups = [[n for n in plain if shape[n] == key] for key in dict.fromkeys(shape[n] for n in plain)]
    others = [n for group in groups for n in (group[1:] or group)]
    for even, moved in ((alike, others), (nothing, plain)):
        yield even, {}
        yield _one_a_row(even, moved, rng)


def _halves(program: Program, at: Place, rng: Any) -> Data:
    data = sample_inputs(program, at.dims, at.batch, rng, 1.0, at.parameters)
    plain = {i.name for i in program.inputs if is_plain(i)}
    return {n: rng.integers(-4, 5, size=a.shape) / 2 if n in plain else a for n, a in data.items()}


def _one_a_row(data: Data, names: Sequence[str], rng: Any) -> Start:
    """One element of each row (last axis) moved by a few halves; and these elements."""
    out, moved = dict(data), {}
    for n in names:
        a = data[n]
        width = a.shape[-1] if a.ndim else 1
        rows = np.arange(a.size // max(width, 1))
        flat = rows * width + rng.integers(width, size=rows.size) if a.size else rows
        x = a.copy().reshape(-1)
        x[flat] += rng.integers(1, 5, size=flat.size) / 2 * rng.choice([-1.0, 1.0], size=flat.size)
        out[n], moved[n] = x.reshape(a.shape), [int(k) for k in flat[:MOVED]]
    return out, moved


# ---- points ---------------------------------------------------------------------------------------------------------


def kink_points(program: Program, kinks: Sequence[Any], seed: int) -> Iterator[Point]:
    """For each kink (a condition `a == b`), a point at which it holds exactly at some element.

    With other parameters too: at their defaults both sides of a kink may agree by accident.
    """
    for variant in (0, 1) if program.parameters else (0,):
        at = place(program, variant)
        for k, kink in enumerate(kinks):
            found = on_kink(program, kink, at, (seed, 200 + 100 * variant + k))
            if found is not None:
                yield found if variant == 0 else replace(found, label=found.label + OTHERWISE)


def unreached(kinks: Sequence[Any], points: Sequence[Point]) -> list[str]:
    """The kinks on which none of these points lies: no data were found, or the formula has no finite value there."""
    reached = {p.label.removesuffix(OTHERWISE) for p in points}
    return [repr(k.at) for k in kinks if _label(k) not in reached]


def _label(kink: Any) -> str:
    return f"kink {kink.at!r}"


def on_kink(program: Program, kink: Any, at: Place, seed: tuple[int, int]) -> Point | None:
    """A point on one kink at which the formula has a finite value."""
    if kink.at.op != "cmp":
        return None
    search = Search(_what_leads_to(program, kink.at), kink.at, at)
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng((*seed, attempt))
        for start, elements in _starts(program, at, rng):
            search.most = search.looks + LOOKS
            got = search.solve(impose(program, start, at.parameters), elements)
            if got is not None:
                point = finish(program, "kink", _label(kink), got, at.parameters, rng)
                if point is not None:
                    return point
    return None


def _what_leads_to(program: Program, condition: Term) -> Program:
    """The program without the statements that the condition does not depend on."""
    needed, before = set(condition.tensors), -1
    while len(needed) > before:
        before = len(needed)
        needed |= {n for s in program.statements if s.name in needed for n in s.body.tensors}
    return replace(program, statements=tuple(s for s in program.statements if s.name in needed))


def gap_of(
    program: Program, condition: Term, inputs: Data, parameters: Mapping[str, Any], backend: Backend | None = None
) -> Gap:
    """left - right of a condition; 1 where it has no value."""
    work = Evaluation(program, inputs, parameters, backend, strict=False)
    try:
        work.run(program.statements)
        with work.backend.working():
            sides = [work.value(t, ()) for t in condition.args]
            got = work.apply(lambda a, b: a - b, *sides)
    except EvaluationError:
        return Gap(np.ones(1))
    reached = (v for t, v in zip(condition.args, sides, strict=True) if t.op == "red" and t.data in EXTREME)
    rows = next((int(np.size(v.array)) for v in reached if set(v.axes) < set(got.axes)), 0)
    return Gap(np.asarray(got.array, dtype=float), rows)


def leaves_kink(program: Program, kinks: Sequence[Any], point: Point, direction: Mapping[str, Any]) -> bool:
    """Whether some kink holds at a special point and no longer a little way along the direction.

    There the convention says what the derivative is, and no slope: those of two kinks at one place may even agree.
    """
    if point.kind != "special":
        return False
    moved = {n: a + STEP_OFF * direction[n] if n in direction else a for n, a in point.inputs.items()}
    for kink in kinks:
        if kink.at.op == "cmp":
            here, there = (gap_of(program, kink.at, data, point.parameters).array for data in (point.inputs, moved))
            if here.shape == there.shape and np.any((here == 0) & (there != 0)):
                return True
    return False


def lacks_value(program: Program, kinks: Sequence[Any], point: Point) -> bool:
    """Whether closed forms need not have a value everywhere here: a norm is 0, or the base of a power."""
    asked = (k.at for k in kinks if k.of in UNGUARDED and k.at.op == "cmp")
    return any(bool(np.any(gap_of(program, c, point.inputs, point.parameters).array == 0)) for c in asked)
