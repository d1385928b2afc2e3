"""For machines: statements in the forms that keep their digits (`rules/machine`), chosen by measurement (`probe`).

statements for people -> softmaxes whole -> accurate forms, where these are measured no worse. Closed forms need none of
it, so it is done when kernels are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.terms import Term, extent
from symgrad.calculus.recurrence import reached
from symgrad.closing.forward_mode import Tangents
from symgrad.closing.outside import bracketed_outside
from symgrad.closing.probe import Probe
from symgrad.closing.reverse import Adjoints
from symgrad.closing.softmax import rejoin
from symgrad.formula.blocks import blocks
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Step
from symgrad.rules.machine import MACHINE

CHOOSING, JUDGING = 0, 1
TIE = 0.25
"""Bits that a form may seem to lose more on average: rounding is chance."""


@dataclass(frozen=True)
class ForMachines:
    """What kernels compute: values, gradients, tangents; `tangent_of`: input or output -> name of its tangent.

    `steps`: the rewrites that were kept, with the bits that they save.
    """

    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    tangent: tuple[Statement, ...]
    tangent_of: Mapping[str, str]
    steps: tuple[Step, ...]


def made_for_machines(
    program: Program, adjoints: Adjoints, second: Sequence[Statement], context: Context
) -> ForMachines:
    """The statements of kernels, from a hoisted program and its adjoints; `second`: other readers of the program."""
    known = {s.name: s for s in (*program.statements, *adjoints.statements)}
    own = replace(context, steps=[], used={}, tables={}, definitions={s.name: s for s in program.statements})
    tangents = Tangents(program, own)
    kept = live(program, (*adjoints.statements, *tangents.statements, *second))
    forward, backward, tangent = (
        sharpen(rejoin(x, program), own, known) for x in (kept, adjoints.statements, tangents.statements)
    )
    shapes = {**program.shapes, **own.cotangents, **{s.name: tuple(map(extent, s.indices)) for s in known.values()}}
    forward, backward, tangent = (bracketed_outside(x, shapes) for x in (forward, backward, tangent))
    return ForMachines(forward, backward, tangent, tangents.names, tuple(own.steps))


def live(program: Program, readers: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements that an output, or one of the readers, needs."""
    needed = {s.name for s in program.outputs}.union(*(s.body.tensors for s in readers))
    kept: list[Statement] = []
    for block in reversed(blocks(program.statements)):
        used = reached(block, needed, forward=False)
        kept += [s for s in reversed(block) if s.name in used]
        needed = needed.union(*(s.body.tensors for s in block if s.name in used))
    return tuple(reversed(kept))


def sharpen(statements: Sequence[Statement], context: Context, known: Mapping[str, Statement]) -> tuple[Statement, ...]:
    """The statements in accurate forms, where these are measured no worse; the steps are recorded under `kernel of`.

    `known`: what their names stand for.
    """
    probe = Probe(context.program, known)
    done = []
    for s in statements:
        context.subject = f"kernel of {s.name}"
        with context.trial() as steps:
            body = rewrite(s.body, MACHINE, context)
        note = None if body is s.body else chosen(probe, s, body)
        if note is None:
            done.append(s)
            continue
        for k, step in enumerate(steps, 1):
            context.record(step.rule, step.before, step.after, note if k == len(steps) else step.note)
        done.append(replace(s, body=body))
    return tuple(done)


def chosen(probe: Probe, s: Statement, body: Term) -> str | None:
    """Why the accurate form is taken: what both lose at points that did not choose. None: the plain one is kept."""
    first = probe.losses((s.body, body), s, CHOOSING)
    if first is None:
        return ""
    plain, sharp = first
    if sharp.mean > plain.mean + TIE:
        return None
    second = probe.losses((s.body, body), s, JUDGING)
    if second is None:
        return ""
    plain, sharp = second
    if sharp.mean > plain.mean + TIE:
        return None
    if str(plain) == str(sharp):
        return f"measured no worse: {sharp}, at {plain.points} points that did not choose it"
    return f"{sharp} instead of {plain}, at {plain.points} points that did not choose it"
