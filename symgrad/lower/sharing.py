"""Parts that occur several times get a name once; what no result needs is dropped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from symgrad.lower.arrays import (
    Along,
    Assign,
    Contract,
    Expr,
    Flatten,
    Gather,
    Map,
    Range,
    Read,
    Reduce,
    Scalar,
    Softmax,
    Window,
    reads,
    rebuild,
    walk,
)
from symgrad.lower.scope import Names

WISHES = {"sub": "difference", "mul": "product", "div": "ratio", "add": "total", "where": "masked", "sqrt": "root"}
WISHES |= {"pow": "power", "<": "mask", "<=": "mask", "==": "mask", "!=": "mask", "and": "mask", "or": "mask", "not": "mask"}


def wish(e: Expr) -> str:
    """A readable name for a part of a statement."""
    if isinstance(e, Read):
        return e.name
    if isinstance(e, Map):
        inner = e.args[0]
        word = WISHES.get(e.op, e.op)
        return f"{word}_{inner.name}" if len(e.args) == 1 and isinstance(inner, Read) else word
    if isinstance(e, Reduce):
        return f"{e.kind}_{e.operand.name}" if isinstance(e.operand, Read) else f"{e.kind}_{wish(e.operand)}"
    if isinstance(e, Flatten):
        return f"{wish(e.operand)}_flat"
    if isinstance(e, Gather | Along | Window):
        return f"{wish(e.operand)}_{'windows' if isinstance(e, Window) else 'read'}"
    return "softmax" if isinstance(e, Softmax) else "contraction" if isinstance(e, Contract) else "part"


def worth_a_name(e: Expr) -> bool:
    """Whether computing the expression twice costs more than reading it."""
    if isinstance(e, Map):
        arrays = [a for a in e.args if not isinstance(a, Scalar)]
        if e.op in ("neg", "add", "sub", "mul", "div") and len(arrays) < 2:
            return False
        return not all(isinstance(a, Range) for a in arrays) or len(arrays) > 1
    return isinstance(e, Reduce | Softmax | Contract | Gather | Along | Window | Flatten)


def share(program: Sequence[Assign], names: Names) -> list[Assign]:
    """The program with a name for every part that occurs more than once."""
    work = list(program)
    while True:
        found = _repeated(work)
        if found is None:
            return work
        e, first = found
        whole = next((a for a in work if a.expr == e), None)
        if whole is not None and work.index(whole) <= first:
            name, at = whole.name, work.index(whole) + 1
        else:
            name, at = names.unique(wish(e)), first + 1
            work.insert(first, Assign(name, e, "part"))
        swap: dict[Expr, Expr] = {e: Read(e.frame, e.dtype, name)}
        work[at:] = [replace(a, expr=rebuild(a.expr, swap)) for a in work[at:]]


def _repeated(work: Sequence[Assign]) -> tuple[Expr, int] | None:
    """The largest part that occurs twice, and the first assignment that holds it."""
    count: dict[Expr, int] = {}
    first: dict[Expr, int] = {}
    size: dict[Expr, int] = {}
    for k, a in enumerate(work):
        for e in walk(a.expr):
            if worth_a_name(e):
                count[e] = count.get(e, 0) + 1
                first.setdefault(e, k)
                size.setdefault(e, sum(1 for _ in walk(e)))
    best = max((e for e in count if count[e] > 1), key=lambda e: (size[e], -first[e]), default=None)
    return None if best is None else (best, first[best])


def live(program: Sequence[Assign], results: Collection[str]) -> list[Assign]:
    """The assignments that the results need, in order."""
    needed = set(results)
    kept = []
    for a in reversed(program):
        if a.name in needed:
            kept.append(a)
            needed.update(reads(a.expr))
    return kept[::-1]
