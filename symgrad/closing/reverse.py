"""Pass 6 and 7: the adjoint of every statement, each in its simplest form for machines."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count

from symgrad.algebra.build import add
from symgrad.algebra.terms import BATCH, ZERO, Term, dim, extent, get, idx, walk
from symgrad.algebra.weight import weight
from symgrad.calculus.adjoint import contributions, gather_adjoint
from symgrad.calculus.chain import CHAIN
from symgrad.calculus.hoist import taken_names
from symgrad.calculus.recurrence import at_the_step, is_parallel, reached
from symgrad.closing.fold import foldings
from symgrad.closing.simplify import Simplifier
from symgrad.formula.blocks import Block, blocks, is_recurrent, states
from symgrad.formula.program import Input, Program, Statement
from symgrad.rewrite.context import Context

TRIVIAL = 14
"""Adjoints of at most this weight are written out instead of named."""
LONG = 240
"""Adjoints of more than this weight are named even where only one input needs them."""
INDEX_NAMES = "ijklmpqrsuvwabefgh"


IndexNames = tuple[tuple[str, Term], ...]


def input_indices(
    i: Input, program: Program, names: IndexNames = (), avoid: frozenset[str] = frozenset()
) -> tuple[Term, ...]:
    """Indices for the axes of an input: the formula's own where it reads the input at bare indices, else letters."""
    read = _bare_read(i, program)
    batch = (idx(BATCH, dim(BATCH)),) if i.batch else ()
    axes = read[len(batch) :] if read else tuple(idx("$", e) for e in i.shape)
    used = {str(a.data) for a in axes}
    taken = taken_names(program) | {n for n, _ in names} | avoid
    pool = [c for c in INDEX_NAMES if c not in used and c not in taken]
    named: list[Term] = []
    for a in axes:
        bound = str(a.data)[0] in "$%"
        named.append(idx(_index_name(extent(a), names, used, pool), extent(a)) if bound else a)
        used.add(str(named[-1].data))
    return (*batch, *named)


def _index_name(size: Term, names: IndexNames, used: set[str], pool: list[str]) -> str:
    own = [n for n, e in names if e is size and n not in used and n != BATCH]
    return own[0] if own else next(p for p in chain(pool, map("i{}".format, count(1))) if p not in used)


def _bare_read(i: Input, program: Program) -> tuple[Term, ...] | None:
    best: tuple[Term, ...] | None = None
    sizes = (*((dim(BATCH),) if i.batch else ()), *i.shape)
    for s in program.statements:
        for t in walk(s.body):
            if t.op == "get" and t.data == i.name and all(a.op == "idx" for a in t.args):
                names = [str(a.data) for a in t.args]
                if len(set(names)) < len(names) or any(extent(a) is not e for a, e in zip(t.args, sizes, strict=True)):
                    continue
                if best is None or _named(t.args) > _named(best):
                    best = t.args
    return best


def _named(indices: tuple[Term, ...]) -> int:
    return sum(str(a.data)[0] not in "$%" for a in indices)


def _read_at_quotients(program: Program) -> frozenset[str]:
    """Statements that are read at k//r: what is summed for one of their elements, many would sum again."""
    reads = (t for s in program.statements for t in walk(s.body) if t.op == "get")
    return frozenset(str(t.data) for t in reads if any(a.op == "fn" and a.data == "floordiv" for a in t.args))


def _varying(indices: tuple[Term, ...], body: Term) -> tuple[Term, ...]:
    """The axes along which a value differs: what flows back into each summand of a sum is one number for all of them.

    Batch axes stay: arrays align along them.
    """
    return tuple(i for i in indices if i in body.free or str(i.data) == BATCH)


