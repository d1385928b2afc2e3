"""Causes in the user's words: names that symgrad introduced are written out, and a switch that is missing is a region.

the term where(e[i] < e2[i], 1, 0) is missing  ->  wrong where A[i]*r[i] < A[i]*clip(r[i], 1 - eps, 1 + eps): ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symgrad.algebra.build import Fresh, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.terms import Term, is_access
from symgrad.formula.program import Program
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.samples import Target
from symgrad.handwritten.spots import is_switch, shown
from symgrad.validate.precise import Definition

LONGEST = 60
"""Parts of a term that is written out; longer ones keep their names."""


def readable(cause: Cause, target: Target, program: Program) -> Cause:
    """The cause in words that the formula has."""
    if cause.term is None:
        return cause
    hidden = introduced(target, program)
    term = _spelled(cause.term, hidden, Fresh(iter(range(60_000_000, 70_000_000)))) if hidden else cause.term
    if term.size > LONGEST:
        term = cause.term
    if cause.kind in ("missing_factor", "missing_term") and is_switch(term):
        return replace(cause, kind="region", detail=_left_out(cause.kind, term), term=term)
    return replace(cause, detail=cause.detail.replace(shown(cause.term), shown(term)), term=term)


def introduced(target: Target, program: Program) -> Mapping[str, Definition]:
    """Definitions of names that are neither the formula's nor those of its closed form."""
    own = {*program.shapes, *(s.name for s in program.statements), *(d.name for d in target.form.where)}
    return {d.name: d for form in target.forms for d in form.where if d.name not in own}


def _spelled(t: Term, hidden: Mapping[str, Definition], fresh: Fresh) -> Term:
    if not t.tensors & hidden.keys():
        return t
    if is_access(t) and t.data in hidden:
        d = hidden[str(t.data)]
        return _spelled(substitute(d.body, dict(zip(d.indices, t.args, strict=True))), hidden, fresh)
    if t.op == "red":
        body, bound = open_reduction(t, fresh)
        return reduce(str(t.data), _spelled(body, hidden, fresh), bound)
    return rebuild(t, tuple(_spelled(a, hidden, fresh) for a in t.args))


def _left_out(kind: str, t: Term) -> str:
    if kind == "missing_term":
        what = shown(t.args[0]) if t.op == "iv" else f"{shown(t)} is not 0"
        return f"wrong where {what}: the gradient is missing there"
    if t.op == "iv":
        return f"the condition {shown(t.args[0])} is left out"
    return f"the condition is left out: wrong where {shown(t)} is not 1"
