"""Binders: closing a reduction over canonical names, opening it with fresh ones, substitution without capture."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import permutations
from weakref import WeakSet

from symgrad.algebra.arithmetic import add, fn, mul, power
from symgrad.algebra.conditions import compare, conjunction, disjunction, iverson, negation, where
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import BATCH, ONE, ZERO, Term, by_name, extent, idx, node, remembered

ROW_MAJOR = frozenset(("argmax", "max_first", "min_first"))
"""Reductions whose value depends on the order of their indices."""

OF_ONE = frozenset(("sum", "prod", "max", "min", "max_first", "min_first", "lse"))
"""Reductions that are their body where the index has one value, 0."""


def reduce(kind: str, body: Term, variables: Iterable[Term]) -> Term:
    """A reduction over the indices, closed: its variables get canonical names. Over no index it is the body."""
    bound = list(dict.fromkeys(variables)) if kind in ROW_MAJOR else by_name(dict.fromkeys(variables))
    only = {v: ZERO for v in bound if extent(v) is ONE} if kind in OF_ONE else {}
    if only:
        body, bound = substitute(body, only), [v for v in bound if v not in only]
    if not bound:
        return body
    if body is ZERO and kind == "sum":
        return ZERO
    return _close(kind, body, bound)


def _canonical(index: Term, level: int) -> Term:
    # the batch keeps its name: it stands for several axes, and no two of them ever meet under one binder
    return index if str(index.data) == "..." else idx(f"${level}", extent(index))


def _close(kind: str, body: Term, bound: list[Term]) -> Term:
    base = 0
    for level in _bound_levels(body):
        base = max(base, level)
    best: Term | None = None
    orders = [tuple(bound)] if kind in ROW_MAJOR else list(_orders(body, bound))
    for order in orders:
        names = {v: _canonical(v, base + k + 1) for k, v in enumerate(order)}
        t = node("red", (substitute(body, names), *(names[v] for v in order)), kind)
        if best is None or t.digest < best.digest:
            best = t
    assert best is not None
    if len(orders) > 1:
        _tied.add(best)
    return best


_tied: WeakSet[Term] = WeakSet()
"""Reductions in which the names of other indices chose the order of the bound ones."""


def _bound_levels(t: Term) -> Iterable[int]:
    """Levels of canonical names in closed reductions inside of t."""
    if not t.height:
        return
    seen: set[Term] = set()
    stack = [t]
    while stack:
        x = stack.pop()
        if x in seen or not x.height:
            continue
        seen.add(x)
        if x.op == "red":
            yield from (int(str(v.data)[1:]) for v in x.args[1:] if str(v.data)[0] == "$")
        stack.extend(x.args)


def _orders(body: Term, bound: list[Term]) -> Iterable[tuple[Term, ...]]:
    """Orders of the bound variables worth trying: by a signature that no name enters, ties permuted (up to four)."""
    if len(bound) == 1:
        return [tuple(bound)]
    groups: dict[bytes, list[Term]] = {}
    for v in bound:
        groups.setdefault(extent(v).digest + _signature(body, v, {}), []).append(v)
    orders: list[tuple[Term, ...]] = [()]
    for key in sorted(groups):
        g = groups[key]
        choices = list(permutations(g)) if len(g) <= 4 else [tuple(g)]
        orders = [o + c for o in orders for c in choices]
    return orders


def _signature(t: Term, v: Term, memo: dict[Term, bytes]) -> bytes:
    """The structure of a term in which v is marked. No other name enters: what is free here may be bound outside."""
    if v not in t.free:
        return skeleton(t)
    found = memo.get(t)
    if found is None:
        if t is v:
            found = b"v"
        else:
            parts = [_signature(a, v, memo) for a in t.args]
            if t.op in ("add", "mul", "and", "or") or (t.op == "cmp" and t.data in ("==", "!=")):
                parts.sort()
            found = blake2b(f"{t.op}\0{t.data}".encode() + b"".join(parts), digest_size=16).digest()
        memo[t] = found
    return found


class Fresh:
    """Names for opened binders: `%1`, `%2`, ... They never meet a user's name and never stay in a closed term."""

    def __init__(self, numbers: Iterator[int] | None = None) -> None:
        self.numbers = itertools.count(1) if numbers is None else numbers

    def index(self, like: Term) -> Term:
        """A new index with the extent of another; the batch index stays itself."""
        if str(like.data) == "...":
            return like
        return idx(f"%{next(self.numbers)}", extent(like))


