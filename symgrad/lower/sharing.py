"""Parts that occur several times get a name once; what no result needs is dropped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import TypeVar

from symgrad.algebra.terms import Term, extent, idx
from symgrad.lower.arrays import (
    Along,
    Assign,
    Centered,
    Complement,
    Contract,
    Expr,
    Flatten,
    Gather,
    Item,
    LogSoftmax,
    Loop,
    Map,
    Matrix,
    Range,
    Read,
    Reduce,
    Scalar,
    Softmax,
    Solve,
    Window,
    is_batch,
    made_by,
    read_by,
    rebuild,
    walk,
)
from symgrad.lower.scope import Names

Kind = TypeVar("Kind", bound=Item)

WISHES = {"sub": "difference", "mul": "product", "div": "ratio", "add": "total", "where": "masked", "sqrt": "root"}
WISHES |= {
    "pow": "power",
    "<": "mask",
    "<=": "mask",
    "==": "mask",
    "!=": "mask",
    "and": "mask",
    "or": "mask",
    "not": "mask",
}


_WORDS: tuple[tuple[type[Expr], str], ...] = (
    (Softmax, "softmax"),
    (LogSoftmax, "logs"),
    (Complement, "others"),
    (Centered, "centered"),
    (Contract, "contraction"),
)


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
    if isinstance(e, Matrix):
        return f"{e.function}_{wish(e.operand)}"
    if isinstance(e, Solve):
        return "solution"
    return next((word for kind, word in _WORDS if isinstance(e, kind)), "part")


def worth_a_name(e: Expr) -> bool:
    """Whether computing the expression twice costs more than reading it."""
    if isinstance(e, Map):
        arrays = [a for a in e.args if not isinstance(a, Scalar)]
        if e.op in ("neg", "add", "sub", "mul", "div") and len(arrays) < 2:
            return False
        return not all(isinstance(a, Range) for a in arrays) or len(arrays) > 1
    if isinstance(e, LogSoftmax | Complement | Centered):
        return True
    return isinstance(e, Reduce | Softmax | Contract | Matrix | Solve | Gather | Along | Window | Flatten)


def share(program: Sequence[Kind], names: Names) -> list[Kind | Assign]:
    """The program with a name for every part that occurs more than once, up to the names of indices.

    What a loop does is shared inside of it alone.
    """
    work: list[Kind | Assign] = list(program)
    keys = Keys()
    while True:
        found = _repeated(work, keys)
        if found is None:
            return _without_aliases(work)
        e, first = found
        key = keys.of(e)
        known = ((k, a.name) for k, a in enumerate(work) if isinstance(a, Assign) and keys.of(a.expr) == key)
        whole, name = next(known, (len(work), ""))
        if whole <= first:
            at = whole + 1
        else:
            name, at = names.unique(wish(e)), first + 1
            work.insert(first, Assign(name, e, "part"))
        for k, a in enumerate(work):
            if k >= at and isinstance(a, Assign):
                work[k] = _with_reads(a, key, name, keys)


def _with_reads(a: Assign, key: Expr, name: str, keys: Keys) -> Assign:
    """The assignment with a name in place of a part."""
    swap: dict[Expr, Expr] = {x: Read(x.frame, x.dtype, name) for x in walk(a.expr) if keys.of(x) == key}
    return replace(a, expr=rebuild(a.expr, swap)) if swap else a


class Keys:
    """Expressions with their indices named by order of appearance: equal keys, equal arrays."""

    def __init__(self) -> None:
        self.known: dict[Expr, Expr] = {}

    def of(self, e: Expr) -> Expr:
        """The expression under canonical index names."""
        if e not in self.known:
            self.known[e] = relabeled(e, {})
        return self.known[e]


def relabeled(e: Expr, names: dict[Term, Term]) -> Expr:
    """The expression with each index replaced by `#k`, k counting first appearances."""
    changes: dict[str, object] = {}
    for f in fields(e):
        v = getattr(e, f.name)
        if isinstance(v, Expr):
            changes[f.name] = relabeled(v, names)
        elif isinstance(v, tuple):
            changes[f.name] = tuple(relabeled(x, names) if isinstance(x, Expr) else _canonical(x, names) for x in v)
    return replace(e, **changes)  # type: ignore[arg-type]


def _canonical(i: Term, names: dict[Term, Term]) -> Term:
    if is_batch(i):
        return i
    return names.setdefault(i, idx(f"#{len(names)}", extent(i)))


def _without_aliases(work: Sequence[Kind]) -> list[Kind]:
    """The program without parts that are only another name."""
    names: dict[str, str] = {}
    out: list[Kind] = []
    for a in work:
        new = _renamed(a, names)
        if isinstance(new, Assign) and isinstance(new.expr, Read) and new.kind == "part":
            names[new.name] = new.expr.name
        else:
            out.append(new)
    return out


def _renamed(a: Kind, names: Mapping[str, str]) -> Kind:
    """The assignment or loop reading other names."""
    if isinstance(a, Loop):
        first, steps = (tuple(_renamed(x, names) for x in part) for part in (a.first, a.steps))
        return replace(a, first=first, steps=steps)
    swap: dict[Expr, Expr] = {}
    for e in walk(a.expr):
        if isinstance(e, Read) and e.name in names:
            swap[e] = replace(e, name=names[e.name])
    return replace(a, expr=rebuild(a.expr, swap))


def _repeated(work: Sequence[Item], keys: Keys) -> tuple[Expr, int] | None:
    """The largest part that occurs twice, and the first assignment that holds it."""
    count: dict[Expr, int] = {}
    first: dict[Expr, tuple[int, Expr]] = {}
    size: dict[Expr, int] = {}
    for k, a in enumerate(work):
        for e in walk(a.expr) if isinstance(a, Assign) else ():
            if worth_a_name(e):
                key = keys.of(e)
                count[key] = count.get(key, 0) + 1
                first.setdefault(key, (k, e))
                size.setdefault(key, sum(1 for _ in walk(e)))
    best = max((e for e in count if count[e] > 1), key=lambda e: (size[e], -first[e][0]), default=None)
    return None if best is None else (first[best][1], first[best][0])


def live(program: Sequence[Kind], results: Collection[str]) -> list[Kind]:
    """The assignments and loops that the results need, in order."""
    needed = set(results)
    kept: list[Kind] = []
    for a in reversed(program):
        if needed & set(made_by(a)):
            kept.append(a)
            needed.update(read_by(a))
    return kept[::-1]
