"""The engine: applies rules bottom-up until none fires. It knows no rule."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad import limits
from symgrad.algebra.build import rebuild, reduce
from symgrad.algebra.terms import Term
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Rule

MOST_FIRINGS = 64
"""Times in a row that rules may fire at one place; every rule lowers a measure, so right ones never reach it."""


def rewrite(t: Term, rules: Sequence[Rule], context: Context) -> Term:
    """The term with the rules applied, arguments first, until none fires."""
    return _Rewriting(rules, context).apply(t)


class Table:
    """Rules by the operation at which they fire, and the terms at which none of them fires any more."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.everywhere = tuple(r for r in rules if not r.on)
        ops = sorted({op for r in rules for op in r.on})
        self.at = {op: tuple(r for r in rules if not r.on or op in r.on) for op in ops}
        self.settled: set[Term] = set()


def _table(rules: Sequence[Rule], context: Context) -> Table:
    found = context.tables.get(id(rules))
    if found is None or found.rules is not rules:
        found = context.tables[id(rules)] = Table(rules)
    return found


class _Rewriting:
    def __init__(self, rules: Sequence[Rule], context: Context) -> None:
        self.context = context
        self.table = _table(rules, context)
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        if t in self.table.settled:
            return t
        found = self.memo.get(t)
        if found is None:
            limits.check()
            found = self.memo[t] = self.settle(self.inside(t))
            self.table.settled.add(found)
        return found

    def inside(self, t: Term) -> Term:
        if not t.args or t.op == "idx":
            return t
        if t.op != "red":
            return rebuild(t, tuple(self.apply(a) for a in t.args))
        body, variables = self.context.opened(t)
        new = self.apply(body)
        return t if new is body else reduce(str(t.data), new, variables)

    def settle(self, t: Term) -> Term:
        for _ in range(MOST_FIRINGS):
            new = self.fire(t)
            if new is None:
                return t
            known = self.memo.get(new)
            if known is not None:
                return known
            t = self.inside(new)
        return t

    def fire(self, t: Term) -> Term | None:
        for rule in self.table.at.get(t.op, self.table.everywhere):
            self.context.relied_on.clear()
            new = rule.match(t, self.context)
            if new is not None and new is not t:
                if self.context.relied_on and "sign" in rule.needs:
                    self.context.assume_signs()
                self.context.record(rule, t, new)
                return new
        return None
