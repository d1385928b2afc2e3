"""`expect`: is the closed form the expected one? Proven by the normal form, or left to the judges.

What flows back into a value h has the name dh. An expected recurrence back through time is an equation in such names:
it is proven of what was derived, and has one solution, since each step reads the step after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import Fresh, add, mul, open_reduction, sub, substitute
from symgrad.algebra.terms import BATCH, FALSE, ZERO, Term, coefficient, extent, get, idx, is_num, num, terms_of, walk
from symgrad.closing.closed import ClosedForms, Definition, Gradient
from symgrad.closing.unfold import unfold
from symgrad.formula.blocks import reads_across
from symgrad.formula.program import COTANGENT, Expected, Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Rule
from symgrad.rules.comparisons import BOUNDS, BY_CASES, SPLIT
from symgrad.rules.elementary import DEFINITION_RULES, DENSITIES, PEOPLE
from symgrad.rules.matrices import INVERSE_OF_PRODUCT
from symgrad.rules.stabilize import STABILIZE


@dataclass(frozen=True)
class ExpectedVerdict:
    """Whether the result equals the expected form: `proven` true, or None where the normal form does not decide."""

    expected: Expected
    derived: Gradient
    where: tuple[Definition, ...]
    """The names that one of both forms uses."""
    proven: bool | None

    @property
    def input(self) -> str:
        """The input whose gradient is expected; `hvp z` and `diagonal z` for the second order, `dh` for a value h."""
        return self.expected.key

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the expected form so far."""
        return self.proven is not False

    @property
    def point(self) -> str | None:
        """Where the forms differ; None: nowhere that was looked at."""
        return None


PROOF = (INVERSE_OF_PRODUCT, *DEFINITION_RULES[:1], *STABILIZE, *PEOPLE, *DENSITIES)
BRANCHWISE = (SPLIT, *PROOF)
PIECEWISE = (*BY_CASES, *PROOF)
MOST_SPLITS = 3
"""How often a proof looks at one value of an index, and at the others."""
Table = dict[str, Statement]
MOST_CASES = 8
"""Values of an index that are looked at one after the other."""


def values_named(expected: Sequence[Expected], program: Program) -> dict[str, Statement]:
    """Name of a cotangent that is expected, or that an expected form uses -> the value into which it flows."""
    used = {name for e in expected for name in (*e.body.tensors, *((e.key,) if e.kind == COTANGENT else ()))}
    return {f"d{s.name}": s for s in program.statements if s.kind == "let" and f"d{s.name}" in used}


class Proofs:
    """Holds closed forms against expected ones. `values`: name of a cotangent -> the value that it belongs to."""

    def __init__(self, forms: ClosedForms, values: Mapping[str, Statement], context: Context) -> None:
        self.forms, self.context = forms, context
        self.flows = {name: forms.cotangent(s) for name, s in values.items()}
        """What flows back into the values that expected forms name."""
        self.equal: dict[tuple[Term, Term], bool] = {}
        """Parts of forms that were compared: the gradients of a layer share them."""
        known = {name: forms.adjoints.adjoint_of.get(s.name) for name, s in values.items()}
        self.names: Table = {}
        """Names that the derivation does not use for it -> what it uses."""
        for name, s in values.items():
            a = known[name]
            if a is None or a.name != name:
                self.names[name] = Statement(name, s.indices, ZERO if a is None else get(a.name, s.indices))

    def prove(self, e: Expected, gradients: Sequence[Gradient]) -> ExpectedVerdict:
        """Subtract, unfold step by step, and look for 0."""
        g = self.flows[e.key] if e.kind == COTANGENT else next(g for g in gradients if g.input == e.input)
        body = unfold(e.body, self.names, self.forms.fresh)
        e = replace(e, body=body)
        wanted = substitute(body, dict(zip(e.indices, g.indices, strict=True)))
        where = {d.name: d for d in g.where}
        for flow in self.flows.values():
            if flow.input in body.tensors:
                where |= {d.name: d for d in flow.where}
        definitions = tuple(where.values())
        with self.context.quietly():
            proven = any(self._equal(*pair) for pair in _once(self._unfolded(g, wanted, definitions, e.key)))
        return ExpectedVerdict(e, g, definitions, proven or None)

    def _unfolded(
        self, g: Gradient, wanted: Term, definitions: Sequence[Definition], key: str
    ) -> Iterator[tuple[Term, Term]]:
        """Both forms, with more and more names written out.

        A name that one form alone has cannot cancel: where a later step writes it out, nothing is proven before.
        """
        levels = list(self._levels(definitions, wanted.tensors | {key}))
        names = frozenset(n for table in levels for n in table)
        for back in (False, True):
            for table in levels:
                mine, theirs = (unfold(t, table, self.forms.fresh) for t in (g.closed, wanted))
                if back:
                    mine = unfold(self._one_step(mine, definitions), table, self.forms.fresh)
                if not (mine.tensors ^ theirs.tensors) & (names - table.keys()):
                    yield mine, theirs
        if key in self.forms.adjoints.carried and not wanted.tensors & self.forms.adjoints.carried:
            solution = {key: Statement(key, g.indices, wanted)}
            for table in self._levels(definitions, frozenset((key,))):
                step = unfold(unfold(g.closed, table, self.forms.fresh), solution, self.forms.fresh)
                yield step, unfold(wanted, table, self.forms.fresh)

    def _one_step(self, t: Term, definitions: Sequence[Definition]) -> Term:
        """The form with what runs back through time written in terms of the step after."""
        carried = [d for d in definitions if d.name in self.forms.adjoints.carried]
        away = {d.name: Statement(d.name, d.indices, get(f"{d.name}'", d.indices)) for d in carried}
        step = {d.name: Statement(d.name, d.indices, unfold(d.body, away, self.forms.fresh)) for d in carried}
        back = {f"{d.name}'": Statement(f"{d.name}'", d.indices, get(d.name, d.indices)) for d in carried}
        return unfold(unfold(t, step, self.forms.fresh), back, self.forms.fresh)

    def _levels(self, definitions: Sequence[Definition], keep: frozenset[str]) -> Iterator[Table]:
        states, carried = self.forms.recurrent, self.forms.adjoints.carried
        introduced = {d.name: Statement(d.name, d.indices, d.body, "adjoint") for d in definitions if d.introduced}
        local = {n: s for n, s in introduced.items() if n not in states}
        named = {s.name: s for s in self.forms.program.statements if s.kind != "loss" and s.name not in states}
        yield {}
        yield local
        yield local | named
        named = {s.name: s for s in self.forms.program.statements if s.kind != "loss" and not reads_across(s)}
        yield local | named
        through = {n: s for n, s in introduced.items() if n in carried and n not in keep}
        if through:
            yield local | through
            yield local | named | through

    def _equal(self, mine: Term, theirs: Term) -> bool:
        parts = _where_they_differ(mine, theirs, self.forms.fresh)
        if parts[0] is not mine:
            known = _numbered(*parts)
            if known not in self.equal:
                self.equal[known] = self._is_everywhere_zero(sub(*known))
            if self.equal[known]:
                return True
        return self._is_everywhere_zero(sub(mine, theirs))

    def _is_everywhere_zero(self, difference: Term) -> bool:
        return all(self._is_zero(d) for d in _cases(difference))

    def _is_zero(self, difference: Term) -> bool:
        d = self._normal(difference, PROOF)
        if d is not ZERO and any(x.op == "where" for x in walk(d)):
            d = self._normal(d, BRANCHWISE)
        return d is ZERO or self._vanishes(rewrite(d, BOUNDS, self.context), MOST_SPLITS)

    def _vanishes(self, t: Term, splits: int) -> bool:
        """Whether a form in branches is 0: where an index has the value that a branch asks for, and elsewhere."""
        d = self._normal(t, PIECEWISE)
        found = next(_asked(d), None) if splits else None
        if d is ZERO or found is None:
            return d is ZERO
        condition, index, there = found
        at = substitute(d, {index: there})
        return self._vanishes(at, splits - 1) and self._vanishes(substitute(d, {condition: FALSE}), splits - 1)

    def _normal(self, t: Term, rules: tuple[Rule, ...]) -> Term:
        return rewrite(t, self.forms.inner.joined(rules, self.forms.inner.expand), self.context)


