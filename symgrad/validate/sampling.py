"""Sizes and data of the points at which a formula is judged: inside of every domain, on every declared equation.

dims = choose_extents(program, 0)
sample_inputs(program, dims, (2, 3), rng, scale=1.0)["t"]      rows of a simplex sum to one
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from symgrad.algebra.terms import BATCH, Term, extent, walk
from symgrad.formula.program import Domain, Input, Parameter, Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.conditioning import HOPELESS, condition, needs_regular, tamed
from symgrad.validate.equations import impose
from symgrad.validate.sizes import dimension_names, integer_of, names_in, rational_of, shape_of

Rng = np.random.Generator
Data = dict[str, np.ndarray[Any, Any]]

POOLS = ((3, 4, 2, 5, 6, 7, 8, 9), (2, 5, 3, 7, 4, 6, 9, 8), (1,))
LARGEST_WORK = 60_000
DEARER = 8
MUCH_DEARER = 200
"""Times as many elements are touched rather than to let sizes coincide, or be 1."""
TRIES = 400


class SamplingError(Exception):
    """No sizes or data were found that keep every declared fact."""


# ---- sizes ----------------------------------------------------------------------------------------------------------


def choose_extents(
    program: Program, variant: int = 0, parameters: Mapping[str, Any] | None = None, largest: int = LARGEST_WORK
) -> dict[str, int]:
    """Sizes of all dimensions. Variants 0 and 1: pairwise distinct where the formula lets them; 2: mostly 1; 3, 4, 5:
    as these, in another order, and so on.

    `largest` bounds the elements that the evaluator touches, where the formula lets it: sizes that are distinct, and
    sizes that are no 1, may have more of them (`DEARER`).
    """
    values = {p.name: p.value for p in program.parameters} | dict(parameters or {})
    names = dimension_names(program)
    free = [n for n in names if n not in dict(_equations_of_sizes(program))]
    loops, extents, regular = _loops(program), _all_extents(program), needs_regular(program)
    # by kind: pairwise distinct, or not, or some are 1
    smallest: dict[bool | None, tuple[int, dict[str, int]]] = {}
    for dims in _candidates(free, variant):
        got = _complete(program, dims, values, extents)
        if got is None or any(n not in got for n in names):
            continue
        telling = variant % 3 == 2 or (_has_steps(program, got, values) and 1 not in [got[n] for n in free])
        kind = (variant % 3 == 2 or len({got[n] for n in free}) == len(free)) if telling else None
        work = _elements(loops, got, values)
        if kind in smallest and work >= smallest[kind][0]:
            continue
        if regular and not _can_be_regular(program, got, values):
            continue
        if work <= largest and kind:
            return got
        smallest[kind] = work, got
    if not smallest:
        raise SamplingError(f"no sizes of {', '.join(names)} were found at which every index has a range")
    # distinct ones; else ones that are no 1; else any; the first two only if they are not too dear
    for kind, times in ((True, DEARER), (False, MUCH_DEARER)):
        if kind in smallest and smallest[kind][0] <= times * largest:
            return smallest[kind][1]
    return min(smallest.values(), key=lambda found: found[0])[1]


def _has_steps(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    """Whether each recurrence takes more than its first step."""
    times = {extent(s.recurrence.time) for s in program.statements if s.recurrence is not None}
    return all(integer_of(e, dims, parameters) > 1 for e in times)


def _can_be_regular(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    """Whether the matrices that are inverted are not singular for all data of these sizes."""
    data = sample_inputs(program, dims, (2,), np.random.default_rng(0), 1.0, parameters)
    return condition(program, data, parameters) < HOPELESS


def _candidates(names: list[str], variant: int) -> Iterator[dict[str, int]]:
    pool = POOLS[variant % 3]
    rng = np.random.default_rng(1000 + variant)
    yield {n: pool[(k + variant // 3) % len(pool)] for k, n in enumerate(names)}
    small = np.arange(1, 10) if variant % 3 < 2 else np.array([1, 1, 1, 2, 3, 4])
    for k in range(TRIES):
        top = small[: max(len(names) + 1, 9 - k // 40)] if variant % 3 < 2 else small
        distinct = variant % 3 < 2 and k < TRIES // 2 and len(names) <= len(top)
        picked = rng.choice(
            top[1:] if distinct and len(names) < len(top) else top, size=len(names), replace=not distinct
        )
        yield dict(zip(names, (int(p) for p in picked), strict=True))
    for k in range(TRIES if variant % 3 < 2 else 0):
        picked = rng.integers(1, 4 if k < TRIES // 2 else 3, size=len(names))
        yield dict(zip(names, (int(p) for p in picked), strict=True))


def _complete(
    program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any], extents: Sequence[Term]
) -> dict[str, int] | None:
    """The sizes with those that an equation gives, or None where some of the extents would have no value."""
    got = {**dims, BATCH: 6}
    try:
        for name, t in _equations_of_sizes(program):
            if not any(n not in got for n in names_in(t)):
                got[name] = integer_of(t, got, parameters)
        fits = all(n >= 1 for n in got.values()) and _facts_of_sizes_hold(program, got, parameters)
        fits = fits and all(integer_of(e, got, parameters) >= 1 for e in extents)
    except (EvaluationError, ZeroDivisionError, KeyError):
        return None
    return got if fits else None


def _equations_of_sizes(program: Program) -> list[tuple[str, Term]]:
    """Facts `d == h*e`, one dimension alone on a side."""
    out: dict[str, Term] = {}
    for f in program.facts:
        c = f.condition
        if c.op != "cmp" or c.data != "==" or c.tensors or c.free:
            continue
        for left, right in (c.args, c.args[::-1]):
            if left.op == "dim" and str(left.data) not in names_in(right) and str(left.data) not in out:
                out[str(left.data)] = right
                break
    return list(out.items())


def _facts_of_sizes_hold(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> bool:
    for f in program.facts:
        c = f.condition
        if c.op == "cmp" and not c.tensors and not any(x.op == "idx" for x in walk(c)):
            a, b = (rational_of(t, dims, parameters) for t in c.args)
            if not {"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b}[str(c.data)]:
                return False
    return True


def _all_extents(program: Program) -> list[Term]:
    """Extents of all indices and axes."""
    found: dict[Term, None] = {}
    for s in program.statements:
        for t in (*s.indices, *walk(s.body)):
            if t.op == "idx":
                found[extent(t)] = None
    for tensor in program.inputs:
        found.update(dict.fromkeys(tensor.shape))
    return list(found)


def work_of(program: Program, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> int:
    """Elements of the largest array that the evaluator makes, times the number of terms, about."""
    return _elements(_loops(program), dims, parameters)


Loops = Mapping[tuple[Term, ...], int]


def _loops(program: Program) -> Loops:
    """The extents over which terms run, and how many terms run over each."""
    found: Counter[tuple[Term, ...]] = Counter()
    for s in program.statements:
        for t in walk(s.body):
            axes = {*t.free, *(t.args[1:] if t.op == "red" else ())}
            found[tuple(sorted(map(extent, axes), key=lambda e: e.digest))] += 1
    return found


def _elements(loops: Loops, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> int:
    size = {e: integer_of(e, dims, parameters) for e in {e for extents in loops for e in extents}}
    return sum(count * prod(size[e] for e in extents) for extents, count in loops.items())


# ---- parameters -----------------------------------------------------------------------------------------------------


def choose_parameters(program: Program, variant: int) -> dict[str, Any]:
    """Values of the parameters: their defaults (variant 0), else other ones inside of their domains."""
    defaults: dict[str, Any] = {p.name: _plain(p, p.value) for p in program.parameters}
    if variant == 0:
        return defaults
    return {p.name: _other_value(p, defaults) for p in program.parameters}


def _plain(p: Parameter, v: Fraction) -> Any:
    return int(v) if p.dtype == "int" else float(v)


def _other_value(p: Parameter, defaults: Mapping[str, Any]) -> Any:
    if p.dtype == "int":
        return defaults[p.name]
    low, high = bounds(p.domain, {}, defaults)
    for v in (float(p.value) * 1.25 if p.value else 0.375, float(p.value) * 0.75, float(p.value)):
        if low < v < high:
            return v
    return defaults[p.name]


# ---- data -----------------------------------------------------------------------------------------------------------


def sample_inputs(
    program: Program,
    dims: Mapping[str, int],
    batch: tuple[int, ...],
    rng: Rng,
    scale: float = 1.0,
    parameters: Mapping[str, Any] | None = None,
) -> Data:
    """A value of each input: inside of its domain by a margin, on the equations of `assume`; float64, int64 or bool."""
    values = {p.name: p.value for p in program.parameters} | dict(parameters or {})
    sizes = {**dims, BATCH: prod(batch)}

    def draw_all() -> Data:
        data = {i.name: sample_input(program, i, sizes, batch, rng, scale, values) for i in program.inputs}
        return impose(program, data, values)

    return tamed(program, draw_all, values)


def sample_input(
    program: Program,
    tensor: Input,
    dims: Mapping[str, int],
    batch: tuple[int, ...],
    rng: Rng,
    scale: float,
    parameters: Mapping[str, Any],
) -> np.ndarray[Any, Any]:
    """A value of one input, before the equations of `assume`."""
    shape = shape_of(tensor, dims, batch, parameters)
    if tensor.dtype == "bool":
        return rng.random(shape) < 0.5
    if tensor.dtype == "int":
        low, high = integer_bounds(program, tensor, dims, parameters)
        return rng.integers(low, high + 1, size=shape)
    return np.asarray(draw(tensor.domain, shape, rng, scale, bounds(tensor.domain, dims, parameters)), dtype=float)


def integer_bounds(
    program: Program, tensor: Input, dims: Mapping[str, int], parameters: Mapping[str, Any]
) -> tuple[int, int]:
    """Least and greatest value of an integer input: its domain's, or the axis that it subscripts."""
    if tensor.domain.kind == "integer" and len(tensor.domain.bounds) == 2:
        low, high = (integer_of(b, dims, parameters) for b in tensor.domain.bounds)
        return low, high
    shapes = {i.name: i.shape for i in program.inputs}
    for s in program.statements:
        for t in walk(s.body):
            for axis, subscript in enumerate(t.args if t.op in ("get", "get0") else ()):
                if subscript.op == "get" and subscript.data == tensor.name and str(t.data) in shapes:
                    of = shapes[str(t.data)]
                    return 0, integer_of(of[axis - len(t.args) + len(of)], dims, parameters) - 1
    return 0, 3


