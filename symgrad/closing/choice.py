"""Which form of a statement kernels compute: candidates, measured at points that choose, judged at points that did not.

plain -> accurate (`rules/machine`) -> differences joined (`rules/near`) -> the series at 0 in the place of any of these
(`rules/series`). The accurate form is kept where none is measured better, then the plain one, then the others in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.terms import Term
from symgrad.closing.probe import Loss, Probe
from symgrad.formula.program import Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Rule, Step
from symgrad.rules.machine import MACHINE
from symgrad.rules.near import NEAR
from symgrad.rules.series import SERIES

CHOOSING, JUDGING = 0, 1
TIE = 0.25
"""Bits that a form may seem to lose more on average: rounding is chance."""
ACCURATE = "in an accurate form"
FAMILIES: Mapping[str, tuple[Rule, ...]] = {
    ACCURATE: MACHINE,
    "with differences joined": (*NEAR, *MACHINE),
}
BY_SERIES = "by its series at 0"


@dataclass(frozen=True)
class Form:
    """A candidate: its term, how it came about."""

    body: Term
    what: str
    steps: tuple[Step, ...] = ()


def sharpened(s: Statement, context: Context, probe: Probe) -> tuple[Term, tuple[Step, ...]] | None:
    """The form to compute instead of the statement's own, and its steps with the bits; None: its own is kept."""
    found = list(candidates(s.body, context))
    if len(found) == 1:
        return None
    chosen = _choose(probe, s, found)
    if chosen is None:  # not measured
        return (found[1].body, found[1].steps) if found[1].what == ACCURATE else None
    form, note = chosen
    if form is found[0]:
        return None
    *others, last = form.steps
    return form.body, (*others, Step(last.rule, last.subject, last.before, last.after, note))


def candidates(t: Term, context: Context) -> Iterator[Form]:
    """The plain form, then the others that differ from all before."""
    forms = [Form(t, "as it stands")]
    for what, rules in FAMILIES.items():
        _add(forms, t, what, (), rules, context)
    for f in tuple(forms):
        _add(forms, f.body, BY_SERIES, f.steps, SERIES, context)
    yield from forms


def _add(
    forms: list[Form], t: Term, what: str, before: tuple[Step, ...], rules: Sequence[Rule], context: Context
) -> None:
    with context.trial() as steps:
        body = rewrite(t, rules, context)
    if all(f.body is not body for f in forms):
        forms.append(Form(body, what, (*before, *steps)))


def _choose(probe: Probe, s: Statement, forms: Sequence[Form]) -> tuple[Form, str] | None:
    """The first of the forms that lose least, where points that did not choose it agree; and why."""
    bodies = [f.body for f in forms]
    first = probe.losses(bodies, s, CHOOSING)
    if first is None:
        return None
    left = sorted(range(len(forms)), key=lambda k: forms[k].what != ACCURATE)  # first, then as `candidates` has them
    while left:
        least = min(first[k].mean for k in left)
        best = next(k for k in left if first[k].mean <= least + TIE)
        if best == 0:
            return forms[0], ""
        second = probe.losses((bodies[0], bodies[best]), s, JUDGING)
        if second is None:
            return None
        plain, sharp = second
        if sharp.mean <= plain.mean + TIE:
            return forms[best], _reason(plain, sharp, len(forms))
        left.remove(best)
    return forms[0], ""


def _reason(plain: Loss, sharp: Loss, count: int) -> str:
    of = f", of {count} forms" if count > 2 else ""
    if str(plain) == str(sharp):
        return f"measured no worse: {sharp}, at {plain.points} points that did not choose it{of}"
    return f"{sharp} instead of {plain}, at {plain.points} points that did not choose it{of}"
