"""One column of a linear map: a term that is linear in some tensors, at the unit vector of one position.

`h[i] = sum_k W[k] v[i, k]` at the unit vector of position (a, b), `v[i, k] = [i == a][k == b]`, is `[i == a] W[b]`.
All batch axes are one index, of which no two can meet: the position's own is `...` too. So what reads the tensor at the
batch element at hand means the position's by itself, and a sum over the batch loses that index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.algebra.affine import range_conditions
from symgrad.algebra.build import (
    Fresh,
    add,
    compare,
    conjunction,
    iverson,
    mul,
    open_reduction,
    reduce,
    substitute,
    where,
)
from symgrad.algebra.terms import BATCH, ONE, ZERO, Term, extent, factors_of, is_access, terms_of
from symgrad.errors import UnsupportedError


@dataclass(frozen=True)
class Column:
    """What a tensor `name[indices]` of the map is at a position: deltas times a tensor over fewer indices.

    `deltas`: own index -> index of the position. `value` over the others and the position's; None: it is 0.
    `batch`: whether it has a batch of its own, which is that of the position.
    """

    indices: tuple[Term, ...]
    deltas: Mapping[Term, Term]
    value: Term | None
    batch: bool = False

    def read(self, access: Term) -> Term:
        """The column at the subscripts of an access."""
        if self.value is None:
            return ZERO
        at = dict(zip(self.indices, access.args, strict=True))
        deltas = [iverson(compare("==", at[i], p)) for i, p in self.deltas.items()]
        inside = {i: e for i, e in at.items() if i not in self.deltas and i is not e}
        guards = [] if access.op == "get" else [self._inside(i, e) for i, e in inside.items()]
        return mul(*deltas, *guards, substitute(self.value, inside) if inside else self.value)

    @staticmethod
    def _inside(i: Term, e: Term) -> Term:
        return iverson(conjunction(*range_conditions(e, extent(i))))


def direction(name: str, indices: tuple[Term, ...], position: tuple[Term, ...]) -> tuple[str, Column]:
    """The unit vector itself."""
    pairs = dict(zip(indices, position, strict=True))
    deltas = {i: p for i, p in pairs.items() if str(i.data) != BATCH}
    return name, Column(indices, deltas, ONE, len(deltas) < len(pairs))


def pick(t: Term, columns: Mapping[str, Column], fresh: Fresh, batched: bool) -> Term:
    """A term that is linear in the tensors of the columns, with these in their place.

    `batched`: whether the position has a batch element.
    """
    return _Picking(columns, fresh, batched).apply(t)


class _Picking:
    def __init__(self, columns: Mapping[str, Column], fresh: Fresh, batched: bool) -> None:
        self.columns, self.fresh, self.batched = columns, fresh, batched
        self.names = frozenset(columns)
        self.own = frozenset(n for n, c in columns.items() if c.batch)
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        if not t.tensors & self.names:
            return t
        found = self.memo.get(t)
        if found is None:
            found = self.memo[t] = self.inside(t)
        return found

    def inside(self, t: Term) -> Term:
        if is_access(t):
            return self.columns[str(t.data)].read(t)
        if t.op == "add":
            return add(*map(self.apply, t.args))
        if t.op == "mul":
            return mul(*map(self.apply, t.args))
        if t.op == "where":
            return where(t.args[0], *map(self.apply, t.args[1:]))
        if t.op == "red" and t.data == "sum":
            body, variables = open_reduction(t, self.fresh)
            if not self.batched or all(str(v.data) != BATCH for v in variables):
                return reduce("sum", self.apply(body), variables)
            return add(*(self.over_batch(a, variables) for a in terms_of(body)))
        raise UnsupportedError(f"the Hessian diagonal through {t.op} of a direction")

    def over_batch(self, t: Term, variables: list[Term]) -> Term:
        """A summand of a sum over the batch: the position's element of it, or a sum in which that has no part."""
        others = [v for v in variables if str(v.data) != BATCH]
        if not t.tensors & self.names:
            raise AssertionError("every summand of a linear map reads it")
        kinds = self.kinds(t)
        if kinds == {True}:
            return reduce("sum", self.apply(t), others)
        if kinds == {False}:
            batch = [v for v in variables if str(v.data) == BATCH]
            linear = [f for f in factors_of(t) if f.tensors & self.names]
            rest = [f for f in factors_of(t) if not f.tensors & self.names]
            return reduce("sum", mul(reduce("sum", mul(*rest), batch), *map(self.apply, linear)), others)
        mixed = next((f for f in factors_of(t) if f.op == "add" and len(self.kinds(f)) > 1), None)
        if mixed is None:
            raise UnsupportedError("the Hessian diagonal of an input whose batch elements mix")
        rest = [f for f in factors_of(t) if f is not mixed]
        return add(*(self.over_batch(mul(a, *rest), variables) for a in mixed.args))

    def kinds(self, t: Term) -> set[bool]:
        """Whether the tensors of the map are read at the batch element at hand (true), or for all of the batch."""
        if not t.tensors & self.names:
            return set()
        if is_access(t):
            return {str(t.data) in self.own}
        if t.op == "red" and any(str(v.data) == BATCH for v in t.args[1:]):
            return {False}
        return set().union(*(self.kinds(a) for a in t.args))


__all__ = ["Column", "direction", "pick"]