def _where_they_differ(a: Term, b: Term, fresh: Fresh) -> tuple[Term, Term]:
    """The parts of two forms that are left without sums, factors and summands that both have."""
    while a.op == b.op and a is not b:
        if a.op in ("add", "mul"):
            common = frozenset(a.args) & frozenset(b.args)
            join = add if a.op == "add" else mul
            inner = tuple(join(*(x for x in t.args if x not in common)) for t in (a, b)) if common else (a, b)
        elif a.op == "red" and a.data == b.data == "sum" and [*map(extent, a.args[1:])] == [*map(extent, b.args[1:])]:
            (mine, over), (theirs, others) = open_reduction(a, fresh), open_reduction(b, fresh)
            inner = mine, substitute(theirs, dict(zip(others, over, strict=True)))
        else:
            break
        if inner == (a, b):
            break
        a, b = inner
    return a, b


def _numbered(a: Term, b: Term) -> tuple[Term, Term]:
    """Both terms, their indices numbered in the order in which they come."""
    found = dict.fromkeys(x for t in (a, b) for x in walk(t) if x.op == "idx" and x in t.free and str(x.data) != BATCH)
    names = {i: idx(f"#{k}", extent(i)) for k, i in enumerate(found)}
    return substitute(a, names), substitute(b, names)


def _once(pairs: Iterator[tuple[Term, Term]]) -> Iterator[tuple[Term, Term]]:
    """The pairs, each the first time that it comes."""
    seen: set[tuple[Term, Term]] = set()
    for pair in pairs:
        if pair not in seen:
            seen.add(pair)
            yield pair


def _cases(t: Term) -> list[Term]:
    """The term at each value of an index that runs over few, where branches ask for its value."""
    asked = [x.args for x in walk(t) if x.op == "cmp" and x.data == "=="]
    indices = {i for pair in asked for i in pair if i.op == "idx" and i in t.free and is_num(extent(i))}
    for i in sorted(indices, key=lambda i: i.digest):
        count = coefficient(extent(i))[0]
        if count <= MOST_CASES:
            return [c for k in range(int(count)) for c in _cases(substitute(t, {i: num(k)}))]
    return [t]


def _asked(t: Term) -> Iterator[tuple[Term, Term, Term]]:
    """Conditions that say where one of the term's own indices is: the condition, the index, its value."""
    for c in walk(t):
        if c.op == "cmp" and c.data == "==" and not c.tensors:
            d = sub(*c.args)
            for i in sorted(d.free & t.free, key=lambda i: i.digest):
                slope = sum(coefficient(x)[0] for x in terms_of(d) if coefficient(x)[1] is i)
                there = add(i, mul(num(-slope), d))
                if abs(slope) == 1 and i not in there.free and there.free <= t.free:
                    yield c, i, there
