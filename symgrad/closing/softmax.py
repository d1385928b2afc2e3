"""For machines: a named lse inside `exp(f - lse f)` is written out again, so that it is computed as e/sum(e)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.algebra.build import exp, fresh_in, mul, sub
from symgrad.algebra.show import softmax_parts
from symgrad.algebra.terms import Term
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.ranges import read_inside
from symgrad.rules.softmax import whole_softmax


def rejoin(statements: Sequence[Statement], program: Program) -> tuple[Statement, ...]:
    """The statements with every softmax whole; hoisted log-sum-exps that nothing reads any more are dropped."""
    hoisted = [s for s in program.statements if s.kind == "hoisted"]
    lse = {s.name: s for s in hoisted if s.body.op == "red" and s.body.data == "lse"}
    named = lse | {s.name: s for s in hoisted if s.body.op == "add" and s.body.tensors & set(lse)}
    if not named:
        return tuple(statements)
    context = Context(program, {s.name: s for s in program.statements}, silent=True)

    def whole(t: Term, context: Context) -> Term | None:
        if t.op != "fn" or t.data != "exp" or not t.tensors & set(named):
            return None
        new = read_inside(unfold(t, named, fresh_in(t)), context)
        parts = softmax_parts(new.args[0]) if new.op == "fn" and new.data == "exp" else None
        if parts is None:
            return whole_softmax(new)
        return mul(exp(sub(new.args[0], parts[2])), exp(parts[2]))  # the rest meets its inverse beside it

    rule = Rule("machine/softmax", ("fn",), "", "", whole, Example("", ""))
    return tuple(replace(s, body=rewrite(s.body, (rule,), context)) for s in statements)
