"""Closed forms: each gradient written in the formula's own names, for people.

They stop at the parts: the cotangent of an output of a used formula is a name, unless it is short. `inline` goes
through the parts: their cotangents and values are written out, as long as that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from symgrad.algebra.build import Fresh, mul, power
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, extent, is_access, walk
from symgrad.algebra.weight import weight
from symgrad.calculus.hoist import EXTREMES, taken_names
from symgrad.closing.blocks import in_blocks
from symgrad.closing.fold import foldings, logarithm_folding
from symgrad.closing.naming import Naming, is_chain, readable
from symgrad.closing.parts import Definition, Gradient, without_silent_batch, written_out
from symgrad.closing.reads import equations_of, settled_reads
from symgrad.closing.simplify import Simplifier
from symgrad.closing.standardized import standardized
from symgrad.closing.sweep import Sweep
from symgrad.closing.symmetry import as_written
from symgrad.closing.unfold import growth, is_silent, unfold
from symgrad.formula.blocks import blocks, states
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context

SHORT_UNNAMED = 60
"""Those of hoisted values, which the formula has no name for, from this weight on."""
SHORT = 22
"""Adjoints that several gradients share are named from this weight on."""

MUCH = 100
"""One adjoint of more than this weight keeps its name: it is in its shortest form, and written out it stays long."""
LINE = 96
"""A form up to this weight is read at one glance: it names no hoisted values."""
TRIED = 240
"""Forms up to this weight before they are simplified are always tried."""
LONG_LINE = 180
"""Adjoints are written out where a form grows no longer by that, up to this weight, and they link no chain."""
SHORTER = 0.85
"""Above that, where they make less than this part of the length."""
MUCH_LONGER = 1.5
"""A gradient in blocks is written block by block unless that is more than so many times as long."""
MUCH_SHORTER = 0.8
"""A closed form names hoisted values where that, definitions included, leaves less than this part of its length."""
STANDARDIZED = 0.6
"""A closed form is in standardized values where it is less than this part of its length, and with them no longer."""
LONGEST_INLINE = 1000
"""Weight up to which `inline` writes everything out."""


class ClosedForms:
    """Closed forms from the adjoints of a hoisted program."""

    def __init__(self, program: Program, adjoints: Sweep, context: Context, inline: bool = False) -> None:
        self.program, self.adjoints, self.context, self.inline = program, adjoints, context, inline
        made = {s.name: s for s in program.statements if s.kind == "hoisted"}
        self.compared = {n: s for n, s in made.items() if n in _compared(program)}
        self.hidden = {n: s for n, s in made.items() if n not in self.compared}
        self.named = [s for s in program.statements if s.kind in ("let", "output") and s.name not in made]
        self.mean = {s.name: s for s in self._mean_cotangent()} | {
            s.name: s for s in program.statements if s.kind == "loss"
        }
        results = {s.name for s in program.statements if s.result and not inline}
        self.walls = {s.name for name, s in adjoints.adjoint_of.items() if name in results}
        self.mean |= {n: s for n, s in adjoints.machine.items() if n not in self.walls}
        self.adjoint = {s.name: s for s in adjoints.adjoint_of.values() if s.name not in self.mean}
        self.local = {n: s for n, s in self.adjoint.items() if n not in adjoints.carried}
        """Those that can be written out: the adjoint of a state reads itself at another step."""
        self.recurrent = adjoints.carried | {s.name for b in blocks(program.statements) for s in states(b)}
        """Names that stand for a recurrence."""
        self.statement_of = {s.name: s for s in adjoints.statements}
        self.fresh = Fresh()
        self.inner = Simplifier(
            context, foldings([s for s in program.statements if s.kind != "loss"], context), closed=True
        )
        visible = [self.visible(s) for s in self.named]
        self.extreme = {s.name: s for s in visible if s.body.tensors & self.compared.keys()}
        """Statements that take the extreme of a name."""
        logarithms = [f for s in visible if (f := logarithm_folding(s, context)) is not None]
        self.outer = Simplifier(context, [*logarithms, *foldings(visible, context)], closed=True)
        self.hats = standardized(program.statements, self.hidden, taken_names(program) | set(self.adjoint))
        self.worn: frozenset[str] = frozenset()
        """The standardized values that some closed form is written in, and the names in their definitions."""
        self.in_hats = Simplifier(context, foldings(tuple(self.hats.values()), context), closed=True)
        self.naming = Naming(readable(self.hidden | self.hats, self.named, context), self.fresh)
        made_up = {s.name for s in program.statements if s.kind == "hoisted"}
        self.nameless = {s.name for name, s in adjoints.adjoint_of.items() if name in made_up}
        self.introduced: dict[str, Definition] = {}

    def _mean_cotangent(self) -> list[Statement]:
        if not self.program.is_loss:
            return []
        s = self.program.loss
        share = mul(*(power(extent(i), MINUS_ONE) for i in s.indices)) if s.indices else ONE
        return [Statement(self.adjoints.cotangents[s.name], s.indices, share, "adjoint")]

    def visible(self, s: Statement) -> Statement:
        """The statement with hidden hoisted names written out."""
        return Statement(s.name, s.indices, unfold(s.body, self.hidden, self.fresh), s.kind)

    def gradients(self) -> tuple[Gradient, ...]:
        """The closed form of every gradient that was asked for."""
        worn, found = self.worn, [self._gradient(name) for name in self.program.wrt]
        if self.worn != worn:
            found = [self._gradient(name) for name in self.program.wrt]
        every = [
            Gradient(name, indices, closed, self.definitions(closed, adjoints), closed is ZERO)
            for name, indices, closed, adjoints in found
        ]
        keep, most = frozenset(_compared(self.program)), LONGEST_INLINE if self.inline else 0
        gradients = written_out(every, self.program, keep, self.fresh, most)
        equations = equations_of(self.program)
        return tuple(self._as_read(without_silent_batch(g, self.fresh), equations) for g in gradients)

    def _gradient(self, name: str) -> tuple[str, tuple[Term, ...], Term, dict[str, Definition]]:
        self.context.subject = f"gradient of {name}"
        statement = self.statement_of[self.adjoints.gradient_of[name]]
        return (name, statement.indices, *self.choose(self.closed(statement.body)))

    def _as_read(self, g: Gradient, equations: Sequence[tuple[Term, Term]]) -> Gradient:
        """The gradient with each of its texts such that the language reads it as it is meant."""
        where = tuple(
            replace(d, body=as_written(d.body, d.indices, self.context)) if d.introduced else d for d in g.where
        )
        g = replace(g, closed=as_written(g.closed, g.indices, self.context), where=where)
        shapes = self.program.shapes | {d.name: tuple(map(extent, d.indices)) for d in g.where}
        where = tuple(replace(d, body=settled_reads(d.body, d.indices, shapes, equations)) for d in g.where)
        return replace(g, closed=settled_reads(g.closed, g.indices, shapes, equations), where=where)

    def closed(self, t: Term) -> Term:
        """The term for people: in the formula's names, and in those of hoisted values where it is much shorter so."""
        t = unfold(t, self.mean, self.fresh)
        branches = in_blocks(t, self._whole, self.context)
        whole = self._whole(t)
        return whole if branches is None or weight(branches) > MUCH_LONGER * weight(whole) else branches

    def _whole(self, t: Term) -> Term:
        t = self.inner.simplify(t)
        if not t.tensors & set(self.hidden) and not any(x.op == "red" and x.data == "lse" for x in walk(t)):
            return t
        guarded = any(x.op == "get0" and x.data in self.hidden for x in walk(t))
        if not guarded and self.naming.out_of_reach(t):
            return self.naming.whole(t)
        visible = self.outer.simplify(unfold(t, self.hidden, self.fresh))
        last = self.outer.settled(unfold(t, self.naming.statements, self.fresh))
        visible = last if weight(last) < weight(visible) else visible
        if guarded:
            return visible
        standardized = self._in_hats(t, weight(visible)) if self.hats else None
        if standardized is not None or weight(visible) <= LINE:
            return standardized or visible
        named, length = self.naming.shortest(t)
        return named if length < MUCH_SHORTER * weight(visible) else visible

    def _in_hats(self, t: Term, visible: int) -> Term | None:
        """The term in standardized values where that pays, or where they are named anyway."""
        with self.context.trial() as steps:
            new = self.in_hats.simplify(t)
        hats = new.tensors & self.hats.keys()
        if not hats:
            return None
        if hats <= self.worn:
            named = self.naming.named(new, self.worn)
        else:
            named, length = self.naming.shortest(new, hats)
            if weight(named) >= STANDARDIZED * visible or length > visible:
                return None
            self.worn |= self.naming.kept[named]
        for s in steps:
            self.context.record(s.rule, s.before, s.after, s.note)
        return named

    def choose(self, closed: Term) -> tuple[Term, dict[str, Definition]]:
        """Adjoints by name, or written out: by length, names preferred where they stand for much."""
        if not self._adjoints_in(closed):
            return closed, {}
        short = self._short(closed)
        named = self.closed(unfold(closed, short, self.fresh)) if short else closed
        definitions = self._closure(named)
        open_ = {n: s for n, s in self.local.items() if n in short or n not in self.walls}
        mine = [d for n, d in definitions.items() if n not in self.walls]
        total = weight(named) + sum(d.length for d in mine)
        within = 0 if any(weight(d.body) > MUCH for d in mine) else max(2 * total, TRIED)
        bound = LONGEST_INLINE if self.inline else within
        if weight(closed) + growth(closed, open_, {}) > bound:
            return named, definitions
        inlined = self.closed(unfold(closed, open_, self.fresh))
        rest = self._closure(inlined)
        length = weight(inlined) + sum(d.length for n, d in rest.items() if n not in self.walls)
        short_enough = length <= max(min(total, LONG_LINE), SHORTER * total)
        glance = short_enough and not is_chain(named, mine)
        if self.inline or total > 1.5 * length + 10 or glance:
            return inlined, rest
        return named, definitions

    def _short(self, t: Term) -> dict[str, Statement]:
        """Adjoints in the term that are written out wherever they occur."""
        return {n: self.local[n] for n in self._adjoints_in(t) if n in self.local and self._is_short(n)}

    def _is_short(self, name: str) -> bool:
        body = self.closed_adjoint(name).body
        most = SHORT_UNNAMED if name in self.nameless else SHORT
        return weight(body) < most or is_access(body)

    def _adjoints_in(self, t: Term) -> list[str]:
        return sorted(t.tensors & set(self.adjoint))

    def closed_adjoint(self, name: str) -> Definition:
        """The closed form of an adjoint, as a definition."""
        if name not in self.introduced:
            s = self.adjoint[name]
            saved, self.context.subject = self.context.subject, name
            body = self.closed(unfold(s.body, self._short(s.body), self.fresh))
            self.introduced[name] = Definition(name, s.indices, body, True)
            self.context.subject = saved
        return self.introduced[name]

    def cotangent(self, s: Statement) -> Gradient:
        """What flows back into a value of the formula, in the names of closed forms."""
        a = self.adjoints.adjoint_of.get(s.name)
        if a is None:
            return Gradient(f"d{s.name}", s.indices, ZERO, (), True)
        closed = self.closed_adjoint(a.name).body if a.name in self.adjoint else self.closed(a.body)
        definitions = self.definitions(closed, self._closure(closed) | self._own(a.name))
        return Gradient(f"d{s.name}", a.indices, closed, definitions, closed is ZERO)

    def _own(self, name: str) -> dict[str, Definition]:
        return {name: self.closed_adjoint(name)} if name in self.adjoint else {}

    def _closure(self, t: Term) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        queue = self._adjoints_in(t)
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = self.closed_adjoint(name)
                queue += self._adjoints_in(found[name].body)
        return found

    def _written(self) -> dict[str, Statement]:
        """The statements of the formula; short ones that do not say how far their indices run are written out."""
        stated = {s.name: s for s in self.context.program.statements if s.kind != "loss"}
        silent: dict[str, Statement] = {}
        for n, s in stated.items():
            stated[n] = replace(s, body=unfold(s.body, silent, self.fresh)) if silent else s
            if is_silent(stated[n]):
                silent[n] = stated[n]
        return stated

    def definitions(self, closed: Term, adjoints: dict[str, Definition]) -> tuple[Definition, ...]:
        """Every name that the closed form uses, in the order of definition."""
        written = self._written() | {n: self.visible(s) for n, s in self.compared.items()}
        written |= self.naming.definitions((closed, *(d.body for d in adjoints.values())))
        roots = [closed, *(d.body for d in adjoints.values())]
        needed = _needed(roots, written)
        if needed & self.extreme.keys() and needed & self.compared.keys():
            written = self._with_extremes_of_names(written, needed)
            needed = _needed(roots, written)
        hoisted = {*self.compared, *self.hidden, *self.hats, *(s.name for s in self.program.statements if s.inner)}
        lets = [Definition(n, s.indices, s.body, n in hoisted) for n, s in written.items() if n in needed]
        order = [s.name for s in self.adjoints.statements]
        return (*lets, *sorted(adjoints.values(), key=lambda d: order.index(d.name) if d.name in order else -1))

    def _with_extremes_of_names(self, written: dict[str, Statement], needed: AbstractSet[str]) -> dict[str, Statement]:
        """The definitions, those of extremes in the names that ties are found by: `u = amax(e)` where it says `e == u`.

        Written out otherwise than `e`, even by a rounding, `u` may equal none of them.
        """
        named = {
            n for n in self.extreme.keys() & needed if self.extreme[n].body.tensors & self.compared.keys() & needed
        }
        order = {s.name: k for k, s in enumerate(self.program.statements)}
        return {
            n: self.extreme[n] if n in named else s
            for n, s in sorted(written.items(), key=lambda item: order.get(item[0], len(order)))
        }


def _needed(roots: Sequence[Term], written: Mapping[str, Statement]) -> AbstractSet[str]:
    """Every name that terms use, by way of others too."""
    needed: dict[str, None] = {}
    queue = list(roots)
    while queue:
        for name in sorted(queue.pop().tensors & written.keys()):
            if name not in needed:
                needed[name] = None
                queue.append(written[name].body)
    return needed.keys()


def _compared(program: Program) -> set[str]:
    """Hoisted values whose largest or smallest is taken: ties are found by comparing the very same numbers."""
    found: set[str] = set()
    for s in program.statements:
        for t in walk(s.body):
            if t.op == "red" and t.data in EXTREMES and t.args[0].op == "get":
                found.add(str(t.args[0].data))
    return found


__all__ = ["ClosedForms", "Definition", "Gradient", "walk"]
