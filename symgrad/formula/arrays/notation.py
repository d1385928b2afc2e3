"""Array notation (`x @ W.T + b`, `Sum(x, axis=0)`): which expressions are in it, and the index notation they mean.

Where no index is written, names of arrays stand for all of their elements. A statement is in one notation; `norm`,
`trace` and used formulas take whole arrays beside indices too.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.terms import BATCH
from symgrad.errors import FormulaError
from symgrad.formula.arrays.shapes import Clash, Shape, broadcast
from symgrad.formula.arrays.writer import Writer
from symgrad.formula.environment import Environment
from symgrad.formula.grammar import is_batch
from symgrad.formula.scopes import Index, bound_names, subscripted, subscripts
from symgrad.formula.source import Text
from symgrad.formula.syntax import Parsed, parse
from symgrad.formula.trees import called, new_axes, option
from symgrad.formula.vocabulary import ARRANGING, MATRIX_FUNCTIONS, REDUCTIONS

ON_ARRAYS = MATRIX_FUNCTIONS | {"norm"}
"""Functions whose argument may be a whole array beside indices."""


@dataclass
class Marks:
    """What says in which notation an expression is, in the order of the text."""

    indices: list[ast.expr] = field(default_factory=list)
    arrays: list[ast.expr] = field(default_factory=list)
    islands: list[ast.expr] = field(default_factory=list)
    """Calls on whole arrays that stand alone: norm(A @ x), transpose(A)[i, j]."""


@dataclass(frozen=True)
class Written:
    """An expression in index notation, with the names that its indices need."""

    parsed: Parsed
    env: Environment
    left: Sequence[Index] | None


def written_out(parsed: Parsed, env: Environment, left: Sequence[Index] | None, target: Shape | None = None) -> Written:
    """The expression in index notation, as it stands where it is so already.

    `left`: the indices of the left side; in array notation they are the axes of the value, which is then stretched to
    the `target`, where there is one.
    """
    marks = _Finder(env).find(parsed.root)
    if not marks.arrays and not marks.islands:
        return Written(parsed, env, left)
    if marks.arrays and (marks.indices or left):
        raise mixed(parsed, env, marks, left or ())
    writer = Writer(parsed, env)
    if marks.indices or left:
        root = _Islands(writer, marks.islands).expression(parsed.root)
        new = left
    else:
        shape = _whole(writer, parsed, target)
        subs = writer.axes(shape, parsed.root)
        root = writer.element(parsed.root, writer.fitted(parsed.root, shape, subs))
        new = [Index(s.id, fixed=writer.sizes[s.id]) if isinstance(s, ast.Name) else Index(BATCH) for s in subs]
    return Written(Parsed(parsed.text, root), replace(env, ranges={**env.ranges, **writer.sizes}), new)


def in_array_notation(text: Text, env: Environment) -> bool:
    """Whether an expression stands for an array, or holds one that stands without indices."""
    marks = _Finder(env).find(parse(text).root)
    return bool((marks.arrays or marks.islands) and not marks.indices)


def notation_of(parsed: Parsed, env: Environment) -> str:
    """Which notation an expression is in: array, index, or none where it has neither arrays nor indices."""
    marks = _Finder(env).find(parsed.root)
    return "index" if marks.indices else "array" if marks.arrays or marks.islands else ""


def holds_indices(n: ast.expr, env: Environment) -> bool:
    """Whether an expression is in index notation."""
    return bool(_Finder(env).find(n).indices)


def _whole(writer: Writer, parsed: Parsed, target: Shape | None) -> Shape:
    """The shape of the value."""
    shape = writer.shape(parsed.root)
    if target is None:
        return shape
    joined = broadcast(target, shape, writer.env.bounds.equations)
    if isinstance(joined, Clash) or joined.rank != target.rank:
        message = f"the value has shape {shape.shown()}, and {target.shown()} is expected"
        raise parsed.error(message, parsed.root)
    return target


# ---- which notation --------------------------------------------------------------------------------------------------


class _Finder:
    """Collects the marks of an expression."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.known: dict[int, bool] = {}

    def find(self, root: ast.expr) -> Marks:
        marks = Marks()
        bound = bound_names(root)
        stack: list[ast.AST] = [root]
        while stack:
            n = stack.pop()
            if isinstance(n, ast.Name) and n.id in bound:
                marks.indices.append(n)
            elif isinstance(n, ast.Subscript):
                stack.extend(self.subscript(n, marks))
            elif isinstance(n, ast.Call):
                stack.extend(self.call(n, marks))
            else:
                self.mark(n, marks)
                stack.extend(reversed(list(ast.iter_child_nodes(n))))
        return marks

    def subscript(self, n: ast.Subscript, marks: Marks) -> list[ast.expr]:
        if new_axes(n) is not None:
            marks.arrays.append(n)
            return [n.value]
        island = self.is_island(n.value)
        if island:
            marks.islands.append(n)
        if island or not self.is_element(n):
            marks.indices.append(n)
        return [n.slice] if island or isinstance(n.value, ast.Name) else [n.slice, n.value]

    def call(self, n: ast.Call, marks: Marks) -> list[ast.expr]:
        if self.is_island(n):
            marks.islands.append(n)
            return []
        over = n.args[1:] if called(n) in REDUCTIONS else []
        marks.indices.extend(over[:1])
        if option(n, "axis") is not None or option(n, "keepdims") is not None or self.makes_array(n):
            marks.arrays.append(n)
        return n.args[:1] if over else n.args[::-1]

    def makes_array(self, n: ast.Call) -> bool:
        """Whether a call is one of a function of whole arrays."""
        name = called(n)
        return name in MATRIX_FUNCTIONS or (name in ARRANGING and name not in self.env.tensors)

    def is_island(self, n: ast.expr) -> bool:
        """Whether a node is a call on whole arrays: it holds an array and no index."""
        if not isinstance(n, ast.Call) or called(n) not in ON_ARRAYS or (called(n) in REDUCTIONS and n.args[1:]):
            return False
        if id(n) not in self.known:
            inside = [self.find(a) for a in n.args]
            holds = any(m.arrays or m.islands for m in inside)
            self.known[id(n)] = holds and not any(m.indices for m in inside)
        return self.known[id(n)]

    def mark(self, n: ast.AST, marks: Marks) -> None:
        if isinstance(n, ast.Name):
            tensor = self.env.tensors.get(n.id)
            if tensor is not None and tensor.rank:
                marks.arrays.append(n)
            elif tensor is None and n.id in self.env.ranges:
                marks.indices.append(n)
        elif isinstance(n, ast.Attribute) or (isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)):
            marks.arrays.append(n)

    def is_element(self, n: ast.Subscript) -> bool:
        """Whether an access names one element: b[0], b[d - 1]."""
        inside = [c for s in subscripts(n) for c in ast.walk(s)]
        names = {c.id for c in inside if isinstance(c, ast.Name)}
        fixed = (self.env.dims | set(self.env.parameters)) - set(self.env.ranges)
        return names <= fixed and not any(is_batch(c) for c in inside)


