"""The derivative of statements along directions in the inputs, and at the unit vectors of one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.build import Fresh, add, mul, substitute
from symgrad.algebra.terms import BATCH, ZERO, Term, factors_of, get, is_access, terms_of
from symgrad.algebra.weight import weight
from symgrad.calculus.column import Column, direction, pick
from symgrad.calculus.tangent import tangent
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Statement

Simplify = Callable[[Term], Term]
NewName = Callable[[str], str]


class Directional:
    """Tangents of statements: `statements` in the order of evaluation, `names`: tensor -> its tangent.

    A tangent of at most the weight `trivial` is written out where it is read.
    """

    def __init__(self, directions: Mapping[str, str], simplify: Simplify, unique: NewName, trivial: int = 0) -> None:
        self.names = dict(directions)
        self.statements: list[Statement] = []
        self.written_out: dict[str, Statement] = {}
        self.simplify, self.unique, self.trivial, self.fresh = simplify, unique, trivial, Fresh()

    def push(self, statements: Iterable[Statement]) -> None:
        """The tangents of these statements, each of which may read those before it."""
        for s in statements:
            body = self.of(s.body, get(s.name, s.indices))
            if body is ZERO:
                continue
            name = self.names[s.name] = self.unique(f"{s.name}_dot")
            new = Statement(name, s.indices, body, "tangent", s.place)
            if weight(body) <= self.trivial or is_access(body):
                self.written_out[name] = new
            else:
                self.statements.append(new)

    def of(self, t: Term, value: Term | None = None) -> Term:
        """The tangent of a term."""
        return self.simplify(unfold(tangent(t, self.names, self.fresh, value), self.written_out, self.fresh))


class Columns:
    """Tangents at the unit vectors of one input: each gets the indices of the position, unless deltas tell its own.

    `h[i, k]` with the tangent `sum_l W[k, l] v[i, l]` is `[i == a] W[k, b]` at the position (a, b): the statement
    `W[k, b]` under a delta. `statements` are those that are worth a name.
    """

    def __init__(
        self, own: tuple[str, tuple[Term, ...]], position: tuple[Term, ...], others: Iterable[str], simplify: Simplify,
        unique: NewName, trivial: int,
    ) -> None:  # fmt: skip
        name, indices = own
        self.position, self.simplify, self.unique, self.trivial = position, simplify, unique, trivial
        self.fresh = Fresh()
        self.columns: dict[str, Column] = dict([direction(name, indices, position)])
        self.columns |= {other: Column((), {}, None) for other in others}
        self.batched = any(str(i.data) == BATCH for i in position)
        self.mixed: dict[str, Statement] = {}
        self.statements: list[Statement] = []

    def push(self, tangents: Sequence[Statement], tag: str) -> None:
        """The columns of tangent statements, each of which may read those before it."""
        for s in tangents:
            body = unfold(s.body, self.mixed, self.fresh)
            if self.batched and not self._nameable(s, body):
                self.mixed[s.name] = replace(s, body=body)
                continue
            picked = self.simplify(pick(body, self.columns, self.fresh, self.batched))
            self.columns[s.name] = self._column(s, picked, tag)

    def _nameable(self, s: Statement, body: Term) -> bool:
        """Whether the statement has no batch of its own beside that of the position."""
        if all(str(i.data) != BATCH for i in s.indices):
            return True
        return self._local(body)

    def _local(self, t: Term) -> bool:
        """Whether whatever is read of the map belongs to the batch element at hand."""
        if not t.tensors & set(self.columns):
            return True
        if t.op in ("get", "get0"):
            c = self.columns[str(t.data)]
            return c.batch or c.value is None
        if t.op == "red" and any(str(v.data) == BATCH for v in t.args[1:]):
            return False
        return all(self._local(a) for a in t.args)

    def _column(self, s: Statement, body: Term, tag: str) -> Column:
        batch = self.batched and any(str(i.data) == BATCH for i in s.indices)
        if body is ZERO:
            return Column(s.indices, {}, None, batch)
        deltas, rest = common_deltas(body, s.indices, self.position)
        own = tuple(i for i in s.indices if i not in deltas and str(i.data) != BATCH)
        lead = tuple(i for i in (*s.indices, *self.position) if str(i.data) == BATCH and i in rest.free)[:1]
        indices = (*lead, *own, *(p for p in self.position if str(p.data) != BATCH and p in rest.free))
        if weight(rest) <= self.trivial or is_access(rest):
            return Column(s.indices, deltas, rest, batch)
        name = self.unique(f"{s.name.removesuffix('_dot')}_{tag}")
        self.statements.append(Statement(name, indices, rest, "tangent", s.place))
        return Column(s.indices, deltas, get(name, indices), batch)

    def at(self, t: Term, indices: tuple[Term, ...]) -> Term:
        """A term over the indices of the input itself, at the position that these are."""
        here = dict(zip(self.position, indices, strict=True))
        picked = pick(unfold(t, self.mixed, self.fresh), self.columns, self.fresh, self.batched)
        return self.simplify(substitute(picked, here))


def common_deltas(body: Term, own: tuple[Term, ...], position: tuple[Term, ...]) -> tuple[dict[Term, Term], Term]:
    """The deltas [i == p] between own and the position's indices that all summands have, and the body under them."""
    found: dict[Term, Term] = {}
    for f in factors_of(terms_of(body)[0]):
        if f.op != "iv" or f.args[0].op != "cmp" or f.args[0].data != "==":
            continue
        a, b = f.args[0].args
        i, p = (a, b) if a in own else (b, a)
        if i in own and p in position and i not in found and all(f in factors_of(t) for t in terms_of(body)):
            found[i] = p
            body = _without(body, f)
    return found, substitute(body, found) if found else body


def _without(body: Term, factor: Term) -> Term:
    return add(*(mul(*(f for f in factors_of(t) if f is not factor)) for t in terms_of(body)))


__all__ = ["Columns", "Directional", "common_deltas"]
