"""Directions in the inputs of a loss, and positions in them: what both forms of the second order start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.terms import BATCH, Term, extent, idx
from symgrad.calculus.hoist import taken_names
from symgrad.closing.parts import Gradient
from symgrad.closing.reverse import INDEX_NAMES, Adjoints
from symgrad.closing.second.directional import Columns, Simplify
from symgrad.formula.directions import direction_names
from symgrad.formula.program import Domain, Formula, Input, Program, Statement
from symgrad.rewrite.context import Context


@dataclass
class UniqueNames:
    """Gives each wish a name that nothing else has."""

    taken: set[str]

    def __call__(self, wish: str) -> str:
        """The wish, or the wish with the underscores that it takes."""
        name = wish
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


@dataclass
class Directions:
    """A direction in each differentiated input. `names`: input -> its direction, a given input of `context`."""

    formula: Formula
    program: Program
    adjoints: Adjoints
    gradients: Sequence[Gradient]
    context: Context
    names: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        read = replace(self.formula.program, wrt=self.program.wrt)
        self.names = direction_names(read, (n for n, _ in self.formula.index_names))
        inputs = {i.name: i for i in self.program.inputs}
        new = [replace(inputs[n], name=v, given=True, summary="", domain=Domain()) for n, v in self.names.items()]
        self.context = _with_inputs(self.context, new)
        self.indices = {g.input: g.indices for g in self.gradients}

    def columns(
        self, name: str, tangents: Sequence[Statement], simplify: Simplify, unique: UniqueNames, trivial: int = 0
    ) -> Columns:
        """The tangents at the unit vectors of one input."""
        position = self._position(name, tangents)
        others = [v for n, v in self.names.items() if n != name]
        work = Columns((self.names[name], self.indices[name]), position, others, simplify, unique, trivial)
        work.push(tangents, name)
        return work

    def _position(self, name: str, tangents: Sequence[Statement]) -> tuple[Term, ...]:
        """Indices of a position in an input, named apart from those of all statements."""
        used = {str(i.data) for s in tangents for i in s.indices} | {str(i.data) for i in self.indices[name]}
        used |= self.taken()
        own = [(n, e) for n, e in self.formula.index_names if n not in used]
        letters = [c for c in INDEX_NAMES if c not in used and c not in {n for n, _ in self.formula.index_names}]
        pool = [*letters, *(f"p{k}" for k in range(1, 1000) if f"p{k}" not in used)]
        found: list[Term] = []
        for i in self.indices[name]:
            if str(i.data) == BATCH:
                found.append(i)
                continue
            new = next((n for n, e in own if e is extent(i)), None) or pool[0]
            own = [(n, e) for n, e in own if n != new]
            pool = [n for n in pool if n != new]
            found.append(idx(new, extent(i)))
        return tuple(found)

    def taken(self) -> set[str]:
        """Every name of the formula and of its derivation."""
        names = taken_names(self.program) | set(self.names.values())
        return names | {s.name for s in (*self.adjoints.statements, *self.adjoints.adjoint_of.values())}


def _with_inputs(context: Context, more: Iterable[Input]) -> Context:
    """The same surroundings, where the directions are given inputs."""
    program = replace(context.program, inputs=(*context.program.inputs, *more))
    new = replace(context, program=program)
    new.steps, new.used = context.steps, context.used
    return new
