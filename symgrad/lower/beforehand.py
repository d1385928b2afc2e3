"""What the steps of a recurrence do not take from each other, computed for all of them at once.

h[t] = tanh(a[t] + b + U h[t - 1])    ->    given[t] = a[t] + b;  h[t] = tanh(given[t] + U h[t - 1])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.algebra.build import (
    Fresh,
    add,
    conjunction,
    iverson,
    mul,
    negation,
    open_reduction,
    rebuild,
    reduce,
    where,
)
from symgrad.algebra.terms import BATCH, Term, by_name, get, get0, is_access, is_num, walk
from symgrad.formula.blocks import Block
from symgrad.formula.program import Statement
from symgrad.lower.elementwise import SAFE
from symgrad.lower.scope import Names

Conditions = tuple[Term, ...]


def beforehand(block: Block, names: Names) -> tuple[list[Statement], Block]:
    """Statements over all steps, and the statements of the block that read them."""
    work = _Beforehand(block, names)
    inner = tuple(work.statement(s) for s in block)
    return work.made, inner


class _Beforehand:
    def __init__(self, block: Block, names: Names) -> None:
        self.members = frozenset(s.name for s in block)
        self.names = names
        self.made: list[Statement] = []
        self.known: dict[Term, Term] = {}
        self.current = block[0]

    def statement(self, s: Statement) -> Statement:
        self.current = s
        return replace(s, body=self.part(s.body, ()))

    def part(self, t: Term, held: Conditions) -> Term:
        """The term with its parts that no step enters as reads of arrays; `held`: where its value is used."""
        if not t.tensors:
            return t
        if not t.tensors & self.members:
            return self.given(t, held)
        if t.op in ("add", "mul"):
            return self.grouped(t, held)
        if t.op == "where":
            c, a, b = t.args
            return where(c, self.part(a, (*held, c)), self.part(b, (*held, negation(c))))
        if t.op in ("red", "get", "get0", "cmp", "and", "or", "not"):
            return t
        return rebuild(t, tuple(self.part(a, held) for a in t.args))

    def grouped(self, t: Term, held: Conditions) -> Term:
        """A sum or product: what no step enters becomes one array."""
        if t.op == "mul":
            held = (*held, *(f.args[0] for f in t.args if f.op == "iv"))
        free = [a for a in t.args if a.tensors and not a.tensors & self.members and a.op != "iv"]
        if any(not is_access(a) for a in free) or len(free) > 1:  # brackets go with an array that is made anyway
            free += [a for a in t.args if a.op == "iv" and not a.tensors & self.members]
        rest = [a for a in t.args if a not in free]
        inner = _joined(t, free) if free else None
        parts = [self.part(a, held) if a.op != "iv" else a for a in rest]
        return _joined(t, [*parts, *([self.given(inner, held)] if inner is not None else [])])

    def given(self, t: Term, held: Conditions) -> Term:
        """The access to an array that holds the term at every step; what is cheap to read stays."""
        time = self.current.recurrence.time if self.current.recurrence is not None else None
        if is_access(t) or _is_plain(t):
            return t
        body = _kept_inside(t)
        if any(_is_partial(x) for x in walk(t)):
            if any(c.tensors & self.members for c in held):
                return t
            body = mul(iverson(conjunction(*held)), body) if held else body
        if body not in self.known:
            order = sorted(by_name(t.free), key=lambda i: (str(i.data) != BATCH, i is not time))
            s = Statement(self.names.unique(f"{self.current.name}_given"), tuple(order), body, "part")
            self.made.append(s)
            self.known[body] = get(s.name, s.indices)
        return self.known[body]


def _joined(t: Term, args: Sequence[Term]) -> Term:
    """The operation of t, a sum or product, on other arguments."""
    return add(*args) if t.op == "add" else mul(*args)


def _is_plain(t: Term) -> bool:
    """Whether the term is an access with numbers and brackets before it."""
    return t.op == "mul" and all(is_access(f) or not f.tensors for f in t.args) and sum(map(is_access, t.args)) == 1


def _is_partial(t: Term) -> bool:
    """Whether a function is not defined, or grows beyond bounds, where its value is not used."""
    if t.op == "pow":
        e = t.args[1]
        return not (is_num(e) and e.data.denominator == 1 and e.data >= 0)  # type: ignore[union-attr,operator]
    return t.op == "fn" and t.data in SAFE


def _kept_inside(t: Term) -> Term:
    """The term with reads that only a condition keeps inside reading 0 there."""
    fresh = Fresh()

    def apply(x: Term) -> Term:
        if not x.tensors:
            return x
        if x.op == "red":
            body, over = open_reduction(x, fresh)
            return reduce(str(x.data), apply(body), over)
        if x.op == "get" and any(s.op not in ("idx", "get") and s.free for s in x.args):
            return get0(str(x.data), x.args)
        return rebuild(x, tuple(apply(a) for a in x.args))

    return apply(t)
