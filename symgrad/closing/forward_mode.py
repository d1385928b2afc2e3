"""The tangents of all statements: what forward mode computes."""

from __future__ import annotations

from symgrad.algebra.terms import ZERO
from symgrad.calculus.tangent import tangent
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rules.elementary import ELEMENTARY
from symgrad.rules.matrices import ADJUGATE
from symgrad.rules.sums import SEPARATE, SUMS

RULES = (ADJUGATE, *ELEMENTARY, *(r for r in SUMS if r is not SEPARATE))
"""A softmax in a sum stays whole: e^(-lse) outside of it may overflow."""


class Tangents:
    """Forward mode over a program: `statements`, and `names`: input or statement -> the name of its tangent."""

    def __init__(self, program: Program, context: Context) -> None:
        taken = (
            {s.name for s in program.statements}
            | {i.name for i in program.inputs}
            | {p.name for p in program.parameters}
        )
        self.names = {n: _unique(n, taken) for n in program.wrt}
        found: list[Statement] = []
        with context.quietly():
            for s in program.statements:
                body = rewrite(tangent(s.body, self.names, context.fresh), RULES, context)
                if body is ZERO and s.kind not in ("output", "loss"):
                    continue
                self.names[s.name] = _unique(s.name, taken)
                found.append(Statement(self.names[s.name], s.indices, body, "tangent", s.place))
        self.statements = tuple(found)


def _unique(name: str, taken: set[str]) -> str:
    new = name + "_dot"
    while new in taken:
        new += "_"
    taken.add(new)
    return new
