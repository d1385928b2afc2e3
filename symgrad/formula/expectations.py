"""expect: `z[i, j]: expression`, closed forms that the user expects.

Of gradients `z[i, j]: ...`, of the second order `hvp z[i, j]: ...`, and of what flows back into a named value
`dh[t, j]: dy[t, j] + Sum(U[i, j]*da[t + 1, i], i)`: the gradient with respect to h, which other entries may use. Reads
outside give 0, so that a recurrence back through time needs no case for the last step.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import sub
from symgrad.algebra.terms import Term, coefficient, is_access, is_num, walk
from symgrad.errors import FormulaError, nearest
from symgrad.formula import document
from symgrad.formula.arrays.notation import in_array_notation
from symgrad.formula.arrays.shapes import Shape
from symgrad.formula.declarations import Declarations, section, words
from symgrad.formula.document import Node
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.expression import read_expression
from symgrad.formula.heads import Head, read_heads
from symgrad.formula.program import COTANGENT, Expected, Statement
from symgrad.formula.scopes import Index, check_rank
from symgrad.formula.source import Text

_SECOND = re.compile(r"\s*(hvp|diagonal)\s+(?=[^\W\d])")


@dataclass
class _Expectations:
    """The entries of one formula, read with the names of cotangents and directions."""

    declared: Declarations
    env: Environment
    wrt: Sequence[str]
    directions: Mapping[str, str]
    of: Mapping[str, str]
    """Name of a cotangent that an entry may define -> the statement that it belongs to."""


def read_expected(
    root: document.Mapping,
    declared: Declarations,
    statements: Sequence[Statement],
    wrt: Sequence[str],
    directions: Mapping[str, str],
) -> tuple[Expected, ...]:
    """What the user expects; cotangents and `directions` have names there."""
    env = replace(declared.env, lenient=True, tensors=dict(declared.env.tensors), later={}, keep=None)
    of = {f"d{s.name}": s.name for s in statements if s.kind == "let" and f"d{s.name}" not in env.known()}
    for s in statements:
        name = f"d{s.name}"
        if s.kind == "output" or name in of:
            env.tensors[name] = Tensor.of_indices(name, s.indices, "cotangent")
    work = _Expectations(declared, env, wrt, directions, of)
    read = [(head, _entry(work, kind, head, node)) for kind, head, node in _entries(root)]
    _check_defined([(h, e) for h, e in read if e.kind == COTANGENT])
    return tuple(e for _, e in read)


def _entries(root: document.Mapping) -> Iterator[tuple[str, Head, Node]]:
    """Kind, left side and right side of each entry: `z[i, j]`, `hvp z[i, j]`, `diagonal z[i, j]`."""
    for key, node in section(root, "expect").items if root.get("expect") is not None else ():
        found = _SECOND.match(key.text.value)
        text = key.text.tail(found.end()) if found else key.text
        left = read_heads(text, "expect")
        if len(left) > 1:
            raise left[0].parsed.error("expect names one input an entry", left[0].parsed.root)
        yield found[1] if found else "gradient", left[0], node


def _entry(work: _Expectations, kind: str, head: Head, node: Node) -> Expected:
    if kind != "gradient":
        _declare_directions(work, kind, head)
    elif head.name in work.of:
        kind = COTANGENT
    elif head.name not in work.declared.inputs or head.name not in work.wrt:
        raise _no_gradient(head, work)
    text = words(node, f"expect: {head.name}")
    tensor = work.env.tensors[head.name]
    if tensor.rank and not head.indices and in_array_notation(text, work.env):
        reading = read_expression(text, work.env, [], Shape.of(tensor))
        return _expected(work, kind, head, reading.free, reading.body, text)
    items = [ix.node for ix in head.indices if isinstance(ix.node, ast.expr)]
    check_rank(head.parsed, head.parsed.root, tensor, items)
    for index, size in zip(head.indices[int(tensor.batch) :], tensor.shape, strict=True):
        index.fixed = size
    body = read_expression(text, work.env, head.indices).body
    return _expected(work, kind, head, _terms(head.indices), body, text)


def _expected(
    work: _Expectations, kind: str, head: Head, indices: tuple[Term, ...], body: Term, text: Text
) -> Expected:
    of = work.of[head.name] if kind == COTANGENT else head.name
    return Expected(of, indices, body, text.value.strip(), text.place(), kind)


def _terms(indices: Sequence[Index]) -> tuple[Term, ...]:
    return tuple(i.term for i in indices if i.term is not None)


def _declare_directions(work: _Expectations, kind: str, head: Head) -> None:
    """Names for the directions, of the shapes of their inputs."""
    if not work.directions:
        raise head.parsed.error(f"expect: {kind} is of a loss, and the formula is a layer", head.parsed.root)
    if head.name not in work.declared.inputs or head.name not in work.wrt:
        raise _no_gradient(head, work)
    for name, v in work.directions.items():
        work.env.tensors[v] = replace(work.env.tensors[name], name=v, padded=False)


def _no_gradient(head: Head, work: _Expectations) -> FormulaError:
    name, wrt = head.name, list(work.wrt)
    if name in work.declared.inputs:
        message = f"expect: {name} is not differentiated"
        return head.parsed.error(message, head.name_node, help="differentiated are " + ", ".join(wrt))
    if f"d{name}" in work.of:
        message = f"expect: {name} is a value of the formula, not an input"
        return head.parsed.error(message, head.name_node, help=f"what flows back into it is d{name}[...]: expression")
    close = nearest(name, [*wrt, *work.of])
    mend = f"did you mean {close}?" if close else "the inputs that are differentiated are " + ", ".join(wrt)
    if not close and work.of:
        mend += f"; what flows back into a named value is {', '.join(work.of)}"
    return head.parsed.error(f"expect: {name} is no input", head.name_node, help=mend)


def _check_defined(entries: Sequence[tuple[Head, Expected]]) -> None:
    """FormulaError where what flows back is expected in terms of itself, and no step of time lies between."""
    now = {e.key: _read_now(e) for _, e in entries}
    for head, e in entries:
        reached, queue = set(), [*now[e.key]]
        while queue:
            name = queue.pop()
            if name not in reached:
                reached.add(name)
                queue += now.get(name, ())
        if e.key in reached:
            first = e.indices[0].data if e.indices else "t"
            message = f"expect: {e.key} is expected in terms of itself: that holds of anything"
            mend = f"a recurrence back through time reads the step after: {e.key}[{first} + 1, ...]"
            raise head.parsed.error(message, head.name_node, help=mend)


def _read_now(e: Expected) -> list[str]:
    """What the right side reads, but at a later step than its own."""
    reads = (t for t in walk(e.body) if is_access(t))
    return sorted({str(t.data) for t in reads if not any(_is_later(a, e.indices) for a in t.args)})


def _is_later(subscript: Term, own: Sequence[Term]) -> bool:
    steps = [sub(subscript, i) for i in own if i in subscript.free]
    return any(is_num(s) and coefficient(s)[0] > 0 for s in steps)


__all__ = ["read_expected"]
