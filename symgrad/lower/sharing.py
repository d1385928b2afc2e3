"""Parts that occur several times get a name once; what no result needs is dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
    Projected,
    Range,
    Read,
    Reduce,
    Scalar,
    Shifted,
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
    (Projected, "projected"),
    (Shifted, "change"),
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
    if isinstance(e, LogSoftmax | Complement | Centered | Projected | Shifted):
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
    """Expressions with their indices named `#0`, `#1`, ... by order of appearance: equal keys, equal arrays."""

    def __init__(self) -> None:
        self.named: dict[tuple[Expr, tuple[Term, ...]], Expr] = {}
        self.orders: dict[Expr, tuple[Term, ...]] = {}
        self.sizes: dict[Expr, int] = {}

    def of(self, e: Expr) -> Expr:
        """The expression under canonical index names."""
        return self._under(e, tuple(idx(f"#{k}", extent(i)) for k, i in enumerate(self._indices(e))))

    def size(self, e: Expr) -> int:
        """How many parts the expression has, with repetitions."""
        if e not in self.sizes:
            self.sizes[e] = 1 + sum(self.size(x) for x in e.parts)
        return self.sizes[e]

    def _indices(self, e: Expr) -> tuple[Term, ...]:
        """The indices of the axes of the expression and of its parts, in order of appearance."""
        if e not in self.orders:
            found = (self._indices(x) if isinstance(x, Expr) else (x,) for x in _labels(e))
            self.orders[e] = tuple(dict.fromkeys(i for group in found for i in group if not is_batch(i)))
        return self.orders[e]

    def _under(self, e: Expr, names: tuple[Term, ...]) -> Expr:
        """The expression with other names for its indices, given in order of appearance."""
        if (e, names) not in self.named:
            named = dict(zip(self._indices(e), names, strict=True))
            changes: dict[str, object] = {}
            for f in fields(e):
                v = getattr(e, f.name)
                if isinstance(v, Expr):
                    changes[f.name] = self._renamed(v, named)
                elif isinstance(v, tuple):
                    changes[f.name] = tuple(self._renamed(x, named) for x in v)
            self.named[e, names] = replace(e, **changes)  # type: ignore[arg-type]
        return self.named[e, names]

    def _renamed(self, x: Expr | Term, named: Mapping[Term, Term]) -> Expr | Term:
        """A part or an index under other names."""
        return self._under(x, tuple(named[i] for i in self._indices(x))) if isinstance(x, Expr) else named.get(x, x)


def _labels(e: Expr) -> Iterator[Expr | Term]:
    """The parts and the indices of an expression, in the order of its fields."""
    for f in fields(e):
        v = getattr(e, f.name)
        if isinstance(v, Expr):
            yield v
        elif isinstance(v, tuple):
            yield from v


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
    for k, a in enumerate(work):
        for e in walk(a.expr) if isinstance(a, Assign) else ():
            if worth_a_name(e):
                key = keys.of(e)
                count[key] = count.get(key, 0) + 1
                first.setdefault(key, (k, e))
    best = max((e for e in count if count[e] > 1), key=lambda e: (keys.size(e), -first[e][0]), default=None)
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
