"""Expressions that may be a factor or a term of a gradient: accesses along its indices, and what stands in its forms.

z[i, j], gradient by z[i, j]     -> y[i, j], t[i, j], 1 - y[i, j], exp(z[i, j]), m[i], ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from symgrad.algebra.build import add, compare, iverson, neg, power, reduce, substitute
from symgrad.algebra.terms import ONE, Term, extent, get, idx, node, num, walk
from symgrad.formula.program import Program
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene, is_batch
from symgrad.validate.backends import EvaluationError
from symgrad.validate.precise import Definition

MOST = 150


@dataclass(frozen=True)
class Candidate:
    """An expression in the indices of a gradient, with the names that it needs beyond those of the program."""

    term: Term
    where: tuple[Definition, ...] = ()

    def at(self, scene: Scene, indices: Sequence[Term]) -> Array | None:
        """Its value with these axes; None where it has none."""
        key = ("candidate", self.term, tuple(indices))
        if key not in scene.memo:
            try:
                scene.memo[key] = scene.term(self.term, indices, self.where)
            except (EvaluationError, KeyError):
                scene.memo[key] = None
        found: Array | None = scene.memo[key]
        return found


def candidates(program: Program, target: Target) -> list[Candidate]:
    """Simple ones first: accesses, their complements, then subexpressions of the closed forms."""
    indices = target.form.indices
    where = {d.name: d for form in target.forms for d in form.where}
    found: dict[Term, None] = dict.fromkeys(accesses(program, indices, list(where.values())))
    for t in [t for form in target.forms for t in _parts(form.closed, indices)]:
        found.setdefault(t, None)
    for d in (*where.values(), *program.statements):
        for renaming in _renamings(d.indices, indices):
            for t in _parts(d.body, d.indices):
                found.setdefault(substitute(t, renaming), None)
    for t in counts(program, indices):
        found.setdefault(t, None)
        found.setdefault(add(ONE, t), None)
    plain = list(found)[:MOST]
    for t in plain[: MOST // 2]:
        if t.op in ("get", "fn", "par"):
            found.setdefault(add(ONE, neg(t)), None)
            found.setdefault(add(ONE, t), None)
    ordered = sorted(found, key=lambda t: (t.size, t.digest))
    return [Candidate(t, tuple(where.values())) for t in ordered[: 2 * MOST] if t.op != "num"]


def accesses(
    program: Program, indices: Sequence[Term], where: Sequence[Definition] = (), booleans: bool = False
) -> Iterator[Term]:
    """Accesses of real tensors along the indices; of `booleans` too."""
    shapes = dict(program.shapes)
    integers = {i.name for i in program.inputs if i.dtype == "int" or (i.dtype == "bool" and not booleans)}
    for d in where:
        shapes.setdefault(d.name, tuple(extent(i) for i in d.indices))
    for name, shape in shapes.items():
        if name in integers or len(shape) > len(indices):
            continue
        for chosen in permutations(indices, len(shape)):
            if all(extent(i) is e for i, e in zip(chosen, shape, strict=True)):
                yield get(name, chosen)


def counts(program: Program, indices: Sequence[Term]) -> Iterator[Term]:
    """How often something is true, or a number is meant, along the indices: Sum(where(t[i] == j, 1, 0), i)."""
    for tensor in program.inputs:
        if tensor.batch or tensor.dtype == "real":
            continue
        own = [idx(f"%{k}", e) for k, e in enumerate(tensor.shape)]
        if tensor.dtype == "int":
            yield from (_count(compare("==", get(tensor.name, own), j), own) for j in indices if not is_batch(j))
            continue
        for size in range(1, len(own)):
            for places in combinations(range(len(own)), size):
                for chosen in permutations(indices, size):
                    if all(extent(i) is extent(own[k]) for i, k in zip(chosen, places, strict=True)):
                        at = [chosen[places.index(k)] if k in places else i for k, i in enumerate(own)]
                        condition = node("fn", (get(tensor.name, at),), "truth")
                        yield _count(condition, [i for k, i in enumerate(own) if k not in places])


def _count(condition: Term, over: Sequence[Term]) -> Term:
    return reduce("sum", iverson(condition), list(over))


def _renamings(own: Sequence[Term], indices: Sequence[Term]) -> Iterator[dict[Term, Term]]:
    """Ways to read the indices of a definition as those of the gradient."""
    if len(own) > len(indices):
        return
    for chosen in permutations(indices, len(own)):
        if all(extent(i) is extent(k) for i, k in zip(chosen, own, strict=True)):
            yield dict(zip(own, chosen, strict=True))


def _parts(t: Term, indices: Sequence[Term]) -> Iterator[Term]:
    """Subexpressions whose free indices are among these."""
    allowed = frozenset(indices)
    for x in walk(t):
        if x.op in ("get", "get0", "pow", "fn", "add", "red", "mat", "mul", "par") and x.free <= allowed:
            if x.op == "pow" and x.args[1].op == "num" and x.args[0].free <= allowed:
                continue
            if any(str(i.data)[0] == "$" for i in x.free):
                continue
            if _has_bound(x):
                continue
            yield x


def _has_bound(t: Term) -> bool:
    """Whether it holds an index of a reduction that is not in it."""
    return any(str(i.data).startswith("$") for i in t.free)


def stacked(values: Sequence[Array]) -> Array:
    """Arrays of several scenes as one row."""
    return np.concatenate([np.ravel(v) for v in values]) if values else np.empty(0)


def exponent_of(t: Term, k: float) -> Term:
    """t to a power that was measured, a half or whole number."""
    from fractions import Fraction

    return power(t, num(Fraction(round(2 * k), 2)))
