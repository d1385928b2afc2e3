"""Where an access reads: the index arrays of a gather, made once for all evaluations at the same sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.algebra.terms import Term, is_num, value
from symgrad.validate.backends import Array

Integers = np.ndarray[Any, Any]


@dataclass
class Reads:
    """What is known at some sizes: extents of indices, and by subscripts and shape how to read."""

    extents: dict[Term, int] = field(default_factory=dict)
    gathers: dict[tuple[tuple[Term, ...], tuple[int, ...]], Gather] = field(default_factory=dict)


@dataclass(frozen=True)
class Gather:
    """`tensor[index]` has these axes. `inside`: where the read is inside of the tensor; None where it is everywhere."""

    axes: tuple[Term, ...]
    index: tuple[Any, ...]
    inside: Integers | None = None

    def of(self, data: Array) -> Array:
        """The elements that are read."""
        if isinstance(data, np.ndarray):
            return np.asarray(data[self.index])
        import torch

        return data[tuple(torch.as_tensor(i) if isinstance(i, np.ndarray) else i for i in self.index)]


@lru_cache(maxsize=32)
def _reads_at(key: tuple[Any, ...]) -> Reads:
    return Reads()


def reads_at(dims: Mapping[str, int], batch: tuple[int, ...], parameters: Mapping[str, Any]) -> Reads:
    """What is known at these sizes."""
    return _reads_at((tuple(dims.items()), batch, tuple(parameters.items())))


def plain(subscripts: Sequence[Term], shape: tuple[int, ...], extent: Callable[[Term], int]) -> Gather | None:
    """A read of whole axes and of single places: no gather at all. None for other subscripts."""
    found: dict[Term, None] = {}
    index: list[Any] = []
    for s, n in zip(subscripts, shape, strict=True):
        if s.op == "idx" and s not in found and extent(s) == n:
            found[s] = None
            index.append(slice(None))
        elif is_num(s) and value(s).denominator == 1 and 0 <= value(s) < n:
            index.append(int(value(s)))
        else:
            return None
    return Gather(tuple(found), tuple(index))


def gathered(axes: tuple[Term, ...], subscripts: Sequence[Integers], shape: tuple[int, ...]) -> Gather:
    """A read at integer arrays that broadcast to `axes`; what lies outside is read somewhere inside."""
    ok = np.asarray(True)
    for s, n in zip(subscripts, shape, strict=True):
        ok = ok & (s >= 0) & (s < n)
    clipped = [np.clip(s, 0, max(n - 1, 0)) for s, n in zip(subscripts, shape, strict=True)]
    index = tuple(np.array(s) for s in np.broadcast_arrays(*clipped))
    return Gather(axes, index, None if np.all(ok) else np.asarray(ok))
