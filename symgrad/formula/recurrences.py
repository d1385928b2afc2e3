"""scan: `h[t, b, j]: {first: expression, next: expression}`, statements that are made one step after the other.

h: {first: "h0[j]", next: "a*h[t - 1, j] + x[t, j]"}    ->    h[t, j] = where(t == 0, h0[j], a*h[t - 1, j] + x[t, j])

Several of them make one recurrence: `next` reads every one of them at t - 1, and those written before it at t. An entry
that is one expression is a name for a part of a step, such as a gate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import compare, substitute, where
from symgrad.algebra.terms import BATCH, ZERO, Term, idx
from symgrad.errors import FormulaError
from symgrad.formula.blocks import blocks
from symgrad.formula.declarations import Declarations, fields, section, words
from symgrad.formula.document import Mapping, Node
from symgrad.formula.environment import BATCH_INDEX, Environment, Tensor
from symgrad.formula.expression import read_tree
from symgrad.formula.heads import Head, heads
from symgrad.formula.program import Recurrence, Statement
from symgrad.formula.scopes import Index, Sighting, check_index, subscripts
from symgrad.formula.syntax import Parsed, parse
from symgrad.formula.trees import placed
from symgrad.formula.vocabulary import KEEPING, REDUCTIONS


@dataclass
class Entry:
    """One statement under scan. `first` is None for a part of a step."""

    head: Head
    first: Parsed | None
    next: Parsed
    written: str

    @property
    def name(self) -> str:
        """The name that is defined."""
        return self.head.name

    @property
    def batched(self) -> bool:
        """Whether batch axes lead; the time index is the first one after them."""
        return self.head.indices[0].name == BATCH

    @property
    def time(self) -> Index:
        """The index that counts the steps."""
        return self.head.indices[int(self.batched)]

    @property
    def texts(self) -> list[Parsed]:
        """Its expressions."""
        return [p for p in (self.first, self.next) if p is not None]


def recurrence_entries(root: Mapping) -> list[Entry]:
    """The entries under `scan`, parsed."""
    if root.get("scan") is None:
        return []
    keys = [key for key, _ in section(root, "scan").items]
    return [_entry(left, key, node) for (left, node), key in zip(heads(root, "scan"), keys, strict=True)]


def _entry(left: Sequence[Head], key: Node, node: Node) -> Entry:
    head = left[0]
    if len(left) > 1:
        raise head.parsed.error("under scan each entry defines one name", head.parsed.root, help="write an entry each")
    if not [i for i in head.indices if i.name != BATCH]:
        mend = f"the first index counts the steps: {head.name}[t, j]: {{first: ..., next: ...}}"
        raise head.parsed.error(f"{head.name} has no index to run over", head.parsed.root, help=mend)
    if not isinstance(node, Mapping):
        text = words(node, head.name)
        return Entry(head, None, parse(text), text.value.strip())
    parts = fields(node, ("first", "next"), head.name)
    for part in ("first", "next"):
        if part not in parts:
            raise key.error(f"{head.name} has no {part}", help='write {first: "h0[j]", next: "a*h[t - 1, j]"}')
    first, following = (words(parts[part], f"{head.name}: {part}") for part in ("first", "next"))
    written = f"first {first.value.strip()}, next {following.value.strip()}"
    return Entry(head, parse(first), parse(following), written)


def read_recurrences(entries: Sequence[Entry], declared: Declarations) -> list[Statement]:
    """The statements of the entries; those that are no recurrence after all are ordinary statements."""
    if not entries:
        return []
    env = declared.env
    for e in entries:
        for i in e.head.indices:
            if isinstance(i.node, ast.Name):
                check_index(e.head.parsed, env, i.node)
        _check_indexed(e, env)
    work = _Scan(entries, env)
    for e in entries:
        env.tensors[e.name] = work.tensor(e)
    made = [work.statement(e) for e in entries]
    for e in entries:
        del env.later[e.name]
    out: list[Statement] = []
    for block in blocks(made):
        _check_finished(block, [s.name for s in out], entries)
        alone = len(block) == 1 and block[0].name not in block[0].body.tensors
        out += [replace(block[0], recurrence=None)] if alone else block
        if not alone:
            _check_one_time(block, entries)
    return out


def _check_indexed(e: Entry, env: Environment) -> None:
    """Refuse array notation: a step needs its number."""
    arrays = {n for n, t in env.tensors.items() if t.rank}
    for parsed in e.texts:
        nodes = list(ast.walk(parsed.root))
        bare = next((n for n in nodes if isinstance(n, ast.Name) and n.id in arrays), None)
        if bare is not None and not any(isinstance(n, ast.Subscript) for n in nodes):
            message = "a step is written with indices, not in array notation"
            mend = f"subscript every array, {e.name}[{e.time.name} - 1, ...] is the step before"
            raise parsed.error(message, bare, help=mend)


def _check_finished(block: Sequence[Statement], done: Sequence[str], entries: Sequence[Entry]) -> None:
    """A value over all steps of a recurrence stands behind it."""
    if block[0].recurrence is None:
        for e in entries:
            early = block[0].body.tensors & {x.name for x in entries} - set(done)
            if e.name == block[0].name and early:
                message = f"{e.name} reads all steps of {min(early)}, which reads {e.name} at each step"
                raise e.next.error(message, e.next.root, help=f"put {e.name} behind the recurrence")


def _check_one_time(block: Sequence[Statement], entries: Sequence[Entry]) -> None:
    """Statements that read one another across time count it with one index."""
    times = {s.name: s.recurrence.time for s in block if s.recurrence is not None}
    wanted = times[block[0].name]
    for e in entries:
        if times.get(e.name, wanted) is not wanted:
            other = f"{e.time.name} (of {e.name}) and {wanted.data} (of {block[0].name})"
            message = f"one recurrence runs over two indices: {other}"
            assert e.time.node is not None
            raise e.head.parsed.error(message, e.time.node, help=f"write {wanted.data}, with the same range")


class _Scan:
    """The entries of one formula: their ranges, then their bodies."""

    def __init__(self, entries: Sequence[Entry], env: Environment) -> None:
        self.entries, self.env = entries, env
        self.at = {e.name: k for k, e in enumerate(entries)}
        self.ranges: dict[tuple[str, str], Sighting] = {}
        while self.find_ranges():
            pass
        self.whole: set[str] = set()
        """Entries over finished states."""
        for e in entries:
            if self.is_whole(e):
                self.whole.add(e.name)

    # ---- ranges -----------------------------------------------------------------------------------------------------

    def find_ranges(self) -> bool:
        """Look for the ranges of left sides, also on the axes of states whose ranges are known; is any new?"""
        before = len(self.ranges)
        for e in self.entries:
            for i in e.head.indices:
                if i.name != BATCH and (e.name, i.name) not in self.ranges:
                    found = next(self.sightings(e, i), None)
                    if found is not None:
                        self.ranges[e.name, i.name] = found
        return len(self.ranges) > before

    def sightings(self, e: Entry, i: Index) -> Iterator[Sighting]:
        """The axes that an index of a left side subscripts bare."""
        if i.name in self.env.ranges:
            yield Sighting(self.env.ranges[i.name], Tensor("ranges", ()), i.node or e.head.parsed.root)
        for parsed in e.texts:
            for n in _free_accesses(parsed.root, i.name, frozenset()):
                assert isinstance(n.value, ast.Name)
                steps = self.time_axis(n.value.id) if i is e.time else None
                for k, s in enumerate(subscripts(n)):
                    if _is_step(s, i.name, 0) or (k == steps and _is_step(s, i.name, -1)):
                        yield from self.axis(n.value.id, k, s)

    def time_axis(self, name: str) -> int | None:
        """The axis of a state over which the recurrence runs."""
        return int(self.entries[self.at[name]].batched) if name in self.at else None

    def axis(self, name: str, k: int, node: ast.AST) -> Iterator[Sighting]:
        """What is known of an axis of a tensor."""
        tensor = self.env.tensors.get(name)
        if tensor is not None and int(tensor.batch) <= k < tensor.rank:
            yield Sighting(tensor.shape[k - int(tensor.batch)], tensor, node)
        elif name in self.at:
            other = self.entries[self.at[name]]
            known = self.ranges.get((name, other.head.indices[k].name)) if k < len(other.head.indices) else None
            if known is not None:
                yield Sighting(known.size, known.tensor, node)

    def tensor(self, e: Entry) -> Tensor:
        """The tensor of an entry; FormulaError where an index has no range."""
        for i in e.head.indices:
            if i.name != BATCH and (e.name, i.name) not in self.ranges:
                message = f"index {i.name} stands only on the left side: nothing on the right says its range"
                mend = f"say how far it runs under ranges, `{i.name}: n`"
                raise e.head.parsed.error(message, i.node or e.head.parsed.root, help=mend)
        return Tensor.of_indices(e.name, self.indices(e), "statement")

    def indices(self, e: Entry) -> tuple[Term, ...]:
        """The indices of the left side as terms."""
        names = [i.name for i in e.head.indices]
        return tuple(BATCH_INDEX if n == BATCH else idx(n, self.ranges[e.name, n].size) for n in names)

    # ---- bodies -----------------------------------------------------------------------------------------------------

    def statement(self, e: Entry) -> Statement:
        """where(t == 0, first, next)."""
        self.check_reads(e)
        indices = self.indices(e)
        time = indices[int(e.batched)]
        begin = compare("==", time, ZERO)
        if e.first is None:
            body = self.read(e, e.next, ())
        else:
            first = self.read(e, e.first, (begin,))
            if not first.tensors & self.at.keys():
                first = substitute(first, {time: ZERO})
            body = where(begin, first, self.read(e, e.next, (compare("<", ZERO, time),)))
        recurrence = None if e.name in self.whole else Recurrence(time)
        return Statement(e.name, indices, body, "let", e.next.text.place(), recurrence=recurrence)

    def read(self, e: Entry, parsed: Parsed, known: Sequence[Term]) -> Term:
        """One expression, where the conditions hold."""
        left = [Index(i.name, i.node, default=self.ranges.get((e.name, i.name)), side=i.side) for i in e.head.indices]
        self.env.current = e.name
        body = read_tree(parsed, self.env, left, known=known).body
        self.env.current = ""
        return body

    def check_reads(self, e: Entry) -> None:
        """`next` reads states at t - 1, and at t those written before it; `first` reads those at their first step."""
        if e.name in self.whole:
            return
        for parsed in e.texts:
            for n in ast.walk(parsed.root):
                if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and self.steps(n.value.id):
                    items = subscripts(n)
                    other = self.entries[self.at[n.value.id]]
                    if len(items) == len(other.head.indices):
                        item = items[int(other.batched)]
                        self.check_read(e, parsed, other, item)
                        if isinstance(item, ast.Constant):  # t is 0 there
                            _rename(n, item, e.time.name)

    def steps(self, name: str) -> bool:
        """Whether the name stands for something that is made step by step."""
        return name in self.at and name not in self.whole

    def is_whole(self, e: Entry) -> bool:
        """Whether an entry is one expression over states that are finished: it reads steps that are not its own."""
        if e.first is not None:
            return False
        own = []
        for n in ast.walk(e.next.root):
            if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and self.steps(n.value.id):
                item = subscripts(n)[self.time_axis(n.value.id) or 0]
                own.append(any(_is_step(item, e.time.name, k) for k in (0, -1)))
                if self.at[n.value.id] >= self.at[e.name]:
                    return False
        return not all(own)

    def check_read(self, e: Entry, parsed: Parsed, other: Entry, item: ast.expr) -> None:
        t, before = e.time.name, self.at[other.name] < self.at[e.name]
        if parsed is e.first:
            if not before:
                message = f"first of {e.name} cannot read {other.name}: nothing is known before the first step"
                raise parsed.error(message, item, help="read an input, a let, or a statement written before it")
            if not (_is_step(item, t, 0) or (isinstance(item, ast.Constant) and item.value == 0)):
                raise self.wrong_step(parsed, item, e, other, "at 0")
        elif not (_is_step(item, t, -1) or (before and _is_step(item, t, 0))):
            raise self.wrong_step(parsed, item, e, other, f"at {t} - 1" + (f" or {t}" if before else " only"))

    def second_index_counts(self, parsed: Parsed, e: Entry) -> bool:
        """Whether a state is read one step back along another index than the first."""
        others = [i.name for i in e.head.indices if i is not e.time]
        reads = [n for n in ast.walk(parsed.root) if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)]
        mine = [n for n in reads if isinstance(n.value, ast.Name) and n.value.id in self.at]
        return any(_is_step(s, i, -1) for n in mine for s in subscripts(n) for i in others)

    def wrong_step(self, parsed: Parsed, item: ast.expr, e: Entry, other: Entry, allowed: str) -> FormulaError:
        shown = parsed.source(item)
        t = e.time.name
        message = f"{e.name} reads {other.name} at {shown}; a recurrence reads it {allowed}"
        mend = "a step sees the step before it, and what is written before it in the same step"
        if self.second_index_counts(parsed, e):
            mend = f"the first index counts the steps, here {t}: put the index of time there"
        if _is_step(item, e.time.name, -2):
            mend = f"carry the older value along: `{other.name}1` with next `{other.name}[{e.time.name} - 1, ...]`"
        return parsed.error(message, item, help=mend)


def _is_step(item: ast.expr, time: str, offset: int) -> bool:
    """Whether a subscript is t, or t - k."""
    if isinstance(item, ast.Name):
        return item.id == time and offset == 0
    if not isinstance(item, ast.BinOp) or not isinstance(item.op, ast.Sub) or not isinstance(item.left, ast.Name):
        return False
    return item.left.id == time and isinstance(item.right, ast.Constant) and item.right.value == -offset


def _rename(access: ast.Subscript, item: ast.Constant, name: str) -> None:
    """Write a name in place of a constant subscript."""
    new = placed(ast.Name(name, ast.Load()), item)
    if isinstance(access.slice, ast.Tuple):
        access.slice.elts = [new if s is item else s for s in access.slice.elts]
    else:
        access.slice = new


def _free_accesses(n: ast.AST, name: str, bound: frozenset[str]) -> Iterator[ast.Subscript]:
    """Accesses in which the name is free: no reduction around them binds it."""
    if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and name not in bound:
        yield n
    inner = bound
    if (
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Name)
        and n.func.id in REDUCTIONS
        and n.func.id not in KEEPING
    ):
        over = [a.elts[0] if isinstance(a, ast.Tuple) and a.elts else a for a in n.args[1:]]
        inner = bound | {a.id for a in over if isinstance(a, ast.Name)}
    for c in ast.iter_child_nodes(n):
        yield from _free_accesses(c, name, inner)


__all__ = ["Entry", "read_recurrences", "recurrence_entries"]
