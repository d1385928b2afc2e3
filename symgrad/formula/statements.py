"""let, loss and output: `name[indices]: expression`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.build import add, mul
from symgrad.algebra.terms import MINUS_ONE, ZERO, extent
from symgrad.formula.arrays.notation import notation_of
from symgrad.formula.binding import Call
from symgrad.formula.composition import Composer
from symgrad.formula.declarations import Declarations, words
from symgrad.formula.document import Mapping
from symgrad.formula.environment import Tensor
from symgrad.formula.expression import Reading, read_tree
from symgrad.formula.heads import Head, heads
from symgrad.formula.kinds import is_integer, is_position
from symgrad.formula.matrices import key_of
from symgrad.formula.names import identifier
from symgrad.formula.program import Statement
from symgrad.formula.recurrences import read_recurrences, recurrence_entries
from symgrad.formula.scopes import check_index
from symgrad.formula.source import Text
from symgrad.formula.syntax import Parsed, parse


@dataclass
class Statements:
    """The statements of a formula, in order, and how they were written."""

    items: list[Statement] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    notations: set[str] = field(default_factory=set)
    """The notations that the file uses: array, index, or calls of used formulas."""

    @property
    def in_arrays(self) -> bool:
        """Whether all of the file is in array notation."""
        return "array" in self.notations and not self.notations & {"index", "use"}


def read_statements(root: Mapping, declared: Declarations) -> Statements:
    """All statements; each sees the inputs and the statements before it."""
    lets, outputs = ([(h, v, k) for h, v in heads(root, k)] for k in ("let", "output"))
    steps = recurrence_entries(root)
    declared.env.states = frozenset(e.head.name for e in steps)
    for heads_, kind in [*((h, k) for h, _, k in lets), *(((e.head,), "let") for e in steps)]:
        for head in heads_:
            _declare(head, kind, declared)
    for left, _, kind in outputs:
        for head in left:
            _declare(head, kind, declared)
    work = _Assembly(declared)
    for left, node, kind in lets:
        work.entry(left, words(node, left[0].name), kind)
    for s in read_recurrences(steps, declared):
        work.add(s)
    work.out.written |= {e.head.name: e.written for e in steps}
    for left, node, kind in outputs:
        work.entry(left, words(node, left[0].name), kind)
    loss = root.get("loss")
    if loss is not None:
        work.loss(words(loss, "loss"))
    return work.out


def _declare(head: Head, kind: str, declared: Declarations) -> None:
    text = head.parsed.text
    start, end = head.parsed.span(head.name_node)
    name = identifier(text, kind, start, end)
    declared.register.declare(name, "an output" if kind == "output" else "a let", text, start, end)
    declared.env.later[name] = text.where(start, end).line


class _Assembly:
    """Reads statements one after the other; those of used formulas stand before what calls them."""

    def __init__(self, declared: Declarations) -> None:
        self.env, self.out = declared.env, Statements()
        self.register = declared.register
        self.composer = Composer(declared.env, declared.register, self.add)
        self.env.keep = self.add

    def entry(self, left: Sequence[Head], text: Text, kind: str) -> None:
        """name[indices]: expression, or names: call of a used formula."""
        parsed = parse(text)
        call = self.composer.call_of(parsed)
        self.note(parsed, left)
        self.env.current = left[0].name
        if call is not None:
            _check_receivers(call, left)
            self.composer.receive(call, [h.name for h in left], kind, left[0].name)
        elif len(left) > 1:
            message = "several names on a left side receive the outputs of one used formula"
            raise left[0].parsed.error(message, left[0].parsed.root, help="write one entry for each name")
        else:
            reading = self.right_side(left[0], self.composer.without_calls(parsed, left[0].name))
            self.add(Statement(left[0].name, reading.free, reading.body, kind, text.place()))
        self.env.current = ""
        for head in left:
            del self.env.later[head.name]
            self.out.written[head.name] = text.value.strip()

    def note(self, parsed: Parsed, left: Sequence[Head]) -> None:
        """Keep in mind which notation a statement is in."""
        used = any(self.composer.is_call(parsed, n) for n in ast.walk(parsed.root))
        indexed = any(head.indices for head in left)
        self.out.notations.add("use" if used else "index" if indexed else notation_of(parsed, self.env))

    def right_side(self, head: Head, parsed: Parsed) -> Reading:
        for index in head.indices:
            if isinstance(index.node, ast.Name):
                check_index(head.parsed, self.env, index.node)
        return read_tree(parsed, self.env, head.indices)

    def loss(self, text: Text) -> None:
        """The loss; its free indices are the batch."""
        kinds = self.register.kinds
        name = next(n for n in ("loss", "loss_value", *(f"loss_{k}" for k in range(99))) if n not in kinds)
        parsed = parse(text)
        call = self.composer.call_of(parsed)
        self.note(parsed, ())
        if call is not None and len(call.program.outputs) == 1:
            self.composer.receive(call, [name], "loss", call.alias)
        else:
            reading = read_tree(self.composer.without_calls(parsed, name), self.env, None)
            self.out.items.append(Statement(name, reading.free, reading.body, "loss", text.place()))
        self.out.written["loss"] = text.value.strip()

    def add(self, s: Statement) -> None:
        """A statement, which those after it can read."""
        env = self.env
        self.out.items.append(s)
        if s.kind == "loss":
            return
        env.tensors[s.name] = Tensor.of_indices(s.name, s.indices, "statement", is_integer(s.body, env))
        env.arrays.setdefault(key_of(s.indices, s.body), s.name)
        if is_position(s.body):
            top = add(mul(*(extent(v) for v in s.body.args[1:])), MINUS_ONE)
            env.bounds = replace(env.bounds, tensors={**env.bounds.tensors, s.name: (ZERO, top)})


def _check_receivers(call: Call, left: Sequence[Head]) -> None:
    outputs = call.program.outputs
    if len(outputs) != len(left):
        names = ", ".join(s.name for s in outputs)
        given = f"{len(outputs)} output{'' if len(outputs) == 1 else 's'} ({names})"
        message = f"{call.alias} has {given}, and {len(left)} name{' is' if len(left) == 1 else 's are'} given"
        raise left[0].parsed.error(message, left[0].parsed.root, help=f"write `{names}: {call.signature}`")
    if left[0].indices:
        message = "a used formula gives a whole array: the left side is a bare name"
        raise left[0].parsed.error(message, left[0].parsed.root, help=f"write {left[0].name}: {call.signature}")
