"""Data and parameters of the points at which a formula is judged: inside of every domain, on every declared equation.

sample_inputs(program, dims, (2, 3), rng, scale=1.0)["t"]      rows of a simplex sum to one
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from symgrad.algebra.terms import BATCH, Term, walk
from symgrad.formula.program import Domain, Input, Parameter, Program
from symgrad.validate.conditioning import tamed
from symgrad.validate.equations import impose
from symgrad.validate.sizes import integer_of, rational_of, shape_of

Rng = np.random.Generator
Data = dict[str, np.ndarray[Any, Any]]


class SamplingError(Exception):
    """No sizes or data were found that keep every declared fact."""


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
