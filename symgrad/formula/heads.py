"""Left sides: `y[i, j]`, a bare name, or the several names that receive the outputs of a used formula."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from symgrad.algebra.terms import BATCH
from symgrad.formula.declarations import section
from symgrad.formula.document import Mapping, Node
from symgrad.formula.grammar import is_batch
from symgrad.formula.scopes import Index, subscripts
from symgrad.formula.source import Text
from symgrad.formula.syntax import Parsed, parse


@dataclass
class Head:
    """A left side."""

    name: str
    indices: list[Index]
    parsed: Parsed
    name_node: ast.Name


def read_heads(text: Text, what: str) -> tuple[Head, ...]:
    """`y[i, j]` -> name and indices; a bare name has none; `h, c` receive several outputs."""
    parsed = parse(text)
    n = parsed.root
    if isinstance(n, ast.Tuple) and n.elts and all(isinstance(e, ast.Name) for e in n.elts):
        return tuple(Head(e.id, [], parsed, e) for e in n.elts if isinstance(e, ast.Name))
    if isinstance(n, ast.Name):
        return (Head(n.id, [], parsed, n),)
    if not (isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)):
        raise parsed.error(f"the left side of {what} is a name with indices", n, help="write y[i, j]: expression")
    return (Head(n.value.id, _left_indices(parsed, n, n.value.id), parsed, n.value),)


def _left_indices(parsed: Parsed, n: ast.Subscript, owner: str) -> list[Index]:
    indices: list[Index] = []
    for k, s in enumerate(subscripts(n)):
        name = s.id if isinstance(s, ast.Name) else BATCH if is_batch(s) else ""
        if not name:
            raise parsed.error("on the left side stand indices alone", s, help=f"write {owner}[i, j]: expression")
        if name == BATCH and k:
            raise parsed.error("... stands for the leading batch axes and comes first", s)
        if any(i.name == name for i in indices):
            raise parsed.error(f"index {name} stands twice on the left side", s, help="use two indices")
        indices.append(Index(name, s, side=parsed))
    return indices


def heads(root: Mapping, key: str) -> list[tuple[tuple[Head, ...], Node]]:
    """The left sides under `let`, `output` or `expect`."""
    return [(read_heads(k.text, key), v) for k, v in section(root, key).items] if root.get(key) is not None else []