def fresh_in(t: Term) -> Fresh:
    """Names for binders that are opened within the term: none of the opened indices that it holds already is taken."""
    opened = [int(str(i.data)[1:]) for i in t.free if str(i.data).startswith("%")]
    return Fresh(itertools.count(max(opened, default=0) + 1))


_SUBSTITUTED = itertools.count(10_000_000)
"""Numbers for binders that a substitution opens: one runs inside of another, so they must not share names."""


def open_reduction(t: Term, fresh: Fresh) -> tuple[Term, list[Term]]:
    """Body and variables of a reduction, the variables renamed to fresh ones."""
    names = {v: fresh.index(v) for v in t.args[1:]}
    return substitute(t.args[0], names), [names[v] for v in t.args[1:]]


def substitute(t: Term, mapping: Mapping[Term, Term]) -> Term:
    """The term with indices (or other leaves) replaced. Values must not hold canonical bound names."""
    if all(k is v for k, v in mapping.items()):
        return t
    return _substituted(t, *mapping.keys(), *mapping.values())


@remembered
def _substituted(t: Term, *pairs: Term) -> Term:
    mapping = dict(zip(pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :], strict=True))
    return (_Renaming if _is_renaming(t, mapping) else _Substitution)(mapping).apply(t)


def _is_renaming(t: Term, mapping: Mapping[Term, Term]) -> bool:
    """Whether indices get names that the term does not have: then nothing in it can meet anything else."""
    values = set(mapping.values())
    return (
        len(values) == len(mapping)
        and all(k.op == "idx" and v.op == "idx" and k.args == v.args for k, v in mapping.items())
        and not any(v in t.free or v.data == BATCH for v in values)
    )


class _Substitution:
    def __init__(self, mapping: Mapping[Term, Term]) -> None:
        self.mapping = mapping
        self.keys = frozenset(mapping)
        self.indices_only = all(k.op == "idx" for k in mapping)
        self.memo: dict[Term, Term] = {}
        self.fresh = Fresh(_SUBSTITUTED)

    def apply(self, t: Term) -> Term:
        found = self.mapping.get(t)
        if found is not None:
            return found
        if self.indices_only and not (t.free & self.keys):
            return t
        if not t.args:
            return t
        got = self.memo.get(t)
        if got is None:
            got = self.memo[t] = self.rebuild(t)
        return got

    def rebuild(self, t: Term) -> Term:
        if t.op == "idx":
            return t
        if t.op != "red":
            return rebuild(t, tuple(self.apply(a) for a in t.args))
        body, variables = open_reduction(t, self.fresh)
        return reduce(str(t.data), self.apply(body), variables)


class _Renaming(_Substitution):
    """A renaming leaves every simplification as it is: sums and products are put in order and not built anew."""

    def rebuild(self, t: Term) -> Term:
        if t.op == "red":
            if t in _tied or not self.may_pass(t):
                return super().rebuild(t)
            return node("red", (self.apply(t.args[0]), *t.args[1:]), t.data)
        if t.op not in _NAMELESS:
            return super().rebuild(t)
        args = tuple(self.apply(a) for a in t.args)
        if t.op == "add":
            mixed = any(a.op == "mul" and any(f.op == "add" for f in a.args) for a in args)
            return add(*args) if mixed else node("add", tuple(sorted(args, key=_digest)))
        if t.op == "mul":
            number = 1 if args[0].op == "num" else 0
            return node("mul", (*args[:number], *sorted(args[number:], key=_digest)))
        return node(t.op, args, t.data)

    def may_pass(self, t: Term) -> bool:
        """Whether the new names are not those that the reduction binds."""
        return not any(v in self.mapping or v in self.mapping.values() for v in t.args[1:])


_NAMELESS = frozenset(("add", "mul", "pow", "fn", "get", "get0", "idx"))
"""Operations whose simplification no name of an index enters."""


def _digest(t: Term) -> bytes:
    return t.digest


def rebuild(t: Term, args: tuple[Term, ...]) -> Term:
    """The operation of t on other arguments, simplified. Not for reductions."""
    if all(a is b for a, b in zip(args, t.args, strict=True)):
        return t
    if t.op == "fn":
        return fn(str(t.data), *args)
    if t.op == "cmp":
        return compare(str(t.data), *args)
    constructor = _CONSTRUCTORS.get(t.op)
    return node(t.op, args, t.data) if constructor is None else constructor(*args)


_CONSTRUCTORS: Mapping[str, Callable[..., Term]] = {
    "add": add,
    "mul": mul,
    "pow": power,
    "and": conjunction,
    "or": disjunction,
    "not": negation,
    "iv": iverson,
    "where": where,
}
