"""Closed forms in array notation: 2*A.T @ (A @ x - b), with the definitions that they need; proven, or none.

The gradient has the shape of its input (denominator layout): its element i, j is dL/dX[i, j].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from symgrad.algebra.build import Fresh, substitute
from symgrad.algebra.terms import BATCH, Term, dim, extent
from symgrad.closing.array_build import MOST_PARTS, Builder
from symgrad.closing.array_proof import same
from symgrad.closing.array_tree import Tree
from symgrad.closing.closed import Definition, Gradient
from symgrad.closing.unfold import unfold
from symgrad.errors import SymgradError
from symgrad.formula.program import Formula, Program, Statement

if TYPE_CHECKING:
    from symgrad.formula.environment import Environment


@dataclass(frozen=True)
class ArrayDefinition:
    """name = body, in array notation."""

    name: str
    body: Tree
    introduced: bool


@dataclass(frozen=True)
class ArrayForm:
    """The closed form of a gradient in array notation."""

    input: str
    closed: Tree
    where: tuple[ArrayDefinition, ...]
    missing: bool = False
    """Whether a name of the formula's own has a definition that array notation cannot say."""

    @property
    def text(self) -> str:
        """The closed form in the formula language."""
        return self.closed.text

    @property
    def definitions(self) -> dict[str, str]:
        """Name -> its definition."""
        return {d.name: d.body.text for d in self.where}

    @property
    def length(self) -> int:
        """Characters, introduced definitions included."""
        return self.closed.cost + sum(d.body.cost + len(d.name) for d in self.where if d.introduced)


def array_form(formula: Formula, g: Gradient, wide: bool = True) -> ArrayForm | None:
    """The gradient in array notation; None where that cannot say it, or where reading it back proves nothing.

    Without `wide` only what SPEC's language has: no outer, diag and eye.
    """
    if g.closed.size > MOST_PARTS:
        return None
    introduced = {d.name: Statement(d.name, d.indices, d.body, "adjoint") for d in g.where if d.introduced}
    closed, where = g.closed, g.where
    found = []
    for names in ({}, introduced) if introduced else ({},):
        if names:
            closed = unfold(g.closed, names, Fresh())
            where = tuple(d for d in g.where if not d.introduced)
        form = _Page(formula, g, where, wide).form(closed, where)
        if form is not None:
            found.append(form)
    return min(found, key=lambda f: f.length, default=None)


@dataclass(frozen=True)
class Written:
    """A gradient in array notation: as `closed` of a formula that is in array notation itself, and as a companion."""

    closed: ArrayForm | None
    matrix: ArrayForm | None


def written(formula: Formula, g: Gradient) -> Written:
    """The gradient in array notation. `closed`: in the language of SPEC alone, all of its names defined."""
    key = (formula.in_arrays, g.closed, g.indices, tuple((d.name, d.body) for d in g.where))
    memo = _written.setdefault(formula.program, {})
    if key not in memo:
        memo[key] = _write(formula, g)
    return memo[key]


_written: WeakKeyDictionary[Program, dict[object, Written]] = WeakKeyDictionary()


def _write(formula: Formula, g: Gradient) -> Written:
    if not g.indices:
        return Written(None, None)
    matrix = array_form(formula, g)
    closed = array_form(formula, g, wide=False) if formula.in_arrays else None
    if closed is not None and closed.missing:
        closed = None
    return Written(closed, matrix or closed)


class _Page:
    """A closed form with its definitions: what its names stand for."""

    def __init__(self, formula: Formula, g: Gradient, where: Sequence[Definition], wide: bool) -> None:
        program = formula.program
        self.program, self.g = program, g
        self.own = frozenset(formula.written)
        self.signatures: dict[str, tuple[Term, ...]] = {d.name: d.indices for d in where}
        if not program.is_loss:
            self.signatures |= {f"d{s.name}": s.indices for s in program.outputs}
        self.builder = Builder(_shapes(program, self.signatures), wide)
        self.where = where

    def form(self, closed: Term, where: Sequence[Definition]) -> ArrayForm | None:
        """The whole, each part proven; a definition of the formula's own that array notation cannot say stays out."""
        self.inline_arguments(where)
        tree = self.proven(closed, self.g.indices)
        if tree is None:
            return None
        used, missing = tree.names, False
        definitions: list[ArrayDefinition] = []
        for d in reversed(where):
            if d.name not in used:
                continue
            body = self.proven(d.body, d.indices)
            if body is None and d.introduced:
                return None
            if body is not None:
                used = used | body.names
                definitions.append(ArrayDefinition(d.name, body, d.introduced))
            missing = missing or body is None
        return ArrayForm(self.g.input, tree, tuple(reversed(definitions)), missing)

    def inline_arguments(self, where: Sequence[Definition]) -> None:
        """Arguments of matrix functions that symgrad gave a name are written out: inv(X.T @ X)."""
        for d in where:
            if d.introduced or d.name not in self.own:
                body = self.proven(d.body, d.indices)
                if body is not None:
                    self.builder.inline[d.name] = body

    def proven(self, t: Term, indices: tuple[Term, ...]) -> Tree | None:
        """The term in array notation, where reading its text gives the term back."""
        if len(set(indices)) < len(indices) or not t.free <= set(indices):
            return None
        tree = self.builder.element(t, indices)
        if tree is None:
            return None
        again = self.read(tree.text, indices)
        return tree if again is not None and same(again, t) else None

    def read(self, text: str, indices: tuple[Term, ...]) -> Term | None:
        """What a text in array notation means, over these indices."""
        from symgrad.formula.array_shapes import Shape
        from symgrad.formula.expression import read_expression
        from symgrad.formula.source import loose

        batch = bool(indices) and indices[0].data == BATCH
        shape = Shape(tuple(extent(i) for i in indices[int(batch) :]), batch)
        try:
            reading = read_expression(loose(text), self.environment(), [], shape)
        except SymgradError:
            return None
        free = reading.free
        if len(free) != len(indices):
            return reading.body if not reading.body.free else None
        return substitute(reading.body, dict(zip(free, indices, strict=True)))

    def environment(self) -> Environment:
        """The names that the text may use."""
        from symgrad.formula.environment import Tensor
        from symgrad.formula.expression import program_environment
        from symgrad.formula.matrices import key_of

        env = program_environment(self.program)
        env.lenient = True
        for s in self.program.statements:
            env.arrays.setdefault(key_of(s.indices, s.body), s.name)
        for d in self.where:
            env.arrays.setdefault(key_of(d.indices, d.body), d.name)
        for name, indices in self.signatures.items():
            env.tensors[name] = Tensor.of_indices(name, indices, "extra")
        return env


def _shapes(program: Program, signatures: Mapping[str, tuple[Term, ...]]) -> dict[str, tuple[Term, ...]]:
    batch = (dim(BATCH),)
    shapes = {i.name: (batch if i.batch else ()) + tuple(i.shape) for i in program.inputs}
    shapes |= {s.name: tuple(map(extent, s.indices)) for s in program.statements if s.kind != "loss"}
    return shapes | {n: tuple(map(extent, indices)) for n, indices in signatures.items()}
