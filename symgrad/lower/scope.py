"""What lowering one statement needs to know: tensors, definitions, the order of indices, names for parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.algebra.binders import ROW_MAJOR
from symgrad.algebra.build import Fresh, open_reduction
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import Term, extent, is_access, walk
from symgrad.formula.program import Statement
from symgrad.lower.arrays import Assign, Expr, Read
from symgrad.lower.frames import Order

Guard = tuple[Term, ...]
"""Conditions under which a value is used; elsewhere it is thrown away, and may be anything finite."""


@dataclass(frozen=True)
class Steps:
    """A tensor that the loop being lowered makes: its axis of time; `kept`: the steps before can be read."""

    axis: int
    kept: bool


@dataclass(frozen=True)
class Signature:
    """A named tensor: its extents (`dim("...")` first where batch axes lead) and the kind of its elements."""

    extents: tuple[Term, ...]
    dtype: str = "real"
    steps: Steps | None = None


def signature_of(s: Statement) -> Signature:
    """What a statement makes."""
    whole = s.body.op == "red" and s.body.data == "argmax"
    return Signature(tuple(extent(i) for i in s.indices), "int" if whole else "real")


@dataclass
class Names:
    """Unique names for arrays of one function."""

    taken: set[str] = field(default_factory=set)
    counters: dict[str, str] = field(default_factory=dict)

    def unique(self, wish: str) -> str:
        """The wish, or the wish with the first free number."""
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name

    def counter(self, wish: str) -> str:
        """A name for the number of a step; loops that stand behind each other share it."""
        if wish not in self.counters:
            self.counters[wish] = self.unique(wish)
        return self.counters[wish]


@dataclass
class Scope:
    """One statement being lowered. `lower` turns a term into an expression, whatever the term is."""

    signatures: Mapping[str, Signature]
    definitions: Mapping[str, Statement]
    indices: tuple[Term, ...]
    names: Names
    rule: Callable[[Term, Scope, Guard], Expr]
    parts: list[Assign] = field(default_factory=list)
    fresh: Fresh = field(default_factory=Fresh)
    memo: dict[tuple[Term, Guard], Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order = Order(self.indices)

    def lower(self, t: Term, guard: Guard = ()) -> Expr:
        """The array expression of a term; its frame holds the free indices that matter."""
        key = (t, guard)
        found = self.memo.get(key)
        if found is None:
            for i in sorted(t.free, key=lambda i: (str(i.data), i.digest)):
                self.order.add(i)
            found = self.memo[key] = self.rule(t, self, guard)
        return found

    def part(self, expr: Expr, wish: str) -> Read:
        """A name for a part of the statement."""
        for known in self.parts:
            if known.expr == expr:
                return Read(expr.frame, expr.dtype, known.name)
        name = self.names.unique(wish)
        self.parts.append(Assign(name, expr, "part"))
        return Read(expr.frame, expr.dtype, name)

    def part_of(self, read: Read) -> Expr | None:
        """What a part of the statement is computed as; None for other arrays."""
        return next((p.expr for p in self.parts if p.name == read.name), None)

    def open(self, t: Term) -> tuple[Term, list[Term]]:
        """Body and indices of a reduction, the indices known to the order."""
        body, over = open_reduction(t, self.fresh)
        if t.data not in ROW_MAJOR:
            over = _as_read(body, over)
        for i in over:
            self.order.add(i)
        return body, over


def _as_read(body: Term, over: Sequence[Term]) -> list[Term]:
    """The indices in the order of the axes along which the largest arrays are read, short ones before long ones."""
    accesses = sorted(
        (x for x in walk(body) if is_access(x)), key=lambda x: (-len(x.free & frozenset(over)), skeleton(x), x.digest)
    )
    found: dict[Term, None] = {}
    for access in accesses:
        for s in access.args:
            inner = [i for i in over if i in s.free]
            found.update(dict.fromkeys(sorted(inner, key=lambda i: -extent(i).size)))
    return sorted([*found, *(i for i in over if i not in found)], key=lambda i: not is_short(i))


def is_short(index: Term) -> bool:
    """Whether no dimension enters the extent: so it is with the taps of a pooling, and with few others."""
    return not any(t.op == "dim" for t in walk(extent(index)))


def is_scalar(t: Term) -> bool:
    """Whether the term is a plain Python number when the kernel runs."""
    return not t.tensors and not t.free and not t.height


def is_integer(t: Term, signatures: Mapping[str, Signature]) -> bool:
    """Whether the term is an integer made of indices, dimensions, integers and integer tensors."""
    if t.op in ("idx", "dim"):
        return True
    if t.op == "num":
        return getattr(t.data, "denominator", 2) == 1
    if t.op in ("get", "get0"):
        return signatures[str(t.data)].dtype == "int"
    if t.op == "par":
        return signatures.get(f"parameter {t.data}", Signature(())).dtype in ("int", "step")
    if t.op == "red":
        return t.data == "argmax"
    if t.op in ("add", "mul") or (t.op == "fn" and t.data in ("floordiv", "mod", "Abs", "Max", "Min")):
        return all(is_integer(a, signatures) for a in t.args)
    return False
