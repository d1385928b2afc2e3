"""What a program of statements costs, and statements that are better written out where they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.build import Fresh, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.terms import Term, factors_of, is_access, terms_of, walk
from symgrad.algebra.weight import weight
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Statement

Simplify = Callable[[Term], Term]


def width(statements: Iterable[Statement]) -> int:
    """The most indices that any array has on the way: each extent is a factor of time and memory."""
    fresh = Fresh()
    return max((max(len(s.indices), _width(s.body, fresh)) for s in statements), default=0)


def _width(t: Term, fresh: Fresh) -> int:
    if t.op == "red":
        body, variables = open_reduction(t, fresh)
        inner = _width(body, fresh)
        if t.data != "sum":
            return max(inner, len(body.free))
        return max(inner, *(_contracted(a, variables) for a in terms_of(body)))
    if is_access(t) or not t.args:
        return len(t.free)
    inner = max(_width(a, fresh) for a in t.args)
    # the factors of a product under a sum are contracted two by two
    return inner if t.op == "mul" else max(inner, len(t.free))


def _contracted(t: Term, variables: Sequence[Term]) -> int:
    """The most indices on the way where the variables are summed one after the other, the cheapest first."""
    groups = [f.free for f in factors_of(t)]
    left, worst = list(variables), 0
    while left:
        unions = [(len(frozenset().union(*(g for g in groups if v in g))), str(v.data), v) for v in left]
        size, _, v = min(unions)
        joined = frozenset().union(*(g for g in groups if v in g))
        groups = [g for g in groups if v not in g] + [joined - {v}]
        left.remove(v)
        worst = max(worst, size)
    return max([worst, *map(len, groups)])


def cost(statements: Sequence[Statement]) -> tuple[int, int]:
    """For comparing programs: width, then length."""
    return width(statements), sum(weight(s.body) for s in statements)


def without_single_readers(
    statements: Sequence[Statement], results: Mapping[str, Statement], simplify: Simplify
) -> tuple[list[Statement], dict[str, Statement]]:
    """Statements that one other reads, and that sum nothing, written out there where that is no longer."""
    every = {s.name: s for s in (*statements, *results.values())}
    own = {s.name: n for n, s in results.items()}
    for name in [s.name for s in statements]:
        s = every[name]
        readers = [r for r in every.values() if name in r.body.tensors]
        if len(readers) != 1 or any(x.op == "red" for x in walk(s.body)):
            continue
        body = simplify(unfold(readers[0].body, {name: s}, Fresh()))
        if weight(body) <= weight(s.body) + weight(readers[0].body) and _no_wider(body, s, readers[0]):
            every[readers[0].name] = replace(readers[0], body=body)
            del every[name]
    kept = [s for n, s in every.items() if n not in own]
    return kept, {n: every[name] for name, n in own.items()}


def _no_wider(body: Term, *others: Statement) -> bool:
    return width([Statement("", (), body)]) <= width(others)


def diagonal_reads(t: Term, statements: Mapping[str, Statement], simplify: Simplify) -> Term:
    """The term with statements written out that it reads on a diagonal only: their array would be larger than that."""
    new = _Diagonals(statements).apply(t)
    return t if new is t else diagonal_reads(simplify(new), statements, simplify)


class _Diagonals:
    def __init__(self, statements: Mapping[str, Statement]) -> None:
        self.statements, self.fresh = statements, Fresh()
        self.names = frozenset(statements)

    def apply(self, t: Term) -> Term:
        if not t.tensors & self.names:
            return t
        if t.op == "red":
            body, variables = open_reduction(t, self.fresh)
            new = self.apply(body)
            return t if new is body else reduce(str(t.data), new, variables)
        s = self.statements.get(str(t.data)) if is_access(t) else None
        if s is None:
            return rebuild(t, tuple(self.apply(a) for a in t.args))
        indices = [a for a in t.args if a.op == "idx"]
        if t.op == "get" and len(set(indices)) < len(indices):
            return substitute(s.body, dict(zip(s.indices, t.args, strict=True)))
        return t
