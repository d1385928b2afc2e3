"""Symmetric matrices: which tensors are such, by declaration or by their definition, and the terms that they join.

A[i, j] x[i] + A[j, i] x[i] = 2 A[i, j] x[i]; the inverse of a symmetric matrix is one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from symgrad.algebra.build import add, mul, rebuild, reduce, substitute
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import (
    MATRIX_VALUED,
    Term,
    by_name,
    coefficient,
    extent,
    factors_of,
    is_access,
    matrix_of,
    node,
    num,
    walk,
)
from symgrad.formula.program import Fact
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.elementary import EVEN
from symgrad.rules.sums import EXPAND

NORMAL = (EVEN, *EXPAND)
MOST_FLIPS = 4
"""Accesses at two bound indices whose both orientations are tried together."""
MOST_SIZE = 200
"""Nodes of a definition, written out, that is looked at."""
Facts = tuple[Fact, ...]


def declared_symmetric(f: Fact) -> str:
    """The tensor that a fact A[.., i, j] == A[.., j, i] is about; empty for other facts."""
    c = f.condition
    if c.op != "cmp" or c.data != "==" or any(a.op != "get" or len(a.args) < 2 for a in c.args):
        return ""
    a, b = c.args
    turned = (*b.args[:-2], b.args[-1], b.args[-2])
    return str(a.data) if a.data == b.data and a.args == turned and a is not b else ""


def symmetric(name: str, context: Context) -> Facts | None:
    """The facts by which a tensor is symmetric in its last two axes, none if by its definition; None if it is not."""
    if name not in context.symmetric:
        context.symmetric[name] = None  # a definition that refers to itself says nothing
        context.symmetric[name] = _by_declaration(name, context) or _by_definition(name, context)
    return context.symmetric[name]


def _by_declaration(name: str, context: Context) -> Facts | None:
    found = [f for f in context.program.facts if f.usable and declared_symmetric(f) == name]
    return tuple(found[:1]) or None


def _by_definition(name: str, context: Context) -> Facts | None:
    s = context.definitions.get(name) or context.adjoints.get(name)
    if s is None or len(s.indices) < 2 or extent(s.indices[-1]) is not extent(s.indices[-2]):
        return None
    i, j = s.indices[-2:]
    if not {i, j} <= s.body.free:
        return None
    whole = _Unfolding(context).term(s.body)
    if whole is None:
        return None
    with context.quietly():
        body = rewrite(whole, NORMAL, context)
        turned = rewrite(substitute(body, {i: j, j: i}), NORMAL, context)
    if turned is body:
        return ()
    used: dict[Fact, None] = {}
    if oriented(turned, context, used) is oriented(body, context, used):
        return tuple(used)
    return None


class _Unfolding:
    """Terms in the inputs alone, as far as their accesses go; None where that is too long to look at."""

    def __init__(self, context: Context) -> None:
        self.context, self.left = context, MOST_SIZE
        self.names = context.definitions.keys() | context.adjoints.keys()

    def term(self, t: Term) -> Term | None:
        """The term written out."""
        self.left -= 1
        if self.left < 0 or t.size > MOST_SIZE:
            return None
        if not t.tensors & self.names:
            return t
        if t.op == "red":
            body, variables = self.context.opened(t)
            inner = self.term(body)
            return None if inner is None else reduce(str(t.data), inner, variables)
        name = str(t.data)
        s = (self.context.definitions.get(name) or self.context.adjoints.get(name)) if t.op == "get" else None
        if s is not None:
            return self.term(substitute(s.body, dict(zip(s.indices, t.args, strict=True))))
        args: list[Term] = []
        for a in t.args:
            new = self.term(a)
            if new is None:
                return None
            args.append(new)
        return rebuild(t, tuple(args))


# ---- orientation -----------------------------------------------------------------------------------------------------


def _subscripts(t: Term) -> tuple[int, int] | None:
    """Where the last two subscripts of a matrix stand among the arguments of a term."""
    if t.op == "get" and len(t.args) >= 2:
        return len(t.args) - 2, len(t.args) - 1
    if t.op == "mat" and matrix_of(t)[0] in MATRIX_VALUED:
        return len(t.args) - 3, len(t.args) - 2
    return None


def _matrix_name(t: Term) -> str:
    return matrix_of(t)[1] if t.op == "mat" else str(t.data)


def _key(t: Term) -> tuple[bool, int, str]:
    """Indices of the left side first, then bound ones in the order in which they were opened."""
    name = str(t.data)
    bound = t.op == "idx" and name[0] == "%"
    return (bound, int(name[1:]) if bound else 0, name if t.op == "idx" else t.digest.hex())


def oriented(t: Term, context: Context, used: dict[Fact, None]) -> Term:
    """One of all the terms that are equal by symmetry, the same for each of them. `used`: the facts that it takes."""
    plain = _turned(t, context, used, iter(()))
    flips = sum(1 for _ in _at_bound_indices(plain, context))
    if not flips:
        return plain
    trials = product((False, True), repeat=min(flips, MOST_FLIPS))
    return min((_turned(plain, context, used, iter(f)) for f in trials), key=lambda x: x.digest)


def _at_bound_indices(t: Term, context: Context) -> Iterator[Term]:
    """Accesses to symmetric matrices at two bound indices."""
    for x in walk(t):
        at = _subscripts(x)
        if at is None or not all(str(x.args[k].data)[:1] == "$" for k in at):
            continue
        if x.args[at[0]] is not x.args[at[1]] and symmetric(_matrix_name(x), context) is not None:
            yield x


def _turned(t: Term, context: Context, used: dict[Fact, None], flips: Iterator[bool]) -> Term:
    """The term with its symmetric matrices at subscripts in order, those at bound indices flipped where said."""
    at = _subscripts(t)
    facts = symmetric(_matrix_name(t), context) if at is not None else None
    if at is not None and facts is not None:
        a, b = t.args[at[0]], t.args[at[1]]
        bound = _key(a)[0] and _key(b)[0]
        flip = next(flips, False) if bound else False
        if (_key(b) < _key(a)) != flip:
            used.update(dict.fromkeys(facts))
            args = list(t.args)
            args[at[0]], args[at[1]] = b, a
            return node(t.op, tuple(args), t.data)
        return t
    if t.op == "red":
        body, variables = context.opened(t)
        return reduce(str(t.data), _turned(body, context, used, flips), variables)
    if not t.tensors:
        return t
    return rebuild(t, tuple(_turned(a, context, used, flips) for a in t.args))


# ---- for people ------------------------------------------------------------------------------------------------------


def as_written(t: Term, indices: Sequence[Term], context: Context) -> Term:
    """The term with its symmetric matrices turned as a product of matrices has them: X[k, i] A[i, j], A[j, i] b[i].

    `indices`: the axes of its value, rows first. Matrices that are declared to be symmetric are turned, and those
    whose inverse stands in the term.
    """
    names = {matrix_of(x)[1] for x in walk(t) if x.op == "mat"}
    names |= t.tensors & {declared_symmetric(f) for f in context.program.facts if f.usable}
    return _as_written(t, frozenset(names), indices, context) if names else t


def _as_written(t: Term, names: frozenset[str], indices: Sequence[Term], context: Context) -> Term:
    if not t.tensors & names:
        return t
    if t.op != "red":
        return rebuild(t, tuple(_as_written(a, names, indices, context) for a in t.args))
    body, variables = context.opened(t)
    inner = _as_written(body, names, indices, context)
    if t.data == "sum":
        factors = list(factors_of(inner))
        for k, f in enumerate(factors):
            if f.tensors & names:
                factors[k] = _turned_to(f, [g for g in factors if g is not f], variables, indices, context)
        inner = mul(*factors)
    return reduce(str(t.data), inner, variables)


def _turned_to(f: Term, others: list[Term], variables: list[Term], indices: Sequence[Term], context: Context) -> Term:
    """A factor as it stands, or turned if a neighbour says so that is not symmetric itself."""
    at = _subscripts(f)
    facts = symmetric(_matrix_name(f), context) if at is not None else None
    if at is None or facts is None:
        return f
    row, column = f.args[at[0]], f.args[at[1]]
    places = [next((p for g in others if (p := _place(k, g, context))), "") for k in (row, column)]
    wanted = [p if k in variables else "" for k, p in zip((row, column), places, strict=True)]
    if wanted[0] == wanted[1] != "":
        near = _near_to_far([i for i in indices if any(i in g.free for g in others)][:1], others)
        stays = column not in near or (row in near and near.index(row) < near.index(column))
    else:
        stays = wanted[0] == "row" or wanted[1] == "column" or wanted == ["", ""]
    if stays:
        return f
    context.used.update(dict.fromkeys(facts))
    args = list(f.args)
    args[at[0]], args[at[1]] = column, row
    return node(f.op, tuple(args), f.data)


def _near_to_far(start: Iterable[Term], factors: Sequence[Term]) -> list[Term]:
    """The indices that are reached from those at the start along a product of matrices, in this order."""
    found = dict.fromkeys(start)
    for _ in factors:
        reached = [g.free for g in factors if not g.free.isdisjoint(found)]
        found |= dict.fromkeys(by_name(frozenset().union(*reached)))
    return list(found)


def _place(k: Term, g: Term, context: Context) -> str | None:
    """Where a neighbour wants a matrix to have the index they share: X[j, k] A[k, i] as row, A[i, k] b[k] as column."""
    at = _subscripts(g)
    if at is None:
        return "column" if is_access(g) and g.args and g.args[-1] is k else None
    if k not in (g.args[at[0]], g.args[at[1]]) or symmetric(_matrix_name(g), context) is not None:
        return None
    return "row" if g.args[at[1]] is k else "column"


def _joined(t: Term, context: Context) -> Term | None:
    """Summands that are equal by symmetry."""
    if t.op != "add":
        return None
    alike: dict[bytes, list[Term]] = {}
    for a in t.args:
        alike.setdefault(skeleton(coefficient(a)[1]), []).append(a)
    if all(len(group) == 1 for group in alike.values()):
        return None
    summands: list[Term] = []
    for group in alike.values():
        summands += _merged(group, context) if len(group) > 1 else group
    return add(*summands) if len(summands) < len(t.args) else None


def _merged(group: list[Term], context: Context) -> list[Term]:
    found: dict[Term, list[Term]] = {}
    used: dict[Fact, None] = {}
    for a in group:
        c, r = coefficient(a)
        found.setdefault(oriented(r, context, used), []).append(num(c))
    if len(found) == len(group):
        return group
    context.used.update(used)
    return [mul(add(*numbers), r) for r, numbers in found.items()]


SYMMETRIC = Rule(
    "fact/symmetric",
    ("add",),
    r"A_{ij} = A_{ji} \Rightarrow A_{ij} + A_{ji} = 2 A_{ij}",
    "the matrix is symmetric",
    _joined,
    Example(
        "Sum(w[i]*A[i, l], i) + Sum(w[i]*A[l, i], i)",
        "2*Sum(A[l, i]*w[i], i)",
        "{w: [n], A: {shape: [n, n], domain: symmetric, given: true}}",
    ),
    needs=("fact",),
)

__all__ = ["SYMMETRIC", "as_written", "declared_symmetric", "oriented", "symmetric"]
