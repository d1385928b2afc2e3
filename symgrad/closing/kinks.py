"""Points where the derivative does not exist, and torch's convention there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symgrad.algebra.build import compare
from symgrad.algebra.show import Names, named_reduction
from symgrad.algebra.terms import ZERO, Term, walk
from symgrad.formula.program import Program, Statement


@dataclass(frozen=True)
class Kink:
    """`at`: the condition; `of`: the function; `convention`: the derivative taken there; `line` of the formula."""

    at: Term
    of: str
    convention: str
    line: int | None


def kinks_of(program: Program) -> tuple[Kink, ...]:
    """Every kink of the formula as read, in the order of its statements."""
    active = set(program.wrt)
    found: dict[Kink, None] = {}
    for s in program.statements:
        if s.body.tensors & active:
            active.add(s.name)
            for k in _of_statement(s, active):
                found[k] = None
    return tuple(found)


def _of_statement(s: Statement, active: set[str]) -> Iterator[Kink]:
    line = s.place.line if s.place else None
    for t in walk(s.body):
        if t.tensors & active:
            for at, of, convention in _of_term(t):
                if at.tensors & active:
                    yield Kink(at, of, convention, line)


def _of_term(t: Term) -> Iterator[tuple[Term, str, str]]:
    if t.op == "fn":
        yield from _of_function(t)
    elif t.op in ("where", "iv"):
        for c in walk(t.args[0]):
            if c.op == "cmp" and c.data in ("<", "<="):
                yield compare("==", *c.args), "Piecewise" if t.op == "where" else "where", "the branch taken"
    elif t.op == "red" and t.data in ("max", "min", "max_first", "min_first"):
        first = str(t.data).endswith("_first")
        of = "amax" if "max" in str(t.data) else "amin"
        yield _tie(t), of, "the first takes all" if first else "shared evenly"
    elif t.op == "red" and t.data == "norm":
        yield compare("==", t, ZERO), "norm", "0"


def _tie(t: Term) -> Term:
    """Where the extreme value is reached; a tie is where it is reached by several."""
    body, _ = named_reduction(t, Names())
    return compare("==", body, t)


def _of_function(t: Term) -> Iterator[tuple[Term, str, str]]:
    name, x = str(t.data), t.args[0]
    if name in ("Abs", "relu", "sign"):
        yield compare("==", x, ZERO), name, "0"
    elif name == "clip":
        yield compare("==", x, t.args[1]), name, "1"
        yield compare("==", x, t.args[2]), name, "1"
    elif name in ("Max", "Min"):
        yield compare("==", x, t.args[1]), name, "1/2 each"
    elif name == "Heaviside":
        yield compare("==", x, ZERO), name, "0"
