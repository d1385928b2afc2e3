"""Inputs without any element: a batch of none, where the formula reduces over nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.algebra.terms import BATCH, Term, dim, extent, walk
from symgrad.formula.program import Program
from symgrad.validate.kernels import Call, Data


def emptied(program: Program, call: Call) -> Call | None:
    """The call with a batch of length 0 (the leading axes `...`, a free index of a loss, the first index of a layer's
    outputs); None where there is none over which nothing is reduced.

    For a loss it asks for the sum, which is 0: a mean of nothing has no value.
    """
    empty = _batch(program)
    if empty is None:
        return None
    inputs = {i.name: _cut(call.inputs[i.name], i.shape, i.batch, empty) for i in program.inputs}
    upstream: Data = {}
    if not program.is_loss:
        heads = {f"d{s.name}": s.indices for s in program.outputs}
        upstream = {n: _cut_output(call.upstream[n], indices, empty) for n, indices in heads.items()}
    reduction = "sum" if program.is_loss and program.loss.indices else None
    return replace(call, inputs=inputs, upstream=upstream, reduction=reduction)


def _batch(program: Program) -> Term | None:
    """The extent that may be 0: every statement that touches it has it free, and no shape is computed from it."""
    heads = [s.indices if program.is_loss else s.indices[:1] for s in program.outputs]
    times = {extent(s.recurrence.time) for s in program.statements if s.recurrence is not None}
    found = [e for e in map(extent, (i for head in heads for i in head)) if e.op == "dim" and e not in times]
    if not program.is_loss and len(set(found)) > 1:
        return None
    for e in dict.fromkeys(found):
        if (
            not _is_reduced(program, e)
            and not _has_a_place(program, e)
            and (str(e.data) == BATCH or _stands_alone(program, e))
        ):
            return e
    return None


def _is_reduced(program: Program, e: Term) -> bool:
    """Whether the program reduces over it, or counts with it."""
    terms = [t for s in program.statements for t in walk(s.body)]
    bound = [extent(i) for t in terms if t.op == "red" for i in t.args[1:]]
    counted = [a for t in terms if t.op in ("add", "mul", "pow", "fn", "cmp") for a in t.args]
    return any(e in walk(b) for b in bound) or e in counted


def _has_a_place(program: Program, e: Term) -> bool:
    """Whether some read is at a certain place of it, `x[0, j]`: nothing has no first element."""
    reads = (t for s in program.statements for t in walk(s.body) if t.op == "get" and str(t.data) in program.shapes)
    pairs = (pair for t in reads for pair in zip(t.args, program.shapes[str(t.data)], strict=False))
    return any(x is e and place.op != "idx" for place, x in pairs)


def _stands_alone(program: Program, e: Term) -> bool:
    return all(x is e or e not in walk(x) for i in program.inputs for x in i.shape)


def _cut(a: np.ndarray[Any, Any], shape: tuple[Term, ...], batch: bool, empty: Term) -> np.ndarray[Any, Any]:
    lead = a.ndim - len(shape)
    if empty is dim(BATCH):
        return a[:0] if batch and lead else a
    return a[(slice(None),) * lead + tuple(slice(0, 0) if e is empty else slice(None) for e in shape)]


def _cut_output(a: np.ndarray[Any, Any], indices: tuple[Term, ...], empty: Term) -> np.ndarray[Any, Any]:
    return a[:0] if indices and extent(indices[0]) is empty else a
