"""For machines: statements in the forms that keep their digits (`rules/machine`), chosen by measurement (`choice`).

statements for people -> softmaxes whole -> accurate forms, where these are measured no worse. Closed forms need none of
it, so it is done when kernels are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import compare, fresh_in, open_reduction, rebuild, reduce, where
from symgrad.algebra.terms import INFINITY, ZERO, Term, extent
from symgrad.calculus.recurrence import reached
from symgrad.closing.choice import sharpened
from symgrad.closing.forward_mode import Tangents
from symgrad.closing.outside import bracketed_outside
from symgrad.closing.probe import Probe
from symgrad.closing.reverse import Adjoints
from symgrad.closing.softmax import rejoin
from symgrad.closing.unfold import unfold
from symgrad.formula.blocks import blocks
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Step
from symgrad.rules.norms import NORMS


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
    torn = {s.name: known[s.name] for s in forward if s.body is not known[s.name].body and is_torn(s.name, own.steps)}
    forward, backward, tangent = (compared_as_written(x, torn) for x in (forward, backward, tangent))
    shapes = {**program.shapes, **own.cotangents, **{s.name: tuple(map(extent, s.indices)) for s in known.values()}}
    forward, backward, tangent = (bracketed_outside(x, shapes) for x in (forward, backward, tangent))
    return ForMachines(forward, backward, tangent, tangents.names, tuple(own.steps))


def is_torn(name: str, steps: Sequence[Step]) -> bool:
    """Whether a value is computed in a form that need not be 0 where its summands cancel exactly."""
    return any(step.rule in NORMS for step in steps if step.subject == f"kernel of {name}")


def compared_as_written(statements: Sequence[Statement], torn: Mapping[str, Statement]) -> tuple[Statement, ...]:
    """The statements, with such values compared with a number in the formula's own form: a tie stays one.

    [0 < diff], relu(diff)  ->  [0 < margin + u - v], where(0 < margin + u - v, diff, 0)
    """
    if not torn:
        return tuple(statements)

    def as_written(t: Term) -> Term:
        if not t.tensors & torn.keys():
            return t
        number = t.op == "cmp" and any(not a.tensors for a in t.args)
        if number or (t.op == "fn" and t.data in ("sign", "Heaviside")):
            return rebuild(t, tuple(unfold(a, torn, fresh_in(t)) for a in t.args))
        if t.op == "red":
            body, variables = open_reduction(t, fresh_in(t))
            return reduce(str(t.data), as_written(body), variables)
        if t.op == "fn" and t.data in ("relu", "clip"):
            low, high = t.args[1:] or (ZERO, INFINITY)
            plain = unfold(t.args[0], torn, fresh_in(t))
            below = where(compare("<", plain, high), t.args[0], high) if high is not INFINITY else t.args[0]
            return where(compare("<", low, plain), below, low)
        return rebuild(t, tuple(map(as_written, t.args)))

    return tuple(replace(s, body=as_written(s.body)) for s in statements)


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
    """The statements in the forms that keep most digits, by measurement; the steps are recorded under `kernel of`.

    `known`: what their names stand for.
    """
    made: dict[str, Statement] = {}
    probe = Probe(context.program, known, made)
    done = []
    for s in statements:
        context.subject = f"kernel of {s.name}"
        found = sharpened(s, context, probe)
        if found is None:
            done.append(s)
            continue
        body, steps = found
        for step in steps:
            context.record(step.rule, step.before, step.after, step.note)
        made[s.name] = replace(s, body=body)
        done.append(made[s.name])
    return tuple(done)
