"""Pass 1 over an expression: which name is which index, and how far each index runs.

The same name bound by two reductions is two indices, each with the range of the axes that it subscripts bare inside
of its own reduction.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.algebra.build import add, sub
from symgrad.algebra.terms import BATCH, ONE, ZERO, Term, extent, idx, is_num, value
from symgrad.errors import FormulaError
from symgrad.formula.environment import BATCH_INDEX, Environment, Tensor
from symgrad.formula.grammar import is_batch
from symgrad.formula.matrices import matrix_name, square, valued
from symgrad.formula.polynomial import same
from symgrad.formula.sizes import size_of
from symgrad.formula.syntax import Parsed, chain
from symgrad.formula.trees import called
from symgrad.formula.vocabulary import KEEPING, LANGUAGE, REDUCTIONS


@dataclass
class Sighting:
    """An axis that an index subscripts bare."""

    size: Term
    tensor: Tensor
    node: ast.AST


@dataclass
class Index:
    """One index of an expression; `term` and `value` (shifted by limits) are known once the expression is closed."""

    name: str
    node: ast.AST | None = None
    limits: tuple[Term, Term] | None = None
    seen: list[Sighting] = field(default_factory=list)
    fixed: Term | None = None
    """The extent that the left side gives it."""
    default: Sighting | None = None
    """The axis that gives a range to an index of a recurrence: its other expression, or a state, may show it."""
    term: Term | None = None
    value: Term | None = None
    side: Parsed | None = None
    """The left side, where the node stands there."""


@dataclass
class Scopes:
    """Indices of the nodes of one expression."""

    of: dict[int, Index] = field(default_factory=dict)
    bound: dict[int, list[Index]] = field(default_factory=dict)
    free: dict[str, Index] = field(default_factory=dict)


def resolve(parsed: Parsed, env: Environment, left: Sequence[Index] | None) -> Scopes:
    """Indices of an expression. `left`: those of the left side; None for a loss, whose free indices are the batch."""
    walker = _Walker(parsed, env, left)
    walker.walk(parsed.root, {i.name: i for i in left or ()})
    walker.close()
    return walker.scopes


class _Walker:
    def __init__(self, parsed: Parsed, env: Environment, left: Sequence[Index] | None) -> None:
        self.parsed, self.env, self.left = parsed, env, left
        self.scopes = Scopes(free={i.name: i for i in left or ()})
        self.binders = bound_names(parsed.root)

    def walk(self, n: ast.AST, scope: Mapping[str, Index]) -> None:
        if isinstance(n, ast.Name) or is_batch(n):
            self.name(n, scope)
        elif isinstance(n, ast.Subscript):
            self.subscript(n, scope)
        elif isinstance(n, ast.Call):
            self.call(n, scope)
        elif isinstance(n, ast.BinOp):
            for _, operand, _ in chain(n):
                self.walk(operand, scope)
        else:
            for c in ast.iter_child_nodes(n):
                self.walk(c, scope)

    def name(self, n: ast.AST, scope: Mapping[str, Index]) -> None:
        name = n.id if isinstance(n, ast.Name) else BATCH
        if name in scope:
            self.scopes.of[id(n)] = scope[name]
            return
        env = self.env
        if name in env.tensors and env.tensors[name].rank:
            raise bare(self.parsed, n, env.tensors[name])
        if name in LANGUAGE or name in env.tensors or name in env.parameters:
            return
        if name in env.dims and name not in env.ranges:
            if name in self.binders:
                message = f"{name} is a dimension here and the index of a reduction elsewhere in this expression"
                raise self.parsed.error(message, n, help="give the index another name")
            return
        if name in env.later:
            raise env.undeclared(self.parsed, n, name)
        if name.startswith("_"):
            raise env.undeclared(self.parsed, n, name)
        index = self.scopes.free.setdefault(name, Index(name, n))
        self.scopes.of[id(n)] = index

    def subscript(self, n: ast.Subscript, scope: Mapping[str, Index]) -> None:
        tensor = self.matrix(n.value)
        if tensor is None and not isinstance(n.value, ast.Name):
            self.walk(n.value, scope)
            self.walk(n.slice, scope)
            return
        if tensor is None:
            assert isinstance(n.value, ast.Name)
            tensor = self.env.tensors.get(n.value.id)
            if tensor is None:
                raise self.no_tensor(n.value, n.value.id, scope)
        items = subscripts(n)
        for s in items:
            self.walk(s, scope)
            self.check_linear(s)
        check_rank(self.parsed, n, tensor, items)
        self.note_letters(tensor.name, items)
        for s, size in zip(items[int(tensor.batch) :], tensor.shape, strict=True):
            index = self.scopes.of.get(id(s)) if isinstance(s, ast.Name) else None
            if index is not None:
                index.seen.append(Sighting(size, tensor, s))

    def matrix(self, n: ast.expr) -> Tensor | None:
        """The array that a call such as inv(A) gives."""
        tensor = self.env.tensors.get(matrix_name(n))
        return valued(called(n), tensor) if tensor is not None and square(tensor, self.env) else None

    def check_linear(self, s: ast.expr) -> None:
        """Refuse products of indices before anything asks for their ranges."""
        for n in ast.walk(s):
            if not isinstance(n, ast.BinOp):
                continue
            both = isinstance(n.op, ast.Mult) and self.moves(n.left) and self.moves(n.right)
            if both or (isinstance(n.op, ast.Pow) and self.moves(n)):
                raise not_affine(self.parsed, s)

    def moves(self, n: ast.expr) -> bool:
        """Whether an index enters the expression outside of an access."""
        if isinstance(n, ast.Subscript):
            return False
        return id(n) in self.scopes.of or any(self.moves(c) for c in ast.iter_child_nodes(n) if isinstance(c, ast.expr))

    def no_tensor(self, n: ast.Name, name: str, scope: Mapping[str, Index]) -> FormulaError:
        if name in scope or name in self.env.dims or name in self.env.parameters:
            what = "an index" if name in scope else "a dimension" if name in self.env.dims else "a parameter"
            return self.parsed.error(f"{name} is {what} and has no axes to subscript", n)
        if name in LANGUAGE:
            return self.parsed.error(f"{name} is a word of the language and has no axes to subscript", n)
        return self.env.undeclared(self.parsed, n, name, subscripted=True)

    def note_letters(self, name: str, items: Sequence[ast.expr]) -> None:
        letters = tuple(
            s.id if isinstance(s, ast.Name) else BATCH for s in items if isinstance(s, ast.Name) or is_batch(s)
        )
        if len(letters) == len(items) == len(set(letters)):
            self.env.letters.setdefault(name, letters)

    def call(self, n: ast.Call, scope: Mapping[str, Index]) -> None:
        name = called(n)
        if self.matrix(n) is not None:
            return
        if name not in REDUCTIONS or name in KEEPING:
            for a in n.args:
                self.walk(a, scope)
            return
        inner = dict(scope)
        bound: list[Index] = []
        for a in n.args[1:]:
            index = self.binder(a, scope)
            if any(index.name == b.name for b in bound):
                raise self.parsed.error(f"index {index.name} stands twice in one {name}", a)
            bound.append(index)
            inner[index.name] = index
        self.walk(n.args[0], inner)
        self.scopes.bound[id(n)] = bound

    def binder(self, a: ast.expr, scope: Mapping[str, Index]) -> Index:
        if is_batch(a):
            return Index(BATCH, a)
        node: ast.expr = a.elts[0] if isinstance(a, ast.Tuple) else a
        assert isinstance(node, ast.Name)
        check_index(self.parsed, self.env, node)
        index = Index(node.id, node)
        if isinstance(a, ast.Tuple):
            self.check_limits(a, node.id, scope)
            low, high = (size_of(self.parsed, e, self.env, "a limit") for e in a.elts[1:])
            count = sub(add(high, ONE), low)
            if is_num(count) and value(count) < 0:
                raise self.parsed.error(f"the limits of {node.id} leave nothing to run over", a)
            index.limits = (low, count)
        return index

    def check_limits(self, a: ast.Tuple, name: str, scope: Mapping[str, Index]) -> None:
        """Refuse limits that depend on another index."""
        for n in (n for e in a.elts[1:] for n in ast.walk(e) if isinstance(n, ast.Name)):
            if n.id in scope or n.id in self.env.ranges:
                mend = f"let {name} run over its axis and mask the value: Sum(where({name} <= {n.id}, e, 0), {name})"
                raise self.parsed.error(f"a limit cannot depend on the index {n.id}", n, help=mend)

    def close(self) -> None:
        """Fix the extents of all indices."""
        for index in self.scopes.free.values():
            if self.left is not None and all(index is not i for i in self.left):
                raise self.not_left(index)
        every = [i for bound in self.scopes.bound.values() for i in bound] + list(self.scopes.free.values())
        for index in every:
            size = self.extent(index, [i for i in every if i.name == index.name])
            low = index.limits[0] if index.limits is not None else ZERO
            index.term = BATCH_INDEX if index.name == BATCH else idx(index.name, size)
            index.value = add(index.term, low)
        for index in sorted(every, key=_appearance):
            if index.name != BATCH and index.term is not None and not self.env.lenient:
                self.env.indices.setdefault((index.name, extent(index.term)))

    def not_left(self, index: Index) -> FormulaError:
        node = index.node or self.parsed.root
        if not index.seen and index.name not in self.env.ranges and index.name != BATCH:
            return self.env.undeclared(self.parsed, node, index.name)
        mend = f"sum over it, Sum(..., {index.name}), or write it on the left side"
        return self.parsed.error(
            f"index {index.name} is free here but does not stand on the left side", node, help=mend
        )

    def extent(self, index: Index, namesakes: Sequence[Index]) -> Term:
        """How far an index runs: limits, left side, `ranges`, axes that it or a namesake subscripts bare."""
        env = self.env
        if index.name == BATCH:
            if not env.has_batch:
                raise (index.side or self.parsed).error("no input has batch axes (...)", index.node or self.parsed.root)
            return ZERO
        if index.limits is not None:
            return index.limits[1]
        if index.fixed is not None:
            return index.fixed
        if index.name in env.ranges:
            return env.ranges[index.name]
        seen = index.seen or [s for i in namesakes if i.limits is None for s in i.seen]
        if index.default is not None:
            seen = [index.default, *seen]
        if not seen:
            raise self.no_range(index)
        first = seen[0]
        for s in seen[1:]:
            if not same(first.size, s.size, env.bounds.equations) and not env.lenient:
                raise self.two_ranges(index, first, s)
        return first.size

    def no_range(self, index: Index) -> FormulaError:
        node, name = index.node, index.name
        if node is None:
            node = self.parsed.root
        if self.left is None and name not in self.binders:
            return self.env.undeclared(self.parsed, node, name)
        if any(index is i for i in self.left or ()):
            message = f"index {name} stands only on the left side: nothing on the right says its range"
        else:
            message = f"index {name} has no range: it subscripts no axis bare"
        mend = f"say how far it runs under ranges, `{name}: n`, or with limits, Sum(e, ({name}, 0, n - 1))"
        return (index.side or self.parsed).error(message, node, help=mend)

    def two_ranges(self, index: Index, a: Sighting, b: Sighting) -> FormulaError:
        one = f"{a.size} (from {a.tensor.name})"
        two = f"{b.size} (from {b.tensor.name})"
        mend = f"give {b.tensor.name} the shape {_with(b.tensor, b.size, a.size)}, or use another index"
        if a.tensor.name == b.tensor.name:
            mend = "use another index"
        said = f"index {index.name} has two ranges: {one} and {two}"
        note = f"{b.tensor.name} has shape {b.tensor.shown()}"
        if a is index.default:
            return self.parsed.error(said, b.node, help=mend, note=note)
        place = self.parsed.text.where(*self.parsed.span(a.node))
        if place.line != self.parsed.text.where(*self.parsed.span(b.node)).line:
            said += f"; the first in line {place.line}"
        return self.parsed.error(said, b.node, help=mend, note=note)


def not_affine(parsed: Parsed, s: ast.AST) -> FormulaError:
    """The error for a subscript such as i*j."""
    mend = "sums of indices with integers, int parameters and dimensions as coefficients, k//w, k % w, or z[i, t[i]]"
    return parsed.error(f"the subscript {parsed.source(s)} is not affine in its indices", s, help=mend)


def _appearance(index: Index) -> tuple[bool, int]:
    """Left sides first, then the order of the text."""
    nodes = [s.node for s in index.seen] + ([index.node] if index.node is not None and index.side is None else [])
    return index.side is None, min((getattr(n, "col_offset", 0) for n in nodes), default=0)


def _with(tensor: Tensor, old: Term, new: Term) -> str:
    sizes = [new if s is old else s for s in tensor.shape]
    return "[" + ", ".join((["..."] if tensor.batch else []) + [str(s) for s in sizes]) + "]"


def bound_names(root: ast.AST) -> set[str]:
    """Names that a reduction in the expression binds."""
    calls = [
        n
        for n in ast.walk(root)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in REDUCTIONS
    ]
    heads = [a.elts[0] if isinstance(a, ast.Tuple) and a.elts else a for n in calls for a in n.args[1:]]
    return {a.id for a in heads if isinstance(a, ast.Name)}


def subscripts(n: ast.Subscript) -> list[ast.expr]:
    """The subscripts of an access."""
    return list(n.slice.elts) if isinstance(n.slice, ast.Tuple) else [n.slice]


def check_rank(parsed: Parsed, n: ast.AST, tensor: Tensor, items: Sequence[ast.expr]) -> None:
    """As many subscripts as axes; `...` first, exactly where the tensor has batch axes."""
    dots = [k for k, s in enumerate(items) if is_batch(s)]
    name, shape = tensor.name, tensor.shown()
    if dots and (dots != [0] or not tensor.batch):
        message = f"... stands for the batch axes and comes first: {name} has shape {shape}"
        raise parsed.error(message, items[dots[-1]])
    if len(items) != tensor.rank or (tensor.batch and not dots):
        axes = f"{tensor.rank} ax{'i' if tensor.rank == 1 else 'e'}s"
        missing = ", ... among them" if tensor.batch and not dots else ""
        given = f"{len(items)} subscript{'' if len(items) == 1 else 's'}"
        raise parsed.error(f"{name} has {axes}, {shape}{missing}; {given} given", n, note=f"{name} has shape {shape}")


def bare(parsed: Parsed, node: ast.AST, tensor: Tensor) -> FormulaError:
    """The error for the name of an array where one number is expected."""
    note = f"{tensor.name} has shape {tensor.shown()}"
    mend = f"write {subscripted(tensor)}"
    return parsed.error(f"{tensor.name} stands without subscripts", node, help=mend, note=note)


def subscripted(tensor: Tensor, left: Sequence[Index] = ()) -> str:
    """An access to show in a message, with the indices of the left side where they fit: x[i, j]."""
    letters = ([BATCH] if tensor.batch else []) + list("ijklmpqrs"[: len(tensor.shape)])
    if len(left) == len(letters):
        letters = [i.name for i in left]
    return f"{tensor.name}[{', '.join(letters)}]"


def check_index(parsed: Parsed, env: Environment, node: ast.Name) -> None:
    """Whether a name may be an index."""
    name = node.id
    if name in env.tensors or name in env.parameters or name in env.later:
        what = (
            "a parameter" if name in env.parameters else "a statement" if name in env.later else "an input or statement"
        )
        raise parsed.error(f"{name} is {what} and cannot be an index", node, help="give the index another name")
    if name in LANGUAGE or name.startswith("_"):
        raise parsed.error(
            f"{name} cannot be the name of an index", node, help="letters, digits and _, no word of the language"
        )
