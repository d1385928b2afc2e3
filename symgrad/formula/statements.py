"""let, loss, output and expect: `name[indices]: expression`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace

from symgrad.algebra.build import add, mul
from symgrad.algebra.terms import MINUS_ONE, ZERO, Term, extent
from symgrad.errors import FormulaError, nearest
from symgrad.formula.arrays.notation import in_array_notation, notation_of
from symgrad.formula.arrays.shapes import Shape
from symgrad.formula.binding import Call
from symgrad.formula.composition import Composer
from symgrad.formula.declarations import Declarations, section, words
from symgrad.formula.document import Mapping, Node
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.expression import Reading, read_expression, read_tree
from symgrad.formula.heads import Head, heads, read_heads
from symgrad.formula.kinds import is_integer, is_position
from symgrad.formula.matrices import key_of
from symgrad.formula.names import identifier
from symgrad.formula.program import Expected, Statement
from symgrad.formula.recurrences import read_recurrences, recurrence_entries
from symgrad.formula.scopes import Index, check_index, check_rank
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


def _terms(indices: Sequence[Index]) -> tuple[Term, ...]:
    return tuple(i.term for i in indices if i.term is not None)


# ---- expect ---------------------------------------------------------------------------------------------------------


def read_expected(
    root: Mapping,
    declared: Declarations,
    statements: Statements,
    wrt: Sequence[str],
    directions: MappingOf[str, str],
) -> Iterator[Expected]:
    """Closed forms that the user expects; reads outside give 0 in them, cotangents and `directions` have names."""
    env = replace(declared.env, lenient=True, tensors=dict(declared.env.tensors), later={}, keep=None)
    for s in statements.items:
        if s.kind == "output":
            env.tensors[f"d{s.name}"] = Tensor.of_indices(f"d{s.name}", s.indices, "cotangent")
    for kind, left, node in _expected_heads(root):
        head, name = left[0], left[0].name
        if kind != "gradient":
            _declare_directions(env, kind, head, directions)
        if len(left) > 1:
            raise head.parsed.error("expect names one input an entry", head.parsed.root)
        i = declared.inputs.get(name)
        if i is None or name not in wrt:
            raise _no_gradient(head, declared, wrt)
        tensor = env.tensors[name]
        text = words(node, f"expect: {name}")
        if tensor.rank and not head.indices and in_array_notation(text, env):
            reading = read_expression(text, env, [], Shape.of(tensor))
            yield Expected(name, reading.free, reading.body, text.value.strip(), text.place(), kind)
            continue
        items = [ix.node for ix in head.indices if isinstance(ix.node, ast.expr)]
        check_rank(head.parsed, head.parsed.root, tensor, items)
        for index, size in zip(head.indices[int(i.batch) :], i.shape, strict=True):
            index.fixed = size
        reading = read_expression(text, env, head.indices)
        yield Expected(name, _terms(head.indices), reading.body, text.value.strip(), text.place(), kind)


_SECOND = re.compile(r"\s*(hvp|diagonal)\s+(?=[^\W\d])")


def _expected_heads(root: Mapping) -> Iterator[tuple[str, tuple[Head, ...], Node]]:
    """Kind and left side of each entry: `z[i, j]`, `hvp z[i, j]`, `diagonal z[i, j]`."""
    for key, node in section(root, "expect").items if root.get("expect") is not None else ():
        found = _SECOND.match(key.text.value)
        text = key.text.tail(found.end()) if found else key.text
        yield found[1] if found else "gradient", read_heads(text, "expect"), node


def _declare_directions(env: Environment, kind: str, head: Head, directions: MappingOf[str, str]) -> None:
    """Names for the directions, of the shapes of their inputs."""
    if not directions:
        raise head.parsed.error(f"expect: {kind} is of a loss, and the formula is a layer", head.parsed.root)
    for name, v in directions.items():
        env.tensors[v] = replace(env.tensors[name], name=v, padded=False)


def _no_gradient(head: Head, declared: Declarations, wrt: Sequence[str]) -> FormulaError:
    name = head.name
    if name in declared.inputs:
        message = f"expect: {name} is not differentiated"
        return head.parsed.error(message, head.name_node, help="differentiated are " + ", ".join(wrt))
    close = nearest(name, wrt)
    mend = f"did you mean {close}?" if close else "the inputs that are differentiated are " + ", ".join(wrt)
    return head.parsed.error(f"expect: {name} is no input", head.name_node, help=mend)
