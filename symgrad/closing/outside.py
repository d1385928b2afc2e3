"""For machines: a product with a read that is 0 outside of its array is 0 there, whatever its other factors are.

dy[i//k]*exp(a[i] - lse[i//k])  ->  [i//k < n]*dy[i//k]*exp(a[i] - lse[i//k]): outside, the exponential may overflow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.affine import range_conditions
from symgrad.algebra.build import Fresh, add, conjunction, iverson, mul, neg, open_reduction, rebuild, reduce
from symgrad.algebra.terms import MINUS_ONE, ONE, TRUE, Term, factors_of, walk
from symgrad.calculus.hoist import is_partial
from symgrad.formula.inside import Bounds
from symgrad.formula.program import Statement

Shapes = Mapping[str, Sequence[Term]]


def bracketed_outside(statements: Sequence[Statement], shapes: Shapes) -> tuple[Statement, ...]:
    """The statements, with a bracket on every such product."""
    every = {**shapes, **{s.name: tuple(i.args[0] for i in s.indices) for s in statements}}
    brackets = _Brackets(every)
    return tuple(replace(s, body=brackets.put(s.body)) for s in statements)


class _Brackets:
    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.fresh, self.bounds = shapes, Fresh(), Bounds()

    def put(self, t: Term) -> Term:
        """The term with brackets on its products."""
        if not any(x.op == "get0" for x in walk(t)):
            return t
        if t.op == "red":
            body, variables = open_reduction(t, self.fresh)
            return reduce(str(t.data), self.put(body), variables)
        new = rebuild(t, tuple(map(self.put, t.args))) if t.args else t
        return mul(new, iverson(self.inside(new))) if new.op == "mul" else new

    def inside(self, t: Term) -> Term:
        """Where the reads that are factors lie inside, if another factor may be infinite where they do not."""
        reads = [f for f in factors_of(t) if f.op == "get0" and str(f.data) in self.shapes]
        others = [f for f in factors_of(t) if f not in reads and f.op != "iv"]
        if not reads or not any(is_partial(x) and x.tensors for f in others for x in walk(f)):
            return TRUE
        pairs = [p for f in reads for p in zip(f.args, self.shapes[str(f.data)], strict=True)]
        return conjunction(*(c for e, size in pairs for c in self.open_conditions(e, size)))

    def open_conditions(self, e: Term, size: Term) -> list[Term]:
        """What is not known of 0 <= e < size."""
        if self.bounds.at_least(add(size, MINUS_ONE, neg(e))):
            size = add(e, ONE)
        return [] if self.bounds.inside(e, size) else range_conditions(e, size)
