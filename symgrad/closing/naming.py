"""Which hoisted values a closed form names: those that make it, definitions included, much shorter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.build import Fresh
from symgrad.algebra.terms import Term, walk
from symgrad.algebra.weight import weight
from symgrad.closing.fold import logarithm_folding
from symgrad.closing.parts import Definition
from symgrad.closing.steps import STEPS
from symgrad.closing.unfold import growth, unfold
from symgrad.formula.program import Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite

LINK = 40
"""An adjoint from this weight on that is a sum, and is summed over again, keeps its name: a link of a chain."""
PAYS = 1.04
"""A hoisted name is written out where the form, its definition included, grows by less than this."""
OUT_OF_REACH = 6
"""Forms that are this many times as long before they are simplified are not tried."""
MOST_NAMES = 8
"""Hoisted values above which no names are tried out."""


def readable(hidden: Mapping[str, Statement], named: Sequence[Statement], context: Context) -> dict[str, Statement]:
    """The hoisted statements as people write them: logarithms of names, joined."""
    statements = [*hidden.values(), *named]
    logarithms = [f for s in statements if (f := logarithm_folding(s, context)) is not None]
    found = {}
    with context.quietly():
        for n, s in hidden.items():
            rules = (*(f.rules[0] for f in logarithms if f.statement is not s), *STEPS)
            found[n] = replace(s, body=rewrite(s.body, rules, context))
    return found


class Naming:
    """Names for parts of closed forms, out of the hoisted statements."""

    def __init__(self, statements: Mapping[str, Statement], fresh: Fresh) -> None:
        self.statements, self.fresh = statements, fresh
        self.kept: dict[Term, frozenset[str]] = {}
        """By closed form: the hoisted names that it and their definitions are written in."""

    def out_of_reach(self, t: Term) -> bool:
        """Whether the term is much too long without the names to try that."""
        named = self._partly(t, self._needed(t))[1] if t.tensors & self.statements.keys() else weight(t)
        return weight(t) + growth(t, self.statements, {}) > OUT_OF_REACH * named

    def whole(self, t: Term) -> Term:
        """The term with all of its names."""
        return self.named(t, self._needed(t))

    def named(self, t: Term, names: frozenset[str]) -> Term:
        """The term with these names."""
        kept = self._needed(t) & names
        new, _ = self._partly(t, kept)
        self.kept[new] = kept
        return new

    def shortest(self, t: Term, wanted: frozenset[str] = frozenset()) -> tuple[Term, int]:
        """The term with those names that pay, and those that are wanted; its weight with their definitions."""
        kept = self._needed(t)
        if len(kept) > MOST_NAMES:
            kept = wanted
        best, length = self._partly(t, kept)
        while kept > wanted:
            tried = [(*self._partly(t, kept - {n}), n) for n in sorted(kept - wanted)]
            new, other, name = min(tried, key=lambda x: (x[1], x[2]))
            if other > PAYS * length:
                break
            best, length, kept = new, other, kept - {name}
        self.kept[best] = kept
        return best, length

    def definitions(self, forms: Iterable[Term]) -> dict[str, Statement]:
        """The statements as these forms define them: in terms of the names that they use."""
        kept = frozenset().union(*(self.kept.get(t, frozenset()) for t in forms))
        others = self._others(kept)
        return {n: replace(s, body=unfold(s.body, others, self.fresh)) for n, s in self.statements.items()}

    def _needed(self, t: Term) -> frozenset[str]:
        """Names that the term needs, also through one another. A log-sum-exp has none: people write the softmax."""
        names = {n for n in t.tensors & self.statements.keys() if self.statements[n].body.data != "lse"}
        return frozenset(names).union(*(self._needed(self.statements[n].body) for n in sorted(names)))

    def _others(self, kept: frozenset[str]) -> dict[str, Statement]:
        return {n: s for n, s in self.statements.items() if n not in kept}

    def _partly(self, t: Term, kept: frozenset[str]) -> tuple[Term, int]:
        """The term in terms of some names, and its weight with their definitions."""
        others = self._others(kept)
        new = unfold(t, others, self.fresh)
        defined: set[str] = set()
        length, queue = weight(new), [new]
        while queue:
            for n in sorted((queue.pop().tensors & kept) - defined):
                defined.add(n)
                body = unfold(self.statements[n].body, others, self.fresh)
                length += Definition(n, self.statements[n].indices, body, True).length
                queue.append(body)
        return new, length


def is_chain(named: Term, definitions: Sequence[Definition]) -> bool:
    """Whether an adjoint that is a sum is summed over again, as from layer to layer."""
    links = {d.name for d in definitions if weight(d.body) >= LINK and _is_contraction(d.body)}
    forms = [named, *(d.body for d in definitions)]
    return any(x.op == "red" and x.tensors & links for t in forms for x in walk(t))


def _is_contraction(t: Term) -> bool:
    """Whether the term is a sum over an index, but for factors, summands and branches."""
    if t.op in ("add", "mul", "where"):
        return any(_is_contraction(a) for a in t.args)
    return t.op == "red" and t.data == "sum"


__all__ = ["Naming", "is_chain", "readable"]
