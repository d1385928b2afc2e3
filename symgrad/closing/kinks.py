"""Points where the derivative does not exist, and torch's convention there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symgrad.algebra.build import compare, fn
from symgrad.algebra.show import Names, named_reduction
from symgrad.algebra.terms import BATCH, INFINITY, ZERO, Term, extent, factors_of, walk
from symgrad.formula.program import Program, Statement

STEPS = ("floor", "ceiling")


@dataclass(frozen=True)
class Kink:
    """`at`: the condition; `of`: the function; `convention`: the derivative taken there; `line` of the formula."""

    at: Term
    of: str
    convention: str
    line: int | None


def kinks_of(program: Program, stable: Program, index_names: Iterable[tuple[str, Term]] = ()) -> tuple[Kink, ...]:
    """Every kink of the stabilized formula, called as the formula as read calls it, in the order of its statements.

    `|x|**2` has none, `sqrt(x**2)` has one. `index_names`: those of its file.
    """
    names = _names(program, index_names)
    found = _of_program(stable, names)
    places = {k.at for k in found}
    own = [k for k in _of_program(program, names) if k.at in places]
    said = {k.at for k in own}
    return (*own, *(k for k in found if k.at not in said))


def _of_program(program: Program, names: Names) -> list[Kink]:
    active = set(program.wrt)
    found: dict[tuple[Term, str, str], Kink] = {}
    for s in program.statements:
        if s.body.tensors & active:
            active.add(s.name)
            for k in _of_statement(s, active, names):
                found.setdefault((k.at, k.of, k.convention), k)
    return list(found.values())


def _names(program: Program, index_names: Iterable[tuple[str, Term]]) -> Names:
    """Names for bound indices: the file's own."""
    own = [(str(i.data), extent(i)) for s in program.statements for i in s.indices]
    taken = {*(i.name for i in program.inputs), *(p.name for p in program.parameters)}
    taken |= {str(t.data) for i in program.inputs for e in i.shape for t in walk(e) if t.op == "dim"}
    taken |= {s.name for s in program.statements}
    prefer: dict[Term, list[str]] = {}
    for name, size in (*own, *index_names):
        known = prefer.setdefault(size, [])
        if name != BATCH and name[0] not in "$%" and name not in known:
            known.append(name)
    return Names(prefer, frozenset(taken) - {BATCH})


def _of_statement(s: Statement, active: set[str], names: Names) -> Iterator[Kink]:
    line = s.place.line if s.place else None
    for t in opened_walk(s.body, names):
        if t.tensors & active:
            for at, of, convention in _of_term(t, names):
                if at.tensors & active:
                    yield Kink(at, of, convention, line)


def opened_walk(t: Term, names: Names) -> Iterator[Term]:
    """The subterms, what stands under a binder with names for its indices instead of canonical ones; each once."""
    seen: set[Term] = set()
    stack = [t]
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen.add(x)
        yield x
        if x.op == "red":
            stack.append(named_reduction(x, names.within(x))[0])
        else:
            stack.extend(reversed(x.args))


def _of_term(t: Term, names: Names) -> Iterator[tuple[Term, str, str]]:
    if t.op == "fn":
        yield from _of_function(t)
    elif t.op in ("where", "iv"):
        for c in _comparisons(t.args[0]):
            yield compare("==", *c.args), "where", "the branch taken"
    elif t.op == "red" and t.data in ("max", "min", "max_first", "min_first"):
        first = str(t.data).endswith("_first")
        of = "amax" if "max" in str(t.data) else "amin"
        yield _tie(t, names), of, "the first takes all" if first else "shared evenly"
    elif t.op == "pow" and t.args[1].tensors:
        yield compare("==", t.args[0], ZERO), "power", "0"
    elif t.op == "red" and t.data == "norm":
        yield compare("==", t, ZERO), "norm", "0"


def _comparisons(c: Term) -> Iterator[Term]:
    """The comparisons that a condition is made of, in reading order."""
    if c.op == "cmp":
        yield c
    elif c.op in ("and", "or", "not"):
        for a in c.args:
            yield from _comparisons(a)


def _tie(t: Term, names: Names) -> Term:
    """Where the extreme value is reached; a tie is where it is reached by several."""
    body, _ = named_reduction(t, names.within(t))
    return compare("==", body, t)


def _of_function(t: Term) -> Iterator[tuple[Term, str, str]]:
    name, x = str(t.data), t.args[0]
    if name in ("Abs", "relu", "sign", "Heaviside"):
        yield compare("==", x, ZERO), name, "0"
    elif name in STEPS:
        yield compare("==", x, fn(name, x)), name, "0"
    elif name == "clip":
        for bound in t.args[1:]:
            if INFINITY not in factors_of(bound):
                yield compare("==", x, bound), name, "1"
    elif name in ("Max", "Min"):
        yield compare("==", x, t.args[1]), name, "1/2 each"
