"""let, loss, output and expect: `name[indices]: expression`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.build import add
from symgrad.algebra.terms import BATCH, MINUS_ONE, ZERO, Term, extent
from symgrad.errors import FormulaError, nearest
from symgrad.formula.array_notation import in_array_notation
from symgrad.formula.array_shapes import Shape
from symgrad.formula.declarations import Declarations, section, words
from symgrad.formula.document import Mapping, Node
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.expression import read_expression
from symgrad.formula.grammar import is_batch
from symgrad.formula.kinds import is_integer
from symgrad.formula.names import identifier
from symgrad.formula.program import Expected, Statement
from symgrad.formula.scopes import Index, check_index, check_rank, subscripts
from symgrad.formula.source import Text
from symgrad.formula.syntax import Parsed, parse


@dataclass
class Head:
    """A left side."""

    name: str
    indices: list[Index]
    parsed: Parsed
    name_node: ast.Name


@dataclass
class Statements:
    """The statements of a formula, in order, and how they were written."""

    items: list[Statement] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)


def read_head(text: Text, what: str) -> Head:
    """`y[i, j]` -> name and indices; a bare name has none."""
    parsed = parse(text)
    n = parsed.root
    if isinstance(n, ast.Tuple):
        message = "several names on a left side belong to `use`, which is not yet known"
        raise parsed.error(message, n, help="write one entry for each name")
    if isinstance(n, ast.Name):
        return Head(n.id, [], parsed, n)
    if not (isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)):
        raise parsed.error(f"the left side of {what} is a name with indices", n, help="write y[i, j]: expression")
    indices: list[Index] = []
    for k, s in enumerate(subscripts(n)):
        name = s.id if isinstance(s, ast.Name) else BATCH if is_batch(s) else ""
        if not name:
            raise parsed.error("on the left side stand indices alone", s, help=f"write {n.value.id}[i, j]: expression")
        if name == BATCH and k:
            raise parsed.error("... stands for the leading batch axes and comes first", s)
        if any(i.name == name for i in indices):
            raise parsed.error(f"index {name} stands twice on the left side", s, help="use two indices")
        indices.append(Index(name, s, side=parsed))
    return Head(n.value.id, indices, parsed, n.value)


def heads(root: Mapping, key: str) -> list[tuple[Head, Node]]:
    """The left sides under `let`, `output` or `expect`."""
    return [(read_head(k.text, key), v) for k, v in section(root, key).items] if root.get(key) is not None else []


def read_statements(root: Mapping, declared: Declarations) -> Statements:
    """All statements; each sees the inputs and the statements before it."""
    env, out = declared.env, Statements()
    entries = [(h, v, "let") for h, v in heads(root, "let")] + [(h, v, "output") for h, v in heads(root, "output")]
    for head, _, kind in entries:
        _declare(head, kind, declared)
    for head, node, kind in entries:
        text = words(node, f"{head.name}")
        body, indices = _right_side(head, text, env)
        del env.later[head.name]
        _add(out, env, Statement(head.name, indices, body, kind, text.place()), text)
    loss = root.get("loss")
    if loss is not None:
        text = words(loss, "loss")
        reading = read_expression(text, env, None)
        name = next(
            n for n in ("loss", "loss_value", *(f"loss_{k}" for k in range(99))) if n not in declared.register.kinds
        )
        out.items.append(Statement(name, reading.free, reading.body, "loss", text.place()))
        out.written["loss"] = text.value.strip()
    return out


def _declare(head: Head, kind: str, declared: Declarations) -> None:
    text = head.parsed.text
    start, end = head.parsed.span(head.name_node)
    name = identifier(text, kind, start, end)
    declared.register.declare(name, "an output" if kind == "output" else "a let", text, start, end)
    declared.env.later[name] = text.where(start, end).line


def _right_side(head: Head, text: Text, env: Environment) -> tuple[Term, tuple[Term, ...]]:
    for index in head.indices:
        if isinstance(index.node, ast.Name):
            check_index(head.parsed, env, index.node)
    env.current = head.name
    reading = read_expression(text, env, head.indices)
    env.current = ""
    return reading.body, reading.free


def _terms(indices: Sequence[Index]) -> tuple[Term, ...]:
    return tuple(i.term for i in indices if i.term is not None)


def _add(out: Statements, env: Environment, s: Statement, text: Text) -> None:
    whole = is_integer(s.body, env)
    env.tensors[s.name] = Tensor.of_indices(s.name, s.indices, "statement", whole)
    if s.body.op == "red" and s.body.data == "argmax":
        top = add(extent(s.body.args[1]), MINUS_ONE)
        env.bounds = replace(env.bounds, tensors={**env.bounds.tensors, s.name: (ZERO, top)})
    out.items.append(s)
    out.written[s.name] = text.value.strip()


# ---- expect ---------------------------------------------------------------------------------------------------------


def read_expected(
    root: Mapping, declared: Declarations, statements: Statements, wrt: Sequence[str]
) -> Iterator[Expected]:
    """Closed forms that the user expects; reads outside give 0 in them, cotangents have names."""
    env = replace(declared.env, lenient=True, tensors=dict(declared.env.tensors), later={})
    for s in statements.items:
        if s.kind == "output":
            env.tensors[f"d{s.name}"] = Tensor.of_indices(f"d{s.name}", s.indices, "cotangent")
    for head, node in heads(root, "expect"):
        name = head.name
        i = declared.inputs.get(name)
        if i is None or name not in wrt:
            raise _no_gradient(head, declared, wrt)
        tensor = env.tensors[name]
        text = words(node, f"expect: {name}")
        if tensor.rank and not head.indices and in_array_notation(text, env):
            reading = read_expression(text, env, [], Shape.of(tensor))
            yield Expected(name, reading.free, reading.body, text.value.strip(), text.place())
            continue
        items = [ix.node for ix in head.indices if isinstance(ix.node, ast.expr)]
        check_rank(head.parsed, head.parsed.root, tensor, items)
        for index, size in zip(head.indices[int(i.batch) :], i.shape, strict=True):
            index.fixed = size
        reading = read_expression(text, env, head.indices)
        yield Expected(name, _terms(head.indices), reading.body, text.value.strip(), text.place())


def _no_gradient(head: Head, declared: Declarations, wrt: Sequence[str]) -> FormulaError:
    name = head.name
    if name in declared.inputs:
        message = f"expect: {name} is not differentiated"
        return head.parsed.error(message, head.name_node, help="differentiated are " + ", ".join(wrt))
    close = nearest(name, wrt)
    mend = f"did you mean {close}?" if close else "the inputs that are differentiated are " + ", ".join(wrt)
    return head.parsed.error(f"expect: {name} is no input", head.name_node, help=mend)
