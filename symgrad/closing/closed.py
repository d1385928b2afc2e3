"""Closed forms: each gradient written in the formula's own names, for people."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.algebra.build import Fresh, mul, power
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, extent, walk
from symgrad.algebra.weight import weight
from symgrad.calculus.hoist import EXTREMES
from symgrad.closing.fold import foldings, logarithm_folding
from symgrad.closing.reverse import Adjoints
from symgrad.closing.simplify import Simplifier
from symgrad.closing.unfold import growth, unfold
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context

SHORT = 22
"""Adjoints that several gradients share are named from this weight on."""

MUCH = 100
"""One adjoint of more than this weight keeps its name: it is in its shortest form, and written out it stays long."""
LINE = 96
"""A form up to this weight is read at one glance: adjoints without sums are written out where it grows no longer."""
MUCH_SHORTER = 0.8
"""A closed form names hoisted values where that, definitions included, leaves less than this part of its length."""


@dataclass(frozen=True)
class Definition:
    """name[indices] = body: a name that a closed form uses. `introduced`: by symgrad, not by the formula."""

    name: str
    indices: tuple[Term, ...]
    body: Term
    introduced: bool


@dataclass(frozen=True)
class Gradient:
    """The closed form of the gradient of one input (of the mean, for a loss), with the names that it uses."""

    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple[Definition, ...]
    zero: bool


class ClosedForms:
    """Closed forms from the adjoints of a hoisted program."""

    def __init__(self, program: Program, adjoints: Adjoints, context: Context) -> None:
        self.program, self.adjoints, self.context = program, adjoints, context
        self.compared = {s.name: s for s in program.statements if s.kind == "hoisted" and s.name in _compared(program)}
        self.hidden = {s.name: s for s in program.statements if s.kind == "hoisted" and s.name not in self.compared}
        self.named = [s for s in program.statements if s.kind in ("let", "output")]
        self.mean = {s.name: s for s in self._mean_cotangent()} | {
            s.name: s for s in program.statements if s.kind == "loss"
        }
        self.adjoint = {s.name: s for s in adjoints.adjoint_of.values()}
        self.fresh = Fresh()
        self.inner = Simplifier(
            context, foldings([s for s in program.statements if s.kind != "loss"], context), closed=True
        )
        visible = [self._visible(s) for s in self.named]
        logarithms = [f for s in visible if (f := logarithm_folding(s, context)) is not None]
        self.outer = Simplifier(context, [*logarithms, *foldings(visible, context)], closed=True)
        self.introduced: dict[str, Definition] = {}

    def _mean_cotangent(self) -> list[Statement]:
        if not self.program.is_loss:
            return []
        s = self.program.loss
        share = mul(*(power(extent(i), MINUS_ONE) for i in s.indices)) if s.indices else ONE
        return [Statement(self.adjoints.cotangents[s.name], s.indices, share, "adjoint")]

    def _visible(self, s: Statement) -> Statement:
        return Statement(s.name, s.indices, unfold(s.body, self.hidden, self.fresh), s.kind)

    def gradients(self) -> tuple[Gradient, ...]:
        """The closed form of every gradient that was asked for."""
        by_name = {s.name: s for s in self.adjoints.statements}
        found = []
        for name in self.program.wrt:
            self.context.subject = f"gradient of {name}"
            statement = by_name[self.adjoints.gradient_of[name]]
            closed = self.closed(statement.body)
            found.append((name, statement.indices, *self.choose(closed)))
        return tuple(
            Gradient(name, indices, closed, self.definitions(closed, adjoints), closed is ZERO)
            for name, indices, closed, adjoints in found
        )

    def closed(self, t: Term) -> Term:
        """The term for people: in the formula's names, and in those of hoisted values where it is much shorter so."""
        t = self.inner.simplify(unfold(t, self.mean, self.fresh))
        if not t.tensors & set(self.hidden) and not any(x.op == "red" and x.data == "lse" for x in walk(t)):
            return t
        visible = self.outer.simplify(unfold(t, self.hidden, self.fresh))
        guarded = {str(x.data) for x in walk(t) if x.op == "get0"}
        names = sorted((t.tensors & set(self.hidden)) - guarded)
        hoisted = [] if guarded & set(self.hidden) else [self._visible(self.hidden[n]) for n in names]
        named = weight(t) + sum(weight(s.body) + len(s.name) + 2 + 2 * len(s.indices) for s in hoisted)
        return t if hoisted and named < MUCH_SHORTER * weight(visible) else visible

    def choose(self, closed: Term) -> tuple[Term, dict[str, Definition]]:
        """Adjoints by name, or written out: by length, names preferred where they stand for much."""
        used = self._adjoints_in(closed)
        if not used:
            return closed, {}
        short = self._short(closed)
        named = self.closed(unfold(closed, short, self.fresh)) if short else closed
        definitions = self._closure(named)
        total = weight(named) + sum(weight(d.body) + len(d.name) + 2 + 2 * len(d.indices) for d in definitions.values())
        long = any(weight(d.body) > MUCH for d in definitions.values())
        if long or weight(closed) + growth(closed, self.adjoint, {}) > 2 * total:
            return named, definitions
        inlined = self.closed(unfold(closed, self.adjoint, self.fresh))
        length = weight(inlined)
        glance = length <= min(total, LINE) and not any(d.body.height for d in definitions.values())
        if total > 1.5 * length + 10 or glance:
            return inlined, {}
        return named, definitions

    def _short(self, t: Term) -> dict[str, Statement]:
        """Adjoints in the term that are written out wherever they occur."""
        return {n: self.adjoint[n] for n in self._adjoints_in(t) if weight(self.closed_adjoint(n).body) < SHORT}

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

    def _closure(self, t: Term) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        queue = self._adjoints_in(t)
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = self.closed_adjoint(name)
                queue += self._adjoints_in(found[name].body)
        return found

    def definitions(self, closed: Term, adjoints: dict[str, Definition]) -> tuple[Definition, ...]:
        """Every name that the closed form uses, in the order of definition."""
        written = {s.name: s for s in self.context.program.statements if s.kind != "loss"}
        written |= {n: self._visible(s) for n, s in (*self.compared.items(), *self.hidden.items())}
        needed: dict[str, None] = {}
        queue = [closed, *(d.body for d in adjoints.values())]
        while queue:
            for name in sorted(queue.pop().tensors & set(written)):
                if name not in needed:
                    needed[name] = None
                    queue.append(written[name].body)
        hoisted = {*self.compared, *self.hidden}
        lets = [Definition(n, s.indices, s.body, n in hoisted) for n, s in written.items() if n in needed]
        order = [s.name for s in self.adjoints.statements]
        return (*lets, *sorted(adjoints.values(), key=lambda d: order.index(d.name) if d.name in order else -1))


def _compared(program: Program) -> set[str]:
    """Hoisted values whose largest or smallest is taken: ties are found by comparing the very same numbers."""
    found: set[str] = set()
    for s in program.statements:
        for t in walk(s.body):
            if t.op == "red" and t.data in EXTREMES and t.args[0].op == "get":
                found.add(str(t.args[0].data))
    return found


__all__ = ["ClosedForms", "Definition", "Gradient", "walk"]
