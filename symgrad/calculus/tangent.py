"""Forward mode: the tangent of a term, given tangents of the tensors that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.algebra.build import Fresh, add, mul, open_reduction, reduce
from symgrad.algebra.terms import ZERO, Term, is_access, node
from symgrad.calculus.adjoint import matrix_partial, partials, reduction_partial


def tangent(t: Term, names: Mapping[str, str], fresh: Fresh, value: Term | None = None) -> Term:
    """d(term) where the tangent of tensor T is the tensor names[T]; `value`: the access that stands for the term."""
    memo: dict[Term, Term] = {}
    active = frozenset(names)

    def push(x: Term) -> Term:
        if not x.tensors & active:
            return ZERO
        if x not in memo:
            memo[x] = inside(x)
        return memo[x]

    def inside(x: Term) -> Term:
        if is_access(x):
            return node(x.op, x.args, names[str(x.data)]) if str(x.data) in active else ZERO
        if x.op == "red":
            body, variables = open_reduction(x, fresh)
            dot = push(body)
            if dot is ZERO:
                return ZERO
            known = x if value is None or x is not t else value
            return reduce("sum", mul(reduction_partial(x, known, body, variables, fresh), dot), variables)
        if x.op == "mat":
            partial, access, entry = matrix_partial(x, fresh)
            return reduce("sum", mul(partial, push(access)), entry)
        return add(*(mul(d, push(a)) for a, d in partials(x)))

    return push(t)