class Adjoints:
    """Reverse mode over a program: `statements` in the order of evaluation, `adjoint_of` also those written out."""

    def __init__(self, program: Program, context: Context) -> None:
        self.program, self.context = program, context
        self.names = taken_names(program)
        self.statements: tuple[Statement, ...] = ()
        self.gradient_of: dict[str, str] = {}
        self.cotangents: dict[str, str] = {}
        self.adjoint_of: dict[str, Statement] = {}
        self.machine: dict[str, Statement] = {}
        """Adjoints that have a name for the sake of kernels alone."""
        self.inlined: set[str] = set()
        self.carried: set[str] = set()
        """Adjoints of states: each step reads those of the step after it, so that they are never written out."""
        self.wanted = self._wanted()
        self.single = self._single_consumers()
        self.shared = _read_at_quotients(program)
        self.pending: dict[str, list[Term]] = {}
        named = [s for s in program.statements if s.kind != "loss"]
        self.simplifier = Simplifier(context, foldings(named, context, machines=True), closed=False)

    def _wanted(self) -> frozenset[str]:
        """Names through which a gradient flows."""
        active = set(self.program.wrt)
        for block in blocks(self.program.statements):
            active |= reached(block, active, forward=True)
        return frozenset(active)

    def _single_consumers(self) -> dict[str, bool]:
        """Whether all that a statement's adjoint reaches is one input (or one named branching point)."""
        ends: dict[str, frozenset[str]] = {n: frozenset((n,)) for n in self.program.wrt}
        single: dict[str, bool] = {}
        for block in blocks(self.program.statements):
            for s in states(block):
                ends[s.name] = frozenset((s.name,))
            for s in block:
                found = frozenset().union(*(ends[t] for t in sorted(s.body.tensors & self.wanted)))
                single[s.name] = len(found) <= 1
                ends.setdefault(s.name, found if len(found) <= 1 else frozenset((s.name,)))
        return single

    def derive(self) -> None:
        """The sweep: outputs first, inputs last."""
        done: list[Statement] = []
        for s in self.program.outputs:
            name = self.cotangents[s.name] = self._unique("d" + s.name)
            self.context.cotangents[name] = tuple(extent(i) for i in s.indices)
            self.pending[s.name] = [get(name, s.indices)]
        for block in reversed(blocks(self.program.statements)):
            if is_recurrent(block):
                self._pull_recurrence(block, done)
            elif block[0].name in self.wanted and block[0].name in self.pending:
                self._pull(block[0], done)
        for name in self.program.wrt:
            done.append(self._gradient(name))
        self.statements = tuple(s for s in done if s.name not in self.inlined)

    def _pull_recurrence(self, block: Block, done: list[Statement]) -> None:
        """Back through time: the adjoints of states are named first, for the steps before read them."""
        given = [s.name for s in block if s.name in self.pending]
        active = reached(block, given, forward=False) & self.wanted
        carried = [s for s in states(block) if s.name in active]
        for s in carried:
            back = s.recurrence and s.recurrence.reversed
            name = self._unique("d" + s.name)
            self.adjoint_of[s.name] = Statement(name, s.indices, ZERO, "adjoint", s.place, recurrence=back)
            self.carried.add(name)
            self.context.cotangents[name] = tuple(extent(i) for i in s.indices)
        made: list[Statement] = []
        for s in reversed(block):
            if s in carried:
                made.append(self.adjoint_of[s.name])
                self._spread(s, get(made[-1].name, s.indices))
            elif s.name in active and s.name in self.pending:
                self._pull(s, made)
        for s in carried:
            self.context.subject = s.name
            total = add(*self.pending.pop(s.name, []))
            old = self.adjoint_of[s.name]
            self.context.record(CHAIN, get("d" + s.name, s.indices), total)
            self.adjoint_of[s.name] = replace(old, body=self.simplifier.simplify(total))
            made[made.index(old)] = self.adjoint_of[s.name]
        done += made

    def _pull(self, s: Statement, done: list[Statement]) -> None:
        self.context.subject = s.name
        total = add(*self.pending.pop(s.name))
        name = self.cotangents.get(s.name)
        if name is None or total.op != "get" or total.data != name:
            self.context.record(CHAIN, get("d" + s.name, s.indices), total)
            body = self.simplifier.simplify(total)
            back = s.recurrence.reversed if s.recurrence is not None else None
            axes = s.indices if back is not None or s.kind == "let" else _varying(s.indices, body)
            adjoint = Statement(self._unique("d" + s.name), axes, body, "adjoint", s.place, recurrence=back)
            self.adjoint_of[s.name] = adjoint
            self.context.cotangents[adjoint.name] = tuple(map(extent, axes))
            if back is None:
                self.context.adjoints[adjoint.name] = adjoint
            alone = self.single[s.name] and weight(body) <= LONG and not (s.result and body.height)
            keep = not (weight(body) <= TRIVIAL or alone)
            if not keep and s.name in self.shared and any(t.op == "red" for t in walk(body)):
                keep = True
                self.machine[adjoint.name] = adjoint
            total = get(adjoint.name, axes) if keep else body
            if keep:
                done.append(adjoint)
        self._spread(s, total)

    def _spread(self, s: Statement, total: Term) -> None:
        if total is ZERO:
            return
        targets = {t.name: t.indices for t in self.program.statements}
        together = {t.name: t for t in self.program.statements if is_parallel(s, t)}
        for found in contributions(s.body, total, self.wanted, self.context.fresh, get(s.name, s.indices)):
            name = str(found.access.data)
            c = at_the_step(found, s, together[name]) if name in together else found
            indices = targets[name] if name in targets else self._axes(name)
            self.pending.setdefault(name, []).append(gather_adjoint(c, s.indices, indices, self.context.fresh))

    def _axes(self, name: str) -> tuple[Term, ...]:
        avoid = frozenset(self.names) | {s.name for s in self.adjoint_of.values()}
        return input_indices(self.context.inputs[name], self.context.program, self.context.index_names, avoid)

    def _gradient(self, name: str) -> Statement:
        self.context.subject = f"gradient of {name}"
        indices = self._axes(name)
        total = add(*self.pending.get(name, []))
        self.context.record(CHAIN, get("d" + name, indices), total)
        body = self.simplifier.simplify(total)
        self.gradient_of[name] = self._unique("d" + name)
        return Statement(self.gradient_of[name], indices, body, "adjoint")

    def _unique(self, name: str) -> str:
        taken = {s.name for s in self.program.statements} | set(self.context.inputs) | set(self.context.parameters)
        taken |= {s.name for s in self.adjoint_of.values()} | set(self.cotangents.values())
        while name in taken:
            name += "_"
        return name


__all__ = ["Adjoints", "input_indices"]
