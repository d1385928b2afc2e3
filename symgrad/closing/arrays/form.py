"""Closed forms in array notation: 2*A.T @ (A @ x - b), with the definitions that they need; proven, or none.

The gradient has the shape of its input (denominator layout): its element i, j is dL/dX[i, j].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from symgrad.algebra.build import Fresh, substitute
from symgrad.algebra.decimals import literals_of, with_literals
from symgrad.algebra.terms import BATCH, Term, dim, extent, matrix_of, walk
from symgrad.closing.arrays.build import MOST_PARTS, Builder
from symgrad.closing.arrays.proof import multiplied_out, same
from symgrad.closing.arrays.tree import Tree
from symgrad.closing.closed import Definition, Gradient
from symgrad.closing.unfold import unfold
from symgrad.errors import SymgradError
from symgrad.formula.program import Formula, Program, Statement

if TYPE_CHECKING:
    from symgrad.formula.environment import Environment


MOST_UNFOLDED = 250
"""Nodes of introduced definitions up to which the form without them is looked at too."""


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
    """Whether a name has a definition that array notation cannot say."""

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
    if g.closed.size > MOST_PARTS or _asks_products_for_ties(g):
        return None
    page = _page(formula, wide)
    page.learn(g.where)
    read = (g.closed, *(d.body for d in g.where))
    arguments = {matrix_of(t)[1] for body in read for t in walk(body) if t.op == "mat"}
    page.inline([d for d in g.where if d.name in arguments and (d.introduced or d.name not in formula.written)])
    names = {
        d.name: Statement(d.name, d.indices, d.body, "adjoint")
        for d in g.where
        if d.introduced and d.name not in arguments
    }
    found = [page.form(g, g.closed, g.where)]
    if any(_reads_itself(n, names) for n in names):  # a recurrence back through time has no written-out form
        names = {}
    if names and sum(s.body.size for s in names.values()) <= MOST_UNFOLDED:
        where = tuple(d for d in g.where if d.name not in names)
        found.append(page.form(g, unfold(g.closed, names, Fresh()), where))
    return min((f for f in found if f is not None), key=lambda f: f.length, default=None)


def _asks_products_for_ties(g: Gradient) -> bool:
    """Whether a sum is held against its own largest value: a product of matrices in another order tears such a tie."""
    sums = {d.name for d in g.where if d.introduced and any(t.op == "red" and t.data == "sum" for t in walk(d.body))}
    asked = (t for body in (g.closed, *(d.body for d in g.where)) for t in walk(body))
    return bool(sums) and any(t.op == "cmp" and t.data in ("==", "!=") and t.tensors & sums for t in asked)


def _reads_itself(name: str, statements: Mapping[str, Statement]) -> bool:
    """Whether a statement reads itself, by way of others too."""
    seen: set[str] = set()
    queue = [name]
    while queue:
        read = statements[queue.pop()].body.tensors & set(statements)
        if name in read:
            return True
        queue += sorted(read - seen)
        seen |= read
    return False


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


def _page(formula: Formula, wide: bool) -> _Page:
    pages = _pages.setdefault(formula.program, {})
    if wide not in pages:
        pages[wide] = _Page(formula.program, wide)
    return pages[wide]


class _Page:
    """What the names of a formula and of its closed forms stand for; what was proven is remembered."""

    def __init__(self, program: Program, wide: bool) -> None:
        self.program, self.wide = program, wide
        self.literals = literals_of(s.body for s in program.statements)
        self.forget()

    def forget(self) -> None:
        """Begin anew with the names of the formula."""
        program = self.program
        cotangents = {} if program.is_loss else {f"d{s.name}": s.indices for s in program.outputs}
        self.signatures: dict[str, tuple[Term, ...]] = dict(cotangents)
        self.bodies: dict[str, Term] = {}
        self.builder = Builder(_shapes(program, self.signatures), self.wide)
        self.known: dict[tuple[Term, tuple[Term, ...]], Tree | None] = {}
        self.names: Environment | None = None

    def learn(self, where: Sequence[Definition]) -> None:
        """The definitions of a closed form; those of another derivation may differ, and then all is forgotten."""
        if any(self.bodies.get(d.name, d.body) is not d.body or self._differs(d) for d in where):
            self.forget()
        for d in where:
            if d.name not in self.bodies:
                self.signatures[d.name], self.bodies[d.name] = d.indices, d.body
                self.names = None
        self.builder.shapes = _shapes(self.program, self.signatures)

    def _differs(self, d: Definition) -> bool:
        return self.signatures.get(d.name, d.indices) != d.indices

    def inline(self, arguments: Sequence[Definition]) -> None:
        """Arguments of matrix functions that symgrad gave a name are written out: inv(X.T @ X)."""
        for d in arguments:
            body = self.proven(d.body, d.indices)
            if body is not None:
                self.builder.inline[d.name] = body

    def form(self, g: Gradient, closed: Term, where: Sequence[Definition]) -> ArrayForm | None:
        """The whole, each part proven; a definition that array notation cannot say stays as it is in `where`."""
        tree = self.proven(closed, g.indices)
        if tree is None:
            return None
        used, missing = tree.names, False
        definitions: list[ArrayDefinition] = []
        for d in reversed(where):
            if d.name not in used:
                continue
            body = self.proven(d.body, d.indices)
            if body is not None:
                used = used | body.names
                definitions.append(ArrayDefinition(d.name, body, d.introduced))
            missing = missing or body is None
        return ArrayForm(g.input, tree, tuple(reversed(definitions)), missing)

    def proven(self, t: Term, indices: tuple[Term, ...]) -> Tree | None:
        """The term in array notation, where reading its text gives the term back."""
        key = (t, indices)
        if key not in self.known:
            self.known[key] = self._prove(t, indices)
        return self.known[key]

    def _prove(self, t: Term, indices: tuple[Term, ...]) -> Tree | None:
        if len(set(indices)) < len(indices) or not t.free <= set(indices):
            return None
        trees = [self.builder.ask(with_literals(t, self.literals), indices)]
        if trees[0] is None or "axis=" in trees[0].text:
            trees.append(self.builder.ask(multiplied_out(t), indices))
        for tree in sorted((x for x in trees if x is not None), key=_unlike_matrices):
            again = self.read(tree.text, indices)
            if again is not None and same(again, t):
                return tree
        return None

    def read(self, text: str, indices: tuple[Term, ...]) -> Term | None:
        """What a text in array notation means, over these indices."""
        from symgrad.formula.arrays.shapes import Shape
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
        if self.names is None:
            self.names = self._environment()
        return self.names

    def _environment(self) -> Environment:
        from symgrad.formula.environment import Tensor
        from symgrad.formula.expression import program_environment
        from symgrad.formula.matrices import key_of

        env = program_environment(self.program)
        env.lenient = True
        for name, body in self.bodies.items():
            env.arrays.setdefault(key_of(self.signatures[name], body), name)
        for name, indices in self.signatures.items():
            env.tensors[name] = Tensor.of_indices(name, indices, "extra", integer=True)
        return env


_pages: WeakKeyDictionary[Program, dict[bool, _Page]] = WeakKeyDictionary()


def _unlike_matrices(t: Tree) -> tuple[bool, int]:
    """Sums over several axes at once, or of outer products, are no textbook's products of matrices."""
    return "axis=(" in t.text or "Sum(outer(" in t.text, t.cost


def _shapes(program: Program, signatures: Mapping[str, tuple[Term, ...]]) -> dict[str, tuple[Term, ...]]:
    batch = (dim(BATCH),)
    shapes = {i.name: (batch if i.batch else ()) + tuple(i.shape) for i in program.inputs}
    shapes |= {s.name: tuple(map(extent, s.indices)) for s in program.statements if s.kind != "loss"}
    return shapes | {n: tuple(map(extent, indices)) for n, indices in signatures.items()}
