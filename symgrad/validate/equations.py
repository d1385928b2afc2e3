"""Data made to satisfy the declared facts: equations that normalize an input, copies, inequalities.

Sum(p[i, j], j) == 1        p is divided by its sum (a real p: the rest is spread evenly)
norm(u[i, k], k) == 1       u is divided by its norm
A[i, j] == A[j, i]          both sides become their mean
sigma[i] > 0, a[i] < b[i]   one side is mirrored at the other
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.algebra.terms import ZERO, Term
from symgrad.formula.program import Fact, Program
from symgrad.validate.backends import EvaluationError

Data = dict[str, np.ndarray[Any, Any]]
ROUNDS = 3
POSITIVE = frozenset(("positive", "nonnegative", "unit_interval", "simplex"))


def impose(program: Program, data: Data, parameters: Mapping[str, Any]) -> Data:
    """The data, changed until every fact that can be imposed holds."""
    facts = [f for f in program.facts if f.condition.tensors and not _is_of_domain(f)]
    for _ in range(ROUNDS):
        broken = [f for f in facts if not holds(program, f.condition, data, parameters)]
        if not broken:
            break
        for f in broken:
            data = _impose_one(program, f.condition, data, parameters)
    return data


def _is_of_domain(f: Fact) -> bool:
    return f.source.startswith("domain")


def holds(program: Program, condition: Term, data: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether a condition holds at every value of its free indices; equations up to rounding."""
    from symgrad.validate.evaluate import Evaluation

    work = Evaluation(program, data, parameters, strict=False)
    try:
        work.run(s for s in program.statements if condition.tensors & {s.name})
        if condition.op == "cmp" and condition.data == "==":
            a, b = (work.value(t, ()) for t in condition.args)
            close = work.apply(lambda x, y: np.isclose(x, y, rtol=1e-9, atol=1e-12), a, b)
            return bool(np.all(close.array))
        return bool(np.all(work.condition(condition, ()).array))
    except EvaluationError:
        return False


def _impose_one(program: Program, c: Term, data: Data, parameters: Mapping[str, Any]) -> Data:
    if c.op == "and":
        for part in c.args:
            data = _impose_one(program, part, data, parameters)
        return data
    if c.op != "cmp":
        return data
    if c.data in ("<", "<="):
        return _order(program, c, data, parameters)
    if c.data != "==":
        return data
    for left, right in (c.args, c.args[::-1]):
        if left.op == "red" and not right.tensors & left.tensors:
            return _normalize(program, left, right, data, parameters)
    for left, right in (c.args, c.args[::-1]):
        if _is_bare(program, left):
            return _assign(program, left, right, data, parameters)
    return data


def _is_bare(program: Program, t: Term) -> bool:
    """An access of an input whose subscripts are distinct indices."""
    names = {i.name for i in program.inputs}
    return (
        t.op == "get"
        and str(t.data) in names
        and all(s.op == "idx" for s in t.args)
        and len(set(t.args)) == len(t.args)
    )


def _value(program: Program, t: Term, axes: tuple[Term, ...], data: Data, parameters: Mapping[str, Any]) -> Any:
    from symgrad.validate.evaluate import Evaluation

    return Evaluation(program, data, parameters, strict=False).term(t, axes)


def _assign(program: Program, left: Term, right: Term, data: Data, parameters: Mapping[str, Any]) -> Data:
    name, got = str(left.data), _value(program, right, left.args, data, parameters)
    if name in right.tensors:
        got = (got + data[name]) / 2
    return {**data, name: np.asarray(got, dtype=data[name].dtype)}


def _normalize(program: Program, sum_: Term, goal: Term, data: Data, parameters: Mapping[str, Any]) -> Data:
    """Sum(p, j) == c or norm(u, k) == c, p and u bare accesses."""
    body, bound = sum_.args[0], sum_.args[1:]
    squared = body.op == "pow" and body.args[1].op == "num" and body.args[1].data == 2
    access = body.args[0] if squared else body
    if not _is_bare(program, access) or sum_.data not in ("sum", "norm"):
        return data
    name = str(access.data)
    free = tuple(i for i in access.args if i not in bound)
    want = _value(program, goal, free, data, parameters)
    have = _value(program, sum_, free, data, parameters)
    # axes as in the tensor, the summed ones of length 1
    lift = tuple(slice(None) if i in free else None for i in access.args if str(i.data) != "...")
    lead = want.ndim - sum(1 for i in free if str(i.data) != "...")
    want, have = (a[(slice(None),) * lead + lift] for a in (want, have))
    x = data[name]
    if sum_.data == "sum" and not squared and program.input(name).domain.kind not in POSITIVE:
        count = x.size / max(have.size, 1)
        return {**data, name: x + (want - have) / count}
    ratio = want / have
    return {**data, name: x * (np.sqrt(ratio) if squared else ratio)}


def _order(program: Program, c: Term, data: Data, parameters: Mapping[str, Any]) -> Data:
    """left < right: a bare side is mirrored at the other."""
    left, right = c.args
    for access, other, sign in ((right, left, 1.0), (left, right, -1.0)):
        if not _is_bare(program, access):
            continue
        axes = access.args
        if other is not ZERO and not other.free <= set(axes):
            continue
        x, bound = data[str(access.data)], _value(program, other, axes, data, parameters)
        gap = np.abs(x - bound)
        gap = np.where(gap == 0, 1.0, gap)
        if program.input(str(access.data)).dtype == "real":
            return {**data, str(access.data): bound + sign * gap}
    return data
