"""Points at which a formula is judged, each with a kind that the certificate counts.

| kind | where |
| --- | --- |
| normal | random data at scales 0.01, 1 and 6, extents pairwise distinct, other parameters too |
| unit axes | axes of length 1 |
| special | zeros, ties, constant rows, equal inputs, saturated and large values, ends of intervals, singular |
| | matrices, masks all true and all false, logits of -inf |
| kink | data moved exactly onto a kink of the formula |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.algebra.terms import walk
from symgrad.formula.program import Input, Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.conditioning import functions_of_matrices, is_judged
from symgrad.validate.equations import impose
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.sampling import (
    LARGEST_WORK,
    Data,
    bounds,
    choose_extents,
    choose_parameters,
    cotangents,
    sample_inputs,
)
from symgrad.validate.sizes import bind_sizes

SCALES = (0.01, 1.0, 6.0)
BATCHES = ((2, 3), (4,), (1,))
NORMAL_POINTS = 10
LARGE = (40.0, 800.0, 1e4, 800.0, 1e50, 1e100)
"""Sizes of large values; inputs take them in turn."""
EVERYWHERE = "large, 40, in every input"
"""Where exponentials are far apart and still numbers: each input is there once, whatever its turn."""


@dataclass(frozen=True)
class Point:
    """Inputs, parameters and upstream of one call. `label` says in words where it is."""

    kind: str
    label: str
    inputs: Data
    parameters: Mapping[str, Any]
    upstream: Data

    @property
    def is_generic(self) -> bool:
        """Whether nothing coincides here on purpose: a rounding of the inputs stays on one side of every kink."""
        return self.kind in ("normal", "unit axes") or "large" in self.label


@dataclass(frozen=True)
class Place:
    """Sizes of a family of points."""

    dims: Mapping[str, int]
    batch: tuple[int, ...]
    parameters: Mapping[str, Any]


@lru_cache(maxsize=16)
def place(program: Program, variant: int, largest: int | None = None) -> Place:
    """Sizes and parameters: variants 0 and 1 have distinct extents, 2 has axes of length 1."""
    parameters = choose_parameters(program, variant % 3 % 2)
    dims = choose_extents(program, variant, parameters, largest or LARGEST_WORK)
    return Place(dims, BATCHES[variant % 3], parameters)


def finish(
    program: Program, kind: str, label: str, inputs: Data, parameters: Mapping[str, Any], rng: Any
) -> Point | None:
    """The point with an upstream, or None where the formula has no finite value there."""
    try:
        values = evaluate_program(program, inputs, parameters)
    except EvaluationError:
        return None
    if not all(np.all(np.isfinite(values[s.name])) for s in program.outputs):
        return None
    upstream = {} if program.is_loss else cotangents(program, values, rng)
    return Point(kind, label, inputs, parameters, upstream)


def normal_points(
    program: Program, seed: int, count: int = NORMAL_POINTS, largest: int | None = None, shift: int = 0
) -> Iterator[Point]:
    """Random points, scale by scale; two of them on axes of length 1. Other sizes for another `shift`."""
    for k in range(count):
        variant = (2 if k % 5 == 4 else k % 2) + 3 * shift
        at = place(program, variant, largest)
        got = _normal_point(program, at, SCALES[k % 3], seed, k, "unit axes" if variant % 3 == 2 else "normal")
        if got is not None:
            yield got


def _normal_point(program: Program, at: Place, scale: float, seed: int, k: int, kind: str) -> Point | None:
    for attempt, soften in enumerate(_SOFTENINGS):
        rng = np.random.default_rng((seed, k, attempt))
        inputs = sample_inputs(program, at.dims, at.batch, rng, scale, at.parameters)
        inputs = impose(program, {n: soften(program.input(n), a) for n, a in inputs.items()}, at.parameters)
        got = finish(program, kind, f"{kind} point {k}, scale {scale:g}", inputs, at.parameters, rng)
        if got is not None:
            return got
    return None


def _positive(tensor: Input, a: Any) -> Any:
    return np.abs(a) + 0.1 * (np.abs(a) == 0) if _is_plain(tensor) else a


def _inside_one(tensor: Input, a: Any) -> Any:
    return 0.05 + 0.9 / (1 + np.exp(-a)) if _is_plain(tensor) else a


_SOFTENINGS: tuple[Callable[[Input, Any], Any], ...] = (
    lambda tensor, a: a,
    _positive,
    _inside_one,
    lambda tensor, a: 1 + np.abs(a) if _is_plain(tensor) else a,
)
"""What is tried where a formula has no value at a real point (log of a negative number), in this order."""


def _is_plain(tensor: Input) -> bool:
    return tensor.dtype == "real" and tensor.domain.kind == "real"


# ---- special points -------------------------------------------------------------------------------------------------


def special_points(program: Program, seed: int, largest: int | None = None) -> Iterator[Point]:
    """Zeros, ties, constant rows, equal inputs, large values, ends of intervals, the value finite or not."""
    at = place(program, 0, largest)
    for k, (label, change) in enumerate(_CHANGES):
        rng = np.random.default_rng((seed, 100 + k))
        base = sample_inputs(program, at.dims, at.batch, rng, 1.0, at.parameters)
        changed = {n: change(program.input(n), a, rng) for n, a in base.items()}
        if label.startswith("large") and label != EVERYWHERE:
            changed = _one_of_them(program, base, changed, k)
        if label == "equal inputs":
            changed = _equal_inputs(program, base)
        if label == "singular":
            changed = _singular(program, base)
        if label == "infinitely small logits":
            changed = _masked_logits(program, base, at, rng)
        if label == "ends of intervals":
            changed = {n: _to_ends(program.input(n), a, at, rng) for n, a in base.items()}
        if all(np.array_equal(changed[n], base[n]) for n in base):
            continue
        inputs = impose(program, changed, at.parameters)
        if not is_judged(program, label, inputs, at.parameters):
            continue
        upstream = {} if program.is_loss else _upstream(program, base, at, rng)
        yield Point("special", f"special point: {label}", inputs, at.parameters, upstream)


def _upstream(program: Program, inputs: Data, at: Place, rng: Any) -> Data:
    return cotangents(program, evaluate_program(program, inputs, at.parameters), rng)


def _plainly(change: Callable[[Any, Any], Any]) -> Callable[[Input, Any, Any], Any]:
    return lambda tensor, a, rng: change(a, rng) if _is_plain(tensor) else a


def _constant_rows(a: Any, rng: Any) -> Any:
    return np.broadcast_to(a[..., :1], a.shape).copy() if a.ndim else a


def _large(size: float) -> Callable[[Any, Any], Any]:
    # of different moduli: equal ones would cancel by accident
    return lambda a, rng: np.where(rng.random(a.shape) < 0.5, np.sign(a) * size * rng.uniform(0.5, 1, a.shape), a)


_CHANGES: tuple[tuple[str, Callable[[Input, Any, Any], Any]], ...] = (
    ("zeros", _plainly(lambda a, rng: np.zeros_like(a))),
    ("ties", _plainly(lambda a, rng: rng.integers(-1, 2, size=a.shape).astype(float))),
    ("halves", _plainly(lambda a, rng: rng.integers(-4, 5, size=a.shape) / 2)),
    ("constant rows", _plainly(_constant_rows)),
    ("equal inputs", lambda tensor, a, rng: a),
    *((f"large, {size:g}", _plainly(_large(size))) for size in LARGE),
    ("ends of intervals", lambda tensor, a, rng: a),
    ("singular", lambda tensor, a, rng: a),
    ("all true", lambda tensor, a, rng: np.ones_like(a) if _is_mask(tensor) else a),
    ("all false", lambda tensor, a, rng: np.zeros_like(a) if _is_mask(tensor) else a),
    ("infinitely small logits", lambda tensor, a, rng: a),
    (EVERYWHERE, _plainly(_large(40.0))),
)


def _is_mask(tensor: Input) -> bool:
    return tensor.dtype == "bool" or tensor.domain.kind == "boolean"


def _masked_logits(program: Program, data: Data, at: Place, rng: Any) -> Data:
    """The first of a few masks under which the formula has a finite value (no target is masked), or the last."""
    for _ in range(MASKS):
        out = _some_masked(program, data, rng)
        try:
            values = evaluate_program(program, out, at.parameters)
        except EvaluationError:
            continue
        finite = all(np.all(np.isfinite(values[s.name])) for s in program.outputs)
        if finite and not all(np.array_equal(out[n], data[n]) for n in data):
            break
    return out


def _some_masked(program: Program, data: Data, rng: Any) -> Data:
    """What logsumexp is taken of directly: some elements are -inf, never a whole row."""
    rows = [t.args[0] for s in program.statements for t in walk(s.body) if t.op == "red" and t.data == "lse"]
    logits = {str(x.data) for t in rows for x in walk(t) if x.op == "get"}
    out = dict(data)
    for tensor in program.inputs:
        if tensor.name in logits and _is_plain(tensor) and data[tensor.name].ndim:
            masked = rng.random(data[tensor.name].shape) < MASKED
            masked[..., rng.integers(masked.shape[-1])] = False
            out[tensor.name] = np.where(masked, -np.inf, data[tensor.name])
    return out


MASKED, MASKS = 0.3, 12


def _one_of_them(program: Program, base: Data, changed: Data, k: int) -> Data:
    """The change in one input alone, in turn: products of large values leave the range of numbers."""
    names = [i.name for i in program.inputs if _is_plain(i)]
    chosen = names[k % len(names)] if names else ""
    return {n: changed[n] if n == chosen else base[n] for n in base}


def _equal_inputs(program: Program, data: Data) -> Data:
    """Inputs of one shape and domain become equal."""
    first: dict[Any, Any] = {}
    out = dict(data)
    for tensor in program.inputs:
        if _is_plain(tensor):
            key = (tensor.shape, tensor.batch)
            out[tensor.name] = first.setdefault(key, data[tensor.name]).copy()
    return out


def _singular(program: Program, data: Data) -> Data:
    """Real matrices whose determinant is taken: the last row repeats the first."""
    out = dict(data)
    for _, name in functions_of_matrices(program):
        if name in data and _is_plain(program.input(name)) and data[name].shape[-2] > 1:
            out[name] = data[name].copy()
            out[name][..., -1, :] = data[name][..., 0, :]
    return out


TINY = 1e-9
STEP_OFF = 1e-3


def _to_ends(tensor: Input, a: Any, at: Place, rng: Any) -> Any:
    """Half of the elements at an end of the domain; rows of a simplex at its corners."""
    if tensor.dtype != "real":
        return a
    kind = tensor.domain.kind
    if kind == "simplex":
        return np.eye(a.shape[-1])[np.argmax(a, axis=-1)]
    low, high = bounds(tensor.domain, dict(at.dims), at.parameters)
    open_low = TINY if kind in ("positive", "greater_than") else 0.0
    if kind not in ("positive", "nonnegative", "greater_than", "unit_interval", "interval"):
        return a
    ends = [e for e in (low + open_low, high) if np.isfinite(e)]
    if not ends:
        return a
    picked = rng.choice(ends, size=a.shape)
    return np.where(rng.random(a.shape) < 0.5, picked, a)


# ---- kinks ----------------------------------------------------------------------------------------------------------


def kink_points(program: Program, kinks: tuple[Any, ...], seed: int) -> Iterator[Point]:
    """For each kink (a condition `a == b`), a point at which it holds exactly at some element.

    With other parameters too: at their defaults both sides of a kink may agree by accident.
    """
    for variant in (0, 1) if program.parameters else (0,):
        at = place(program, variant)
        for k, kink in enumerate(kinks):
            found = _at_kink(program, kink, at, (seed, 200 + 100 * variant + k))
            if found is not None:
                yield found if variant == 0 else replace(found, label=f"{found.label}, other parameters")


def _at_kink(program: Program, kink: Any, at: Place, seed: tuple[int, int]) -> Point | None:
    for attempt in range(4):
        rng = np.random.default_rng((*seed, attempt))
        got = _onto_kink(program, kink.at, at, rng)
        if got is not None:
            return finish(program, "kink", f"kink {kink.at!r}", got, at.parameters, rng)
    return None


def _onto_kink(program: Program, condition: Any, at: Place, rng: Any) -> Data | None:
    """Inputs of small halves with one element solved for, so that no rounding hides the kink."""
    base = sample_inputs(program, at.dims, at.batch, rng, 1.0, at.parameters)
    base = {n: rng.integers(-4, 5, size=a.shape) / 2 if _is_plain(program.input(n)) else a for n, a in base.items()}
    base = impose(program, base, at.parameters)
    if condition.op != "cmp":
        return None
    if np.any(gap := _gap(program, condition, base, at)) and np.any(gap == 0):
        return base
    for tensor in program.inputs:
        x = base[tensor.name]
        if tensor.dtype != "real" or not x.size or tensor.domain.kind not in ("real", "positive", "nonnegative"):
            continue
        for flat in rng.permutation(x.size)[:3]:
            got = _solve(program, condition, base, at, tensor.name, int(flat))
            if got is not None:
                return got
    return base if np.any(gap == 0) else None


def _gap(program: Program, condition: Any, inputs: Data, at: Place) -> np.ndarray[Any, Any]:
    """left - right of a condition, for every value of its indices."""
    from symgrad.validate.evaluate import Evaluation

    work = Evaluation(program, inputs, at.parameters, strict=False)
    try:
        work.run(s for s in program.statements)
        with np.errstate(all="ignore"):
            got = work.apply(lambda a, b: a - b, *(work.value(t, ()) for t in condition.args))
    except EvaluationError:
        return np.ones(1)
    return np.asarray(got.array, dtype=float)


def _solve(program: Program, condition: Any, inputs: Data, at: Place, name: str, flat: int) -> Data | None:
    """Move one element so that some gap closes exactly, where the gap is affine in it."""

    def moved(v: float) -> Data:
        x = inputs[name].copy()
        x.reshape(-1)[flat] = v
        return {**inputs, name: x}

    v = float(inputs[name].reshape(-1)[flat])
    here, there = _gap(program, condition, inputs, at), _gap(program, condition, moved(v + 1), at)
    slope = there - here
    for k in np.flatnonzero(np.isfinite(slope) & (slope != 0))[:3]:
        goal = v - float(here.reshape(-1)[k] / slope.reshape(-1)[k])
        if program.input(name).domain.kind != "real" and goal <= 0:
            continue
        got = moved(goal)
        if np.any(_gap(program, condition, got, at) == 0):
            return got
    return None


def leaves_kink(program: Program, kinks: Sequence[Any], point: Point, direction: Mapping[str, Any]) -> bool:
    """Whether some kink holds at a special point and no longer a little way along the direction.

    There the convention says what the derivative is, and no slope: those of two kinks at one place may even agree.
    """
    if point.kind != "special":
        return False
    at = Place({}, (), point.parameters)
    moved = {n: a + STEP_OFF * direction[n] if n in direction else a for n, a in point.inputs.items()}
    for kink in kinks:
        if kink.at.op == "cmp":
            here, there = (_gap(program, kink.at, data, at) for data in (point.inputs, moved))
            if here.shape == there.shape and np.any((here == 0) & (there != 0)):
                return True
    return False


UNGUARDED = ("norm", "power")
"""Kinks at which a closed form may be 0/0: the convention stands beside it, not in it."""


def lacks_value(program: Program, kinks: Sequence[Any], point: Point) -> bool:
    """Whether closed forms need not have a value everywhere here: a norm is 0, or the base of a power."""
    at = Place({}, (), point.parameters)
    asked = (k.at for k in kinks if k.of in UNGUARDED and k.at.op == "cmp")
    return any(bool(np.any(_gap(program, c, point.inputs, at) == 0)) for c in asked)


def shifted(point: Point, name: str, value: Any) -> Point:
    """The point with another value of one input."""
    return replace(point, inputs={**point.inputs, name: value})


def sizes_of(program: Program, point: Point) -> Mapping[str, int]:
    """The sizes of a point."""
    return bind_sizes(program, {n: a.shape for n, a in point.inputs.items()}, point.parameters).dims
