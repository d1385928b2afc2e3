"""Spots of a closed form: every subterm, with a function that puts another term in its place.

Reductions are opened on the way down and closed on the way up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from symgrad.algebra.build import Fresh, mul, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.show import LETTERS, Names, show
from symgrad.algebra.terms import BATCH, Term, extent, node, walk

Put = Callable[[Term], Term]


@dataclass(frozen=True)
class Spot:
    """A subterm, how to put another in its place, the indices there; `linear`: the form is linear in it."""

    term: Term
    put: Put
    context: tuple[Term, ...]
    linear: bool
    depth: int
    under: Term | None = None
    """The operation that it is an argument of."""


def spots(t: Term, context: tuple[Term, ...], fresh: Fresh) -> Iterator[Spot]:
    """Every spot of a term."""
    yield from _below(Spot(t, lambda x: x, context, True, 0), fresh)


def _below(spot: Spot, fresh: Fresh) -> Iterator[Spot]:
    yield spot
    t, put = spot.term, spot.put
    if t.op in ("num", "const", "dim", "par", "idx", "get", "get0", "mat"):
        return
    if t.op == "red":
        body, bound = open_reduction(t, fresh)
        kind = str(t.data)

        def close(x: Term) -> Term:
            return put(reduce(kind, x, bound) if x.free & frozenset(bound) or kind != "sum" else _repeated(x, bound))

        linear = spot.linear and kind == "sum"
        yield from _below(Spot(body, close, (*spot.context, *bound), linear, spot.depth + 1, t), fresh)
        return
    for k, a in enumerate(t.args):
        if t.op in ("where", "iv") and k == 0:
            continue
        linear = spot.linear and (t.op in ("add", "mul") or (t.op == "where" and k > 0))
        yield from _below(Spot(a, _into(put, t, k), spot.context, linear, spot.depth + 1, t), fresh)


def _into(put: Put, t: Term, k: int) -> Put:
    return lambda x: put(rebuild(t, (*t.args[:k], x, *t.args[k + 1 :])))


def _repeated(x: Term, bound: Sequence[Term]) -> Term:
    return mul(x, *(extent(b) for b in bound))


def shown(t: Term, context: Sequence[Term] = ()) -> str:
    """A term in the formula language; indices of opened reductions get letters that the context does not have."""
    taken = {str(i.data) for i in (*t.free, *context)} | t.tensors
    taken |= {str(x.data) for x in walk(t) if x.op in ("dim", "par")}
    letters = (c for c in LETTERS if c not in taken)
    names = {i: node("idx", i.args, next(letters)) for i in sorted(t.free, key=_digest) if str(i.data)[0] in "%$"}
    used = taken | {str(i.data) for i in names.values()}
    return show(substitute(t, names), Names(taken=frozenset(used) - {BATCH}))


def _digest(t: Term) -> bytes:
    return t.digest


def is_switch(t: Term) -> bool:
    """Whether it is 0 or 1 (or a half, at a tie) by a condition."""
    if t.op == "iv" or (t.op == "fn" and t.data == "Heaviside"):
        return True
    if t.op == "where":
        return all(a.op == "num" or is_switch(a) for a in t.args[1:])
    return t.op in ("add", "mul") and all(is_switch(a) for a in t.args)
