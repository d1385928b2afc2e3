"""`expect`: is the closed form the expected one? Proven by the normal form, or left to the judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.build import sub, substitute
from symgrad.algebra.terms import ZERO, Term, walk
from symgrad.closing.closed import ClosedForms, Gradient
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Expected, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Rule
from symgrad.rules.comparisons import BOUNDS, BY_CASES, SPLIT
from symgrad.rules.elementary import DEFINITION_RULES, DENSITIES, PEOPLE
from symgrad.rules.matrices import INVERSE_OF_PRODUCT
from symgrad.rules.stabilize import STABILIZE


@dataclass(frozen=True)
class ExpectedVerdict:
    """Whether the result equals the expected form: `proven` true, or None where the normal form does not decide."""

    expected: Expected
    proven: bool | None

    @property
    def input(self) -> str:
        """The input whose gradient is expected; `hvp z` and `diagonal z` for the second order."""
        return self.expected.key

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the expected form so far."""
        return self.proven is not False

    @property
    def point(self) -> str | None:
        """Where the forms differ; None: nowhere that was looked at."""
        return None


PROOF = (INVERSE_OF_PRODUCT, *DEFINITION_RULES[:1], *STABILIZE, *PEOPLE, *DENSITIES)
BRANCHWISE = (SPLIT, *PROOF)
PIECEWISE = (*BY_CASES, *PROOF)


def prove(e: Expected, gradients: Sequence[Gradient], forms: ClosedForms, context: Context) -> ExpectedVerdict:
    """Subtract, unfold step by step, and look for 0."""
    g = next(g for g in gradients if g.input == e.input)
    wanted = substitute(e.body, dict(zip(e.indices, g.indices, strict=True)))
    with context.quietly():
        for levels in _levels(forms, g):
            difference = sub(unfold(g.closed, levels, forms.fresh), unfold(wanted, levels, forms.fresh))
            d = _normal(difference, PROOF, forms, context)
            if d is not ZERO and any(x.op == "where" for x in walk(d)):
                d = _normal(d, BRANCHWISE, forms, context)
            if d is ZERO or _normal(rewrite(d, BOUNDS, context), PIECEWISE, forms, context) is ZERO:
                return ExpectedVerdict(e, True)
    return ExpectedVerdict(e, None)


def _levels(forms: ClosedForms, g: Gradient) -> list[dict[str, Statement]]:
    states = forms.recurrent
    introduced = {
        d.name: Statement(d.name, d.indices, d.body, "adjoint")
        for d in g.where
        if d.introduced and d.name not in states
    }
    named = {s.name: s for s in forms.program.statements if s.kind != "loss" and s.name not in states}
    return [{}, {**introduced}, {**introduced, **named}]


def _normal(t: Term, rules: tuple[Rule, ...], forms: ClosedForms, context: Context) -> Term:
    return rewrite(t, forms.inner.joined(rules, forms.inner.expand), context)