def bounds(domain: Domain, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> tuple[float, float]:
    """Ends of a domain of numbers; infinite where it has none."""
    inf = float("inf")
    if domain.kind in ("positive", "nonnegative"):
        return 0.0, inf
    if domain.kind in ("unit_interval", "simplex", "one_hot", "boolean"):
        return 0.0, 1.0
    ends = [_end(b, dims, parameters) for b in domain.bounds]
    if domain.kind == "greater_than":
        return ends[0], inf
    if domain.kind in ("interval", "integer") and len(ends) == 2:
        return ends[0], ends[1]
    return -inf, inf


def _end(t: Term, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> float:
    from symgrad.validate.evaluate import Evaluation

    if not t.free and not t.tensors and all(x.op in ("num", "dim", "par", "add", "mul") for x in walk(t)):
        return float(rational_of(t, dims, parameters))
    empty = Program("bounds", (), (), (), (), ())
    work = Evaluation(empty, {}, parameters)
    work.resize({**work.sizes.dims, **dims})
    return float(work.term(t))


def draw(domain: Domain, shape: tuple[int, ...], rng: Rng, scale: float, ends: tuple[float, float]) -> Any:
    """Random values of a domain."""
    normal = rng.standard_normal(shape)
    kind = domain.kind
    if kind in _DRAWS:
        return _DRAWS[kind](normal, rng, scale)
    low, high = ends
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * rng.uniform(0.05, 0.95, size=shape)
    if np.isfinite(low):
        return low + scale * np.exp(normal / 2)
    if np.isfinite(high):
        return high - scale * np.exp(normal / 2)
    return scale * normal


def _simplex(normal: Any, rng: Rng, scale: float) -> Any:
    e = np.exp(normal * min(scale, 2.0))
    return e / e.sum(axis=-1, keepdims=True)


def _one_hot(normal: Any, rng: Rng, scale: float) -> Any:
    return np.eye(normal.shape[-1])[np.argmax(normal, axis=-1)]


def _sphere(normal: Any, rng: Rng, scale: float) -> Any:
    # one axis of one element has no direction but its sign
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _positive_definite(normal: Any, rng: Rng, scale: float) -> Any:
    n = normal.shape[-1]
    return scale * (normal @ np.swapaxes(normal, -1, -2) / n + np.eye(n))


def _lower_triangular(normal: Any, rng: Rng, scale: float) -> Any:
    d = np.eye(normal.shape[-1])
    return scale * (np.tril(normal) + d * (np.sign(normal) + (normal == 0)))


def _orthogonal(normal: Any, rng: Rng, scale: float) -> Any:
    return np.linalg.qr(normal)[0]


_DRAWS: Mapping[str, Any] = {
    "boolean": lambda normal, rng, scale: (normal > 0).astype(float),
    "simplex": _simplex,
    "one_hot": _one_hot,
    "sphere": _sphere,
    "symmetric": lambda normal, rng, scale: scale * (normal + np.swapaxes(normal, -1, -2)) / 2,
    "positive_definite": _positive_definite,
    "lower_triangular": _lower_triangular,
    "orthogonal": _orthogonal,
}


def cotangents(program: Program, values: Mapping[str, Any], rng: Rng) -> Data:
    """A random upstream of each output: d<output> -> array of its shape."""
    return {f"d{s.name}": rng.standard_normal(np.shape(values[s.name])) for s in islice(program.outputs, None)}
