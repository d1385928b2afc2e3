"""Points at which formulas go wrong: zeros, ties, constant rows, equal inputs, saturated and large values, ends of
domains, singular matrices, masks all true and all false, logits of -inf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgrad.algebra.terms import walk
from symgrad.formula.program import Input, Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.conditioning import functions_of_matrices, is_judged
from symgrad.validate.equations import impose
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.points import Place, Point, is_plain, place
from symgrad.validate.sampling import Data, bounds, cotangents, sample_inputs

LARGE = (40.0, 800.0, 1e4, 800.0, 1e50, 1e100, 1e200)
"""Sizes of large values; inputs take them in turn."""
EVERYWHERE = "large, 40, in every input"
"""Where exponentials are far apart and still numbers: each input is there once, whatever its turn."""


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
    return lambda tensor, a, rng: change(a, rng) if is_plain(tensor) else a


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
        if tensor.name in logits and is_plain(tensor) and data[tensor.name].ndim:
            masked = rng.random(data[tensor.name].shape) < MASKED
            masked[..., rng.integers(masked.shape[-1])] = False
            out[tensor.name] = np.where(masked, -np.inf, data[tensor.name])
    return out


MASKED, MASKS = 0.3, 12


def _one_of_them(program: Program, base: Data, changed: Data, k: int) -> Data:
    """The change in one input alone, in turn: products of large values leave the range of numbers."""
    names = [i.name for i in program.inputs if is_plain(i)]
    chosen = names[k % len(names)] if names else ""
    return {n: changed[n] if n == chosen else base[n] for n in base}


def _equal_inputs(program: Program, data: Data) -> Data:
    """Inputs of one shape and domain become equal."""
    first: dict[Any, Any] = {}
    out = dict(data)
    for tensor in program.inputs:
        if is_plain(tensor):
            key = (tensor.shape, tensor.batch)
            out[tensor.name] = first.setdefault(key, data[tensor.name]).copy()
    return out


def _singular(program: Program, data: Data) -> Data:
    """Real matrices whose determinant is taken: the last row repeats the first."""
    out = dict(data)
    for _, name in functions_of_matrices(program):
        if name in data and is_plain(program.input(name)) and data[name].shape[-2] > 1:
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
