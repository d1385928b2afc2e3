"""Closed forms of formulas that use others: names made for a part that are not worth their definition are written out.

softmax_cross_entropy_y[i, j] where it is used once  ->  softmax(z[i, j], j)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import Fresh
from symgrad.algebra.show import Names
from symgrad.algebra.terms import BATCH, ZERO, Term, extent, is_access, matrix_of, walk
from symgrad.algebra.weight import weight
from symgrad.closing.unfold import growth, unfold
from symgrad.formula.program import Program, Statement

LONGEST = 40
"""Weight up to which the value of a name may be written in its place."""


@dataclass(frozen=True)
class Definition:
    """name[indices] = body: a name that a closed form uses. `introduced`: by symgrad, not by the formula."""

    name: str
    indices: tuple[Term, ...]
    body: Term
    introduced: bool

    @property
    def length(self) -> int:
        """About the length of its text."""
        return weight(self.body) + len(self.name) + 2 + 2 * len(self.indices)


@dataclass(frozen=True)
class Gradient:
    """The closed form of the gradient of one input (of the mean, for a loss), with the names that it uses."""

    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple[Definition, ...]
    zero: bool


def stated_axes(
    definitions: Iterable[Definition], shapes: Mapping[str, Sequence[Term]]
) -> Mapping[str, Sequence[Term]]:
    """Name -> extents of the axes as the text of an introduced definition says them; 0, which none has, where not.

    v[j, l] = where(l <= j, w[j], 0) says how far j runs: what sums over l states its limits.
    """
    found: dict[str, Sequence[Term]] = dict(shapes)
    for d in definitions:
        names = Names(shapes=found)
        said = [not d.introduced or names.says_range(i, d.body) for i in d.indices]
        found[d.name] = tuple(extent(i) if s else ZERO for i, s in zip(d.indices, said, strict=True))
    return found


def without_silent_batch(g: Gradient, fresh: Fresh) -> Gradient:
    """The gradient without names of batches `b[...]` whose definition reads nothing that has a batch."""
    for d in g.where:
        silent = any(str(i.data) == BATCH and i not in d.body.free for i in d.indices)
        if silent and not _reads_outside([g.closed, *(e.body for e in g.where)], d.name):
            g = _rewritten(g, {d.name: Statement(d.name, d.indices, d.body)}, fresh)
    return g


def written_out(
    gradients: Sequence[Gradient], program: Program, keep: frozenset[str], fresh: Fresh, most: int = 0
) -> tuple[Gradient, ...]:
    """The gradients without the names of parts that are not worth a definition; those in `keep` stay.

    `most`: gradients up to this weight have none of these names.
    """
    for s in reversed(program.statements):
        if s.inner and s.kind == "let" and s.name not in keep:
            gradients = _without(gradients, s.name, fresh)
            known: dict[tuple[Term, Term], Term] = {}
            gradients = [_through(g, s.name, fresh, most, known) for g in gradients] if most else gradients
    return tuple(gradients)


def _through(g: Gradient, name: str, fresh: Fresh, most: int, known: dict[tuple[Term, Term], Term]) -> Gradient:
    """The gradient with a name written out in those of its texts that stay within the weight so.

    `known`: what was found before, by definition and text: gradients share most of their definitions.
    """
    definition = next((d for d in g.where if d.name == name), None)
    if definition is None or _reads_outside([g.closed, *(d.body for d in g.where)], name):
        return g
    body = definition.body
    table = {name: Statement(name, definition.indices, body)}

    def through(t: Term) -> Term:
        if name not in t.tensors:
            return t
        if (body, t) not in known:
            long = weight(t) + growth(t, table, {}) > most
            new = t if long else unfold(t, table, fresh)
            known[body, t] = new if weight(new) <= most else t
        return known[body, t]

    closed, where = through(g.closed), tuple(replace(d, body=through(d.body)) for d in g.where)
    used = any(name in t.tensors for t in (closed, *(d.body for d in where)))
    return replace(g, closed=closed, where=where if used else tuple(d for d in where if d.name != name))


def _without(gradients: Sequence[Gradient], name: str, fresh: Fresh) -> Sequence[Gradient]:
    """Write a name out where it stands once, or for something shorter than itself."""
    distinct = {d.name: d for g in gradients for d in g.where}
    definition = distinct.get(name)
    if definition is None or weight(definition.body) > LONGEST:
        return gradients
    terms = [g.closed for g in gradients] + [d.body for d in distinct.values()]
    reads = [x for t in terms if name in t.tensors for x in walk(t) if is_access(x) and x.data == name]
    if _reads_outside(terms, name):
        return gradients
    count = sum(occurrences(t, name, {}) for t in terms)
    if count > 1 and weight(definition.body) > min(map(weight, reads)):
        return gradients
    table = {name: Statement(name, definition.indices, definition.body)}
    return [_rewritten(g, table, fresh) for g in gradients]


def _reads_outside(terms: Sequence[Term], name: str) -> bool:
    """Whether a term needs the name itself: for reads that give 0 outside of it, or for its inverse or determinant."""
    reads = (x for t in terms if name in t.tensors for x in walk(t))
    return any((x.op == "get0" and x.data == name) or (x.op == "mat" and matrix_of(x)[1] == name) for x in reads)


def _rewritten(g: Gradient, table: Mapping[str, Statement], fresh: Fresh) -> Gradient:
    where = tuple(replace(d, body=unfold(d.body, table, fresh)) for d in g.where if d.name not in table)
    return replace(g, closed=unfold(g.closed, table, fresh), where=where)


def occurrences(t: Term, name: str, memo: dict[Term, int]) -> int:
    """How often the text of a term has a name."""
    if name not in t.tensors:
        return 0
    if t not in memo:
        memo[t] = (is_access(t) and t.data == name) + sum(occurrences(a, name, memo) for a in t.args)
    return memo[t]
