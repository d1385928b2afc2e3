"""The tangents of all statements: what forward mode computes."""

from __future__ import annotations

from symgrad.algebra.terms import ZERO
from symgrad.calculus.recurrence import reached
from symgrad.calculus.tangent import tangent
from symgrad.formula.blocks import blocks, is_recurrent
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
            for block in blocks(program.statements):
                moving = reached(block, self.names, forward=True)
                if is_recurrent(block):
                    self.names |= {s.name: _unique(s.name, taken) for s in block if s.name in moving}
                for s in (s for s in block if s.name in moving or s.kind in ("output", "loss")):
                    body = rewrite(tangent(s.body, self.names, context.fresh), RULES, context)
                    if body is ZERO and s.kind not in ("output", "loss") and s.name not in self.names:
                        continue
                    name = self.names.get(s.name) or _unique(s.name, taken)
                    self.names[s.name] = name
                    found.append(Statement(name, s.indices, body, "tangent", s.place, recurrence=s.recurrence))
        self.statements = tuple(found)


def _unique(name: str, taken: set[str]) -> str:
    new = name + "_dot"
    while new in taken:
        new += "_"
    taken.add(new)
    return new
