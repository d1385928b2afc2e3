"""Recurrences become loops: the first step apart, then one step after the other, forwards or backwards.

h[t] = where(t == 0, h0, tanh(a[t] + U h[t - 1]))    ->    h[0] = h0;  for t in 1 .. T - 1: h[t] = tanh(...)

What a step does not take from the steps before it is computed for all of them at once, before the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from symgrad.algebra.build import add, substitute
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, extent, idx, par
from symgrad.formula.blocks import Block, axis_of_time, states
from symgrad.formula.program import Statement
from symgrad.lower.arrays import Assign, Loop, Made, Stored, reads
from symgrad.lower.beforehand import beforehand
from symgrad.lower.scope import Names, Signature, Steps, is_scalar, signature_of
from symgrad.lower.settling import Settling
from symgrad.lower.sharing import share

LowerStatement = Callable[[Statement, Mapping[str, Signature], Mapping[str, Statement], Names], list[Assign]]


@dataclass(frozen=True)
class Surroundings:
    """What the statements around a recurrence make known. `lower` lowers one ordinary statement.

    `demanded`: names that are read after the recurrence.
    """

    signatures: Mapping[str, Signature]
    definitions: Mapping[str, Statement]
    names: Names
    lower: LowerStatement
    demanded: Collection[str]


def lower_recurrence(block: Block, around: Surroundings) -> list[Assign | Loop]:
    """What is computed before the loop, and the loop."""
    given, inner = beforehand(block, around.names)
    lowered: list[Assign | Loop] = []
    signatures, definitions = dict(around.signatures), dict(around.definitions)
    for s in given:
        lowered += around.lower(s, signatures, definitions, around.names)
        signatures[s.name] = signature_of(s)
    return [*lowered, _Loop(inner, replace(around, signatures=signatures)).build()]


class _Loop:
    """One recurrence being lowered: arrays that are kept for all steps, and names of a step alone."""

    def __init__(self, block: Block, around: Surroundings) -> None:
        self.block, self.around = block, around
        first = block[0].recurrence
        assert first is not None
        self.time, self.backward = first.time, first.backward
        self.count = extent(self.time)
        self.name = around.names.counter(str(self.time.data))
        across = {s.name for s in states(block)}
        self.kept = {s.name for s in block if s.name in across or s.name in around.demanded}

    def build(self) -> Loop:
        """The first step and the others."""
        start = add(self.count, MINUS_ONE) if self.backward else ZERO
        first = self.step(start, self.settled(start))
        # the other steps: time is u + 1, or u, for u = 0 .. count - 2
        u = idx("%steps", add(self.count, MINUS_ONE))
        at = u if self.backward else add(u, ONE)
        counter = par(self.name)
        back = counter if self.backward else add(counter, MINUS_ONE)
        bodies = {n: substitute(t, {u: back}) for n, t in self.settled(at).items()}
        made = tuple(self.made(s) for s in self.block if s.name in self.kept)
        return Loop(made, self.name, self.count, self.backward, tuple(first), tuple(self.step(counter, bodies)))

    def made(self, s: Statement) -> Made:
        axis = axis_of_time(s)
        return Made(s.name, s.indices, axis, signature_of(s).dtype, s.name in self.around.demanded)

    def settled(self, at: Term) -> dict[str, Term]:
        """The bodies at one step."""
        signatures = {**self.around.signatures, **{s.name: signature_of(s) for s in self.block}}
        work = Settling(signatures, {s.name: axis_of_time(s) for s in self.block})
        found: dict[str, Term] = {}
        for s in self.block:
            found[s.name] = work.apply(substitute(s.body, {self.time: at}))
            if is_scalar(found[s.name]):
                work.constants[s.name, at] = found[s.name]
        return found

    def step(self, at: Term, bodies: Mapping[str, Term]) -> list[Assign]:
        """The assignments of one step."""
        signatures = dict(self.around.signatures)
        signatures[f"parameter {self.name}"] = Signature((), "step")
        definitions = dict(self.around.definitions)
        for s in self.block:
            whole = signature_of(s)
            steps = Steps(axis_of_time(s), s.name in self.kept)
            signatures[s.name] = replace(whole, steps=steps)
        out: list[Assign] = []
        for s in self.block:
            rest = tuple(i for i in s.indices if i is not self.time)
            local = replace(s, indices=rest, body=bodies[s.name], recurrence=None)
            *parts, last = self.around.lower(local, signatures, definitions, self.around.names)
            out += parts
            if s.name in self.kept:
                stored = Stored(last.expr.frame, last.expr.dtype, last.expr, axis_of_time(s), at)
                out.append(Assign(s.name, stored, "step"))
            else:
                out.append(replace(last, kind="step"))
        return share(self.used(out), self.around.names)

    def used(self, assigned: list[Assign]) -> list[Assign]:
        """The assignments without those of this step alone that nothing reads."""
        needed, out = set(self.kept), list[Assign]()
        for a in reversed(assigned):
            if a.name in needed:
                needed.update(reads(a.expr))
                out.append(a)
        return out[::-1]
