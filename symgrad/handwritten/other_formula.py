"""The right gradient of another formula: the loss or layer with one small change, differentiated by torch.

a/(b + eps)  ->  a/b;    softmax(z[i, j], j)  ->  softmax(z[i, j], i);    mean(x[s*p + u], u)  ->  x[s*p]/k
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from symgrad.algebra.build import Fresh, compare, open_reduction, substitute
from symgrad.algebra.terms import ZERO, Term, walk
from symgrad.formula.program import Program, Statement
from symgrad.handwritten.changes import mapped
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.mistakes import Local, mistakes_at
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene
from symgrad.handwritten.spots import Spot, shown, spots
from symgrad.validate.autograd import reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import has_torch
from symgrad.validate.kernels import Call

MOST = 160
KINDS = ("epsilon", "missing_term", "wrong_axis", "transposed", "region", "missing_factor", "factor", "sign")
WRITTEN_OUT = 9
FIRST = 6
"""How simple it is to take the first of a sum alone."""


@dataclass(frozen=True)
class Other:
    """A formula with one change, and how simple that is."""

    cause: Cause
    program: Program
    cost: int


def by_formula(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where what was got is the gradient of a formula that is nearly this one."""
    target = evidence.samples[0].target
    if target.what != "gradient" or not has_torch():
        return None
    found = sorted(others(program), key=lambda o: o.cost)[:MOST]
    return evidence.first(Hypothesis(o.cause, _predicted(o.program, target)) for o in found)


def others(program: Program) -> Iterator[Other]:
    """Formulas with one change in one of their statements, or in a name where one statement alone reads it."""
    for k, s in enumerate(program.statements):
        if s.recurrence is not None:
            continue
        for body, more in ((s.body, 0), *((b, WRITTEN_OUT) for b in _written_out(s, program))):
            known = frozenset(walk(s.body)) if more else frozenset()
            for spot in spots(body, s.indices, Fresh()):
                for kind, text, new, cost in () if spot.term in known else (*mistakes_at(spot, program), *_more(spot)):
                    if kind in KINDS:
                        changed = replace(s, body=spot.put(new))
                        statements = (*program.statements[:k], changed, *program.statements[k + 1 :])
                        told = f"the gradient of another formula: {text}, in {s.name}"
                        cause = Cause(kind, told, term=spot.term)
                        yield Other(cause, replace(program, statements=statements), cost + 2 * spot.depth + more)


def _written_out(s: Statement, program: Program) -> Iterator[Term]:
    """The body of a statement with one of the names in it written out."""
    for other in program.statements:
        if other.name in s.body.tensors and other.recurrence is None and other is not s:
            yield mapped(
                s.body,
                other.name,
                lambda t, o=other: substitute(o.body, dict(zip(o.indices, t.args, strict=True))),  # type: ignore[misc]
            )


def _more(spot: Spot) -> Iterator[Local]:
    """What is wrong with a formula rather than with its gradient."""
    t = spot.term
    if t.op == "red" and t.data == "sum":
        body, bound = open_reduction(t, Fresh(iter(range(110_000_000, 120_000_000))))
        if not any(str(b.data) == "..." for b in bound):
            first = substitute(body, dict.fromkeys(bound, ZERO))
            yield "missing_term", f"only the first of {shown(t, spot.context)} is there", first, FIRST
    if t.op in ("where", "iv") and t.args[0].op == "cmp" and t.args[0].data in ("<", "<="):
        a, b = t.args[0].args
        other = compare("<" if t.args[0].data == "<=" else "<=", a, b)
        text = f"{shown(other)} stands in place of {shown(t.args[0])}"
        yield "region", text, substitute(t, {t.args[0]: other}), FIRST


def _predicted(program: Program, target: Target) -> Predict:
    def predict(scene: Scene) -> Array | None:
        point = scene.point
        try:
            call = Call(point.inputs, point.parameters, point.upstream)
            return scene.factor * np.asarray(reference(program, (target.name,), call).gradients[target.name])
        except KeyError:
            return None
        except (IndexError, RuntimeError, ValueError) as error:  # torch refuses what the change has made of it
            raise EvaluationError(str(error)) from None

    return predict
