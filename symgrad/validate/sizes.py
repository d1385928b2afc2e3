"""Sizes at one point: the value of each dimension, read off the shapes of the inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any

from symgrad.algebra.terms import BATCH, Term, value, walk
from symgrad.formula.program import Input, Program
from symgrad.validate.backends import EvaluationError

LARGEST_EXTENT = 64


@dataclass(frozen=True)
class Sizes:
    """Dimension -> size; `batch` is the shape of the leading axes of `...`."""

    dims: Mapping[str, int]
    batch: tuple[int, ...] = ()


def rational_of(t: Term, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> Fraction:
    """The value of a term of numbers, dimensions and parameters."""
    if t.op == "num":
        return value(t)
    if t.op == "dim":
        return Fraction(dims[str(t.data)])
    if t.op == "par":
        return Fraction(parameters[str(t.data)])
    if t.op not in ("add", "mul", "pow", "fn"):
        raise EvaluationError(f"{t!r} is no number of dimensions and parameters")
    args = [rational_of(a, dims, parameters) for a in t.args]
    if t.op == "add":
        return sum(args, Fraction(0))
    if t.op == "mul":
        return prod(args, start=Fraction(1))
    if t.op == "pow" and args[1].denominator == 1:
        return args[0] ** int(args[1])
    if t.op == "fn" and t.data in _FUNCTIONS:
        return Fraction(_FUNCTIONS[t.data](*args))
    raise EvaluationError(f"{t!r} is no number of dimensions and parameters")


_FUNCTIONS: Mapping[Any, Any] = {
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "Max": max,
    "Min": min,
    "floor": lambda a: a // 1,
    "ceiling": lambda a: -(-a // 1),
    "Abs": abs,
}


def integer_of(t: Term, dims: Mapping[str, int], parameters: Mapping[str, Any]) -> int:
    """The value of an integer term of numbers, dimensions and int parameters."""
    if t.op == "dim":
        return dims[str(t.data)]
    v = rational_of(t, dims, parameters)
    if v.denominator != 1:
        raise EvaluationError(f"{t!r} is {v}, not an integer")
    return int(v)


def names_in(t: Term) -> list[str]:
    """Dimensions in a term, in a fixed order."""
    return list(dict.fromkeys(str(x.data) for x in walk(t) if x.op == "dim"))


def dimension_names(program: Program) -> list[str]:
    """Dimensions of the shapes of a program's inputs, in the order of the file; without `...`."""
    found = dict.fromkeys(n for i in program.inputs for e in i.shape for n in names_in(e))
    return [n for n in found if n != BATCH]


def bind_sizes(program: Program, shapes: Mapping[str, tuple[int, ...]], parameters: Mapping[str, Any]) -> Sizes:
    """The sizes that these shapes of the inputs mean; EvaluationError where they do not fit."""
    return _bound(program.inputs, tuple(shapes[i.name] for i in program.inputs), tuple(parameters.items()))


@lru_cache(maxsize=256)
def _bound(inputs: tuple[Input, ...], shapes: tuple[tuple[int, ...], ...], given: tuple[tuple[str, Any], ...]) -> Sizes:
    parameters = dict(given)
    dims: dict[str, int] = {}
    batch: tuple[int, ...] = ()
    for tensor, shape in zip(inputs, shapes, strict=True):
        lead = len(shape) - len(tensor.shape)
        if lead < 0 or (lead and not tensor.batch):
            raise EvaluationError(f"{tensor.name} has {len(shape)} axes, expected {len(tensor.shape)}")
        if tensor.batch:
            batch = max(batch, shape[:lead], key=lambda s: (len(s), prod(s)))
    pairs = list(_extents(inputs, shapes))
    for e, n in pairs:
        if e.op == "dim" and dims.setdefault(str(e.data), n) != n:
            raise EvaluationError(f"dimension {e.data} is {n}, was {dims[str(e.data)]}")
    for e, n in pairs:
        _solve(e, n, dims, parameters)
    dims[BATCH] = prod(batch)
    return Sizes(dims, batch)


def _extents(inputs: Sequence[Input], shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[Term, int]]:
    for tensor, shape in zip(inputs, shapes, strict=True):
        yield from zip(tensor.shape, shape[len(shape) - len(tensor.shape) :], strict=True)


def _solve(e: Term, n: int, dims: dict[str, int], parameters: Mapping[str, Any]) -> None:
    """Find the one unknown dimension of an extent, and hold the extent against its size."""
    unknown = [d for d in names_in(e) if d not in dims]
    if len(unknown) == 1:
        fitting = (q for q in range(n + LARGEST_EXTENT) if rational_of(e, {**dims, unknown[0]: q}, parameters) == n)
        dims[unknown[0]] = next(fitting, 0)
    elif unknown:
        raise EvaluationError(f"the sizes of {', '.join(unknown)} cannot be read off {e!r}")
    if integer_of(e, dims, parameters) != n:
        raise EvaluationError(f"{e!r} is {integer_of(e, dims, parameters)}, got {n}")


def shape_of(
    tensor: Input, dims: Mapping[str, int], batch: tuple[int, ...], parameters: Mapping[str, Any]
) -> tuple[int, ...]:
    """The shape of an input at these sizes."""
    return (batch if tensor.batch else ()) + tuple(integer_of(e, dims, parameters) for e in tensor.shape)
