"""For machines: statements in the forms that keep their digits (`rules/machine`), chosen by measurement (`probe`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.terms import Term
from symgrad.closing.probe import Probe
from symgrad.formula.program import Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rules.machine import MACHINE

CHOOSING, JUDGING = 0, 1
TIE = 0.25
"""Bits that a form may seem to lose more on average: rounding is chance."""


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
