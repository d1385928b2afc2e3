"""A derivation does not see how the user calls things: it works on aliases, one character for each name.

Names enter digests, which break ties, and lengths, by which forms are chosen; so closed forms would change with them.
Aliases are given by position. What the derivation names itself is told apart from the user's names on the way back.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any, TypeVar

from symgrad.algebra.build import Fresh, add, open_reduction, rebuild, reduce
from symgrad.algebra.terms import ALIAS, BATCH, Term, extent, idx, is_access, node
from symgrad.errors import FormulaError, SymgradError
from symgrad.formula.directions import direction_names
from symgrad.formula.program import Domain, Expected, Fact, Formula, Place, Program, Statement
from symgrad.rewrite.rule import Rule

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ALIASES = range(ord(ALIAS), 0xFFFFE)
"""No name of a user has one of these characters, and a text may hold them among others."""
LETTERS = "ijklmpqrsuvwabefgh"
"""What the derivation calls indices of its own, in this order; then i1, i2, ..."""
NAMES = frozenset(("name", "input", "direction"))
"""Fields of records that are names; other texts may hold some."""
KEPT = (type, Place, Rule, Formula, Program)
"""What holds no aliases."""
_ALIAS = f"{chr(ALIASES[0])}-{chr(ALIASES[-1])}"
_WORD = re.compile(rf"\w*[{_ALIAS}][\w{_ALIAS}]*")
_OPENED = 1 << 40
"""Where numbers of binders that are opened here begin."""
Record = TypeVar("Record", bound="DataclassInstance")


class _Renaming(ABC):
    """Terms under other names."""

    def __init__(self) -> None:
        self.memo: dict[Term, Term] = {}
        self.fresh = Fresh(count(_OPENED))

    @abstractmethod
    def name(self, old: str) -> str:
        """The other name of a tensor, a parameter or a dimension."""

    @abstractmethod
    def index(self, old: str) -> str:
        """The other name of an index."""

    def term(self, t: Term) -> Term:
        """The term under the other names."""
        found = self.memo.get(t)
        if found is None:
            found = self.memo[t] = self._made(t)
        return found

    def _made(self, t: Term) -> Term:
        if t.op in ("dim", "par"):
            return node(t.op, (), self.name(str(t.data)))
        if t.op == "idx":
            return idx(self.index(str(t.data)), self.term(extent(t)))
        if not t.args and not is_access(t):
            return t
        if t.op == "red" and len(t.args) > 2:
            body, variables = open_reduction(t, self.fresh)
            return reduce(str(t.data), self.term(body), map(self.term, variables))
        args = tuple(map(self.term, t.args))
        if is_access(t):
            return node(t.op, args, self.name(str(t.data)))
        if t.op == "mat":
            assert isinstance(t.data, tuple)
            return node(t.op, args, (t.data[0], self.name(t.data[1])))
        if t.op == "mul":
            number = 1 if args[0].op == "num" else 0
            return node("mul", (*args[:number], *sorted(args[number:])))
        if t.op == "add":
            mixed = any(a.op == "mul" and any(f.op == "add" for f in a.args) for a in args)
            return add(*args) if mixed else node("add", tuple(sorted(args)))
        return node(t.op, args, t.data) if t.op in ("red", "pow", "fn") else rebuild(t, args)


class Aliases(_Renaming):
    """A formula under aliases: inputs, parameters, statements, sizes and indices, in the order in which they stand."""

    def __init__(self, formula: Formula, program: Program) -> None:
        super().__init__()
        self.table: dict[str, str] = {}
        for group in (program.inputs, program.parameters, program.statements):
            for named in group:
                self.name(named.name)
        self.program = self._program(program)
        for name, _ in formula.index_names:
            self.index(name)
        index_names = tuple((self.index(n), self.term(e)) for n, e in formula.index_names)
        self.taken = frozenset(self.table)
        """Names of the formula; those of indices of facts and expected forms stand for any index."""
        facts = tuple(replace(f, condition=self.term(f.condition)) for f in program.facts)
        self.program = replace(self.program, facts=facts)
        for s in (s for s in program.statements if s.kind != "loss"):
            self.table.setdefault(f"d{s.name}", f"d{self.name(s.name)}")
        whole = replace(self.program, wrt=tuple(map(self.name, formula.program.wrt)))
        for asked, alias in ((formula.program, whole), (program, self.program)):  # `expect` names those of the whole
            before = direction_names(asked, (n for n, _ in formula.index_names))
            after = direction_names(alias, (n for n, _ in index_names))
            self.table |= {before[n]: after[self.table[n]] for n in before}
        expected = tuple(map(self._expected, formula.expected))
        self.facts = dict(zip(map(id, facts), program.facts, strict=True))
        """Facts as they were read, by identity of those under aliases."""
        self.formula = replace(formula, program=whole, index_names=index_names, expected=expected)

    def name(self, old: str) -> str:
        """The alias of a name, a new one where it has none yet."""
        if old == BATCH:
            return old
        return self.table.setdefault(old, chr(ALIASES[len(self.table)]))

    def index(self, old: str) -> str:
        """The alias of the name of an index."""
        return old if old[0] in "$%" else self.name(old)

    def _program(self, p: Program) -> Program:
        return replace(
            p,
            inputs=tuple(
                replace(i, name=self.name(i.name), shape=tuple(map(self.term, i.shape)), domain=self._domain(i.domain))
                for i in p.inputs
            ),
            parameters=tuple(replace(x, name=self.name(x.name), domain=self._domain(x.domain)) for x in p.parameters),
            statements=tuple(map(self._statement, p.statements)),
            wrt=tuple(map(self.name, p.wrt)),
        )

    def _domain(self, d: Domain) -> Domain:
        return replace(d, bounds=tuple(map(self.term, d.bounds)))

    def _statement(self, s: Statement) -> Statement:
        indices = tuple(map(self.term, s.indices))
        recurrence = s.recurrence and replace(s.recurrence, time=self.term(s.recurrence.time))
        return replace(s, name=self.name(s.name), indices=indices, body=self.term(s.body), recurrence=recurrence)

    def _expected(self, e: Expected) -> Expected:
        return replace(e, input=self.name(e.input), indices=tuple(map(self.term, e.indices)), body=self.term(e.body))


class Names(_Renaming):
    """The way back: what was found under aliases, in the names of the formula."""

    def __init__(self, aliases: Aliases) -> None:
        super().__init__()
        self.aliases = aliases
        self.user = {new: old for old, new in aliases.table.items()}
        self.letters = {ord(new): old for new, old in self.user.items() if len(new) == 1}
        self.taken = set(aliases.taken)
        self.found: dict[str, str] = {}
        self.free = (x for x in chain(LETTERS, (f"i{k}" for k in count(1))) if x not in self.taken)

    def copy(self) -> Names:
        """Names that go on from what is named by now."""
        new = Names(self.aliases)
        new.found, new.taken = dict(self.found), set(self.taken)
        return new

    def name(self, old: str) -> str:
        """A name of the formula, or one made by the derivation, apart from those of the formula."""
        new = self.user.get(old) or self.found.get(old)
        if new is None:
            new = old.translate(self.letters)
            while new in self.taken and old != BATCH:
                new += "_"
            self.taken.add(new)
            self.found[old] = new
        return new

    def index(self, old: str) -> str:
        """The name of an index: the formula's, or the next letter that it does not have."""
        if old[0] in "$%" or old == BATCH:
            return old
        new = self.user.get(old) or self.found.get(old)
        if new is None:
            new = self.found[old] = next(self.free)
            self.taken.add(new)
        return new

    def text(self, old: str) -> str:
        """A text with the names that it holds."""
        return _WORD.sub(lambda m: self.name(m.group()), old)

    def record(self, old: Record) -> Record:
        """A record, and all that it holds, in the names of the formula."""
        made = {f.name: self._value(getattr(old, f.name), f.name in NAMES) for f in fields(old) if f.init}
        return replace(old, **made)

    def _value(self, old: Any, is_name: bool = False) -> Any:
        if isinstance(old, Term):
            return self.term(old)
        if isinstance(old, str):
            return self.name(old) if is_name else self.text(old)
        if isinstance(old, tuple):
            return tuple(map(self._value, old))
        if isinstance(old, Mapping):
            return {self.name(k): self._value(v, isinstance(v, str)) for k, v in old.items()}
        if isinstance(old, Fact):
            return self.aliases.facts[id(old)]
        return self.record(old) if is_dataclass(old) and not isinstance(old, KEPT) else old

    def failure(self, e: SymgradError) -> SymgradError:
        """An error in the names of the formula."""
        e.args = tuple(map(self._value, e.args))
        if isinstance(e, FormulaError):
            e.message, e.help = self.text(e.message), self.text(e.help)
        return e
