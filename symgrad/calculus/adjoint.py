"""Reverse mode: cotangents flow from a statement to every access in its body.

The one rule of the calculus: a statement `o[i] = f(a[phi(i, k)], ...)` gives
`da[m] += sum_{i,k} do[i] df/da [m == phi(i, k)]`.
Reductions are opened on the way down, so that `k` are the indices opened between the statement and the access.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad import limits
from symgrad.algebra.build import (
    Fresh,
    add,
    compare,
    conjunction,
    div,
    exp,
    fn,
    iverson,
    mul,
    negation,
    open_reduction,
    power,
    reduce,
    sub,
    substitute,
    where,
)
from symgrad.algebra.terms import (
    BATCH,
    MINUS_ONE,
    ONE,
    ZERO,
    Term,
    extent,
    get,
    idx,
    is_access,
    lead_of,
    matrix_of,
)
from symgrad.calculus.derivatives import DERIVATIVES, OF_MATRIX


@dataclass(frozen=True)
class Contribution:
    """cotangent * d(statement)/d(access): to the access `tensor[subscripts]`, under the opened indices."""

    access: Term
    cotangent: Term
    opened: tuple[Term, ...]


def contributions(
    body: Term, cotangent: Term, wanted: frozenset[str], fresh: Fresh, name: Term | None = None
) -> list[Contribution]:
    """What a statement with this body and cotangent gives to the tensors that are wanted.

    `name`: the access that stands for the body, so that derivatives can be written in the value.
    """
    sweep = _Sweep(wanted, fresh, {} if name is None else {body: name})
    sweep.scope(body, cotangent, ())
    return sweep.found


class _Sweep:
    def __init__(self, wanted: frozenset[str], fresh: Fresh, named: dict[Term, Term]) -> None:
        self.wanted, self.fresh, self.named = wanted, fresh, named
        self.found: list[Contribution] = []

    def scope(self, body: Term, cotangent: Term, opened: tuple[Term, ...]) -> None:
        """One binder scope: each distinct subterm is visited once, its cotangents added up first."""
        pending: dict[Term, list[Term]] = {body: [cotangent]}
        for t in reversed(self._order(body)):
            limits.check()
            cots = pending.pop(t, None)
            if cots is None or not t.tensors & self.wanted:
                continue
            total = add(*cots)
            if total is ZERO:
                continue
            if is_access(t) and str(t.data) in self.wanted:
                self.found.append(Contribution(t, total, opened))
            elif t.op == "red":
                self.reduction(t, total, opened)
            elif t.op == "mat":
                partial, access, entry = matrix_partial(t, self.fresh)
                self.found.append(Contribution(access, mul(total, partial), (*opened, *entry)))
            else:
                for a, partial in partials(t):
                    if a.tensors & self.wanted and partial is not ZERO:
                        pending.setdefault(a, []).append(mul(total, partial))

    def _order(self, body: Term) -> list[Term]:
        seen: set[Term] = set()
        order: list[Term] = []
        stack: list[tuple[Term, bool]] = [(body, False)]
        while stack:
            t, ready = stack.pop()
            if ready:
                order.append(t)
                continue
            if t in seen:
                continue
            seen.add(t)
            stack.append((t, True))
            if t.op not in ("red", "get", "get0", "mat"):
                stack.extend((a, False) for a in t.args)
        return order

    def reduction(self, t: Term, total: Term, opened: tuple[Term, ...]) -> None:
        body, variables = open_reduction(t, self.fresh)
        batch = [v for v in variables if str(v.data) == BATCH and v in total.free]
        # the batch index keeps its name: the free one is summed here, before the bound one takes its place
        inner = mul(
            reduce("sum", total, batch), reduction_partial(t, self.named.get(t, t), body, variables, self.fresh)
        )
        self.scope(body, inner, (*opened, *variables))


def reduction_partial(t: Term, value: Term, body: Term, variables: list[Term], fresh: Fresh) -> Term:
    """Derivative of a reduction t by its body at the opened variables; `value` stands for the reduction's value."""
    kind = str(t.data)
    if kind == "sum":
        return ONE
    if kind == "lse":
        return exp(sub(body, value))
    if kind in ("max", "min"):
        return div(iverson(compare("==", body, value)), _count_ties(t, value, fresh))
    if kind == "norm":
        return mul(body, iverson(compare("!=", value, ZERO)), power(value, MINUS_ONE))
    if kind in ("max_first", "min_first"):
        return _is_first(t, variables)
    if kind == "prod":
        return _other_factors(t, variables, fresh)
    return ZERO


