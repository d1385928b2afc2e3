"""Hints: what would be shorter if a fact were declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.algebra.build import open_reduction, rebuild, reduce
from symgrad.algebra.show import show
from symgrad.algebra.terms import ONE, Term, walk
from symgrad.algebra.weight import weight
from symgrad.closing.closed import ClosedForms, Gradient
from symgrad.rewrite.context import Context


@dataclass(frozen=True)
class Hint:
    """The gradient of an input would be `shorter` if `total` were declared to be 1."""

    input: str
    total: Term
    shorter: Term

    def __str__(self) -> str:
        declared = f"{show(self.total)} == 1"
        return f"gradient of {self.input}: would reduce to `{show(self.shorter)}` if `{declared}` were declared"


def hints_of(gradients: Sequence[Gradient], forms: ClosedForms, context: Context) -> tuple[Hint, ...]:
    """For sums of a given input that is not declared to be normalized: the form that it would have if it were."""
    hints: list[Hint] = []
    for g in gradients:
        for total in _undeclared_sums(g.closed, context):
            with context.quietly():
                shorter = forms.outer.simplify(_replace(g.closed, total, context))
            if weight(shorter) < weight(g.closed):
                hints.append(Hint(g.input, total, shorter))
    return tuple(hints)


def _undeclared_sums(t: Term, context: Context) -> Iterator[Term]:
    for x in walk(t):
        if x.op == "red" and x.data == "sum" and len(x.args) == 2 and x.args[0].op == "get":
            i = context.inputs.get(str(x.args[0].data))
            last = x.args[0].args[-1:] == (x.args[1],)
            if i is not None and i.given and i.dtype == "real" and last and x.free:
                yield x


def _replace(t: Term, old: Term, context: Context) -> Term:
    if t is old:
        return ONE
    if not t.args or t.op == "idx":
        return t
    if t.op == "red":
        body, variables = open_reduction(t, context.fresh)
        return reduce(str(t.data), _replace(body, old, context), variables)
    return rebuild(t, tuple(_replace(a, old, context) for a in t.args))