class _Islands(ast.NodeTransformer):
    """Writes out the calls on whole arrays in an expression that is in index notation."""

    def __init__(self, writer: Writer, islands: Sequence[ast.expr]) -> None:
        self.writer, self.islands = writer, {id(n): n for n in islands}

    def visit(self, node: ast.AST) -> ast.AST:
        island = self.islands.get(id(node))
        return self.generic_visit(node) if island is None else self.written(island)

    def expression(self, n: ast.expr) -> ast.expr:
        """The expression with its islands written out."""
        new = self.visit(n)
        assert isinstance(new, ast.expr)
        return new

    def written(self, n: ast.expr) -> ast.expr:
        """norm(A) or transpose(A)[i, j] in index notation."""
        value, subs = (n.value, subscripts(n)) if isinstance(n, ast.Subscript) else (n, [])
        shape, parsed = self.writer.shape(value), self.writer.parsed
        if shape.rank != len(subs):
            letters = ", ".join([BATCH] * shape.batch + list("ijklmpqrs"[: len(shape.sizes)]))
            given = f"{len(subs)} subscript{'' if len(subs) == 1 else 's'} given"
            message = f"{parsed.source(value)} has shape {shape.shown()}; {given}"
            mend = f"write {parsed.source(value)}[{letters}]" if shape.rank else "it is a scalar"
            raise parsed.error(message, n, help=mend)
        return self.writer.element(value, [self.expression(s) for s in subs])


# ---- messages --------------------------------------------------------------------------------------------------------


def mixed(parsed: Parsed, env: Environment, marks: Marks, left: Sequence[Index]) -> FormulaError:
    """The error for both notations in one statement."""
    names = [n for n in marks.arrays if isinstance(n, ast.Name)]
    beside = "the indices of the left side"
    if marks.indices:
        first = marks.indices[0]
        beside = ("the index " if isinstance(first, ast.Name) else "") + parsed.source(first)
    one = "a statement is in one notation"
    if names:
        tensor = env.tensors[names[0].id]
        shown = parsed.source(names[0])
        message = f"{shown} stands without subscripts beside {beside}: {one}"
        mend = f"write {shown}{subscripted(tensor, left).removeprefix(tensor.name)}"
        mend += "" if marks.indices else ", or leave the left side without indices"
        return parsed.error(
            message,
            names[0],
            help=mend,
            note=f"shape {tensor.shown()}" if shown != tensor.name else f"{tensor.name} has shape {tensor.shown()}",
        )
    message = f"{parsed.source(marks.arrays[0])} is array notation, beside {beside}: {one}"
    return parsed.error(message, marks.arrays[0], help="write the indices: Sum(a[i, k]*b[k, j], k)")