def _count_ties(t: Term, value: Term, fresh: Fresh) -> Term:
    body, variables = open_reduction(t, fresh)
    return reduce("sum", iverson(compare("==", body, value)), variables)


def _is_first(t: Term, variables: list[Term]) -> Term:
    """[k*u + v == w] where w numbers the first extreme position in row-major order, k the extent of v."""
    from symgrad.algebra.terms import node

    inner = t.args[0] if t.data == "max_first" else mul(MINUS_ONE, t.args[0])
    winner = node("red", (inner, *t.args[1:]), "argmax")
    return iverson(compare("==", row_major(variables), winner))


def row_major(variables: Sequence[Term]) -> Term:
    """The number of a position: the last index counts by ones."""
    number = ZERO
    for v in variables:
        number = add(mul(number, extent(v)), v)
    return number


def _other_factors(t: Term, variables: list[Term], fresh: Fresh) -> Term:
    """The product over all other positions, so that one factor of 0 is exact."""
    body, others = open_reduction(t, fresh)
    same = conjunction(*(compare("==", a, b) for a, b in zip(others, variables, strict=True)))
    return reduce("prod", where(same, ONE, body), others)


def matrix_partial(t: Term, fresh: Fresh) -> tuple[Term, Term, tuple[Term, Term]]:
    """Derivative of a function of a matrix by an entry, the access to that entry, and its row and column."""
    like = idx("", t.args[-1])
    p, q = fresh.index(like), fresh.index(like)
    function, tensor = matrix_of(t)
    return OF_MATRIX[function](t, p, q), get(tensor, (*lead_of(t), p, q)), (p, q)


def partials(t: Term) -> list[tuple[Term, Term]]:
    """Each argument of a node with the derivative of the node by it."""
    if t.op == "add":
        return [(a, ONE) for a in t.args]
    if t.op == "mul":
        return [(a, mul(*(b for b in t.args if b is not a))) for a in t.args]
    if t.op == "pow":
        b, e = t.args
        if not e.tensors and not e.free:
            return [(b, mul(e, power(b, add(e, MINUS_ONE))))]
        # torch's conventions: 0 by the base where the exponent is 0, and by the exponent where the base is
        by_base = mul(e, power(b, add(e, MINUS_ONE)), iverson(compare("!=", e, ZERO)))
        return [(b, by_base), (e, mul(t, fn("log", b), iverson(compare("!=", b, ZERO))))]
    if t.op == "where":
        c, a, b = t.args
        return [(a, iverson(c)), (b, iverson(negation(c)))]
    if t.op == "fn":
        table = DERIVATIVES.get(str(t.data))
        if table is None:
            return []
        pairs: list[tuple[Term, Term]] = []
        for a, rule in zip(t.args, table, strict=True):
            d = rule(*t.args) if rule is not None else None
            if d is not None:
                pairs.append((a, d))
        return pairs
    return []


def gather_adjoint(c: Contribution, indices: tuple[Term, ...], target: tuple[Term, ...], fresh: Fresh) -> Term:
    """The adjoint of an access at the target indices: summed over the statement's indices and the opened ones.

    The statement's indices get fresh names first: `x[j, i]` in a statement over i, j is not `x[i, j]` at the target.
    """
    names = {i: fresh.index(i) for i in indices}
    cotangent = substitute(c.cotangent, names)
    subscripts = [substitute(s, names) for s in c.access.args]
    deltas = [ONE if m is s else iverson(compare("==", m, s)) for m, s in zip(target, subscripts, strict=True)]
    bound = [v for v in (*names.values(), *c.opened) if str(v.data) != BATCH or BATCH not in _names(target)]
    return reduce("sum", mul(cotangent, *deltas), bound)


def _names(indices: tuple[Term, ...]) -> set[str]:
    return {str(i.data) for i in indices}


__all__ = ["Contribution", "contributions", "gather_adjoint", "matrix_partial", "partials", "reduction_partial"]
