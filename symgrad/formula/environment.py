"""What the names of a formula stand for while its expressions are read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from symgrad.algebra.terms import BATCH, Term, dim, extent, idx
from symgrad.errors import FormulaError, nearest
from symgrad.formula.inside import Bounds
from symgrad.formula.program import Domain, Fact, Formula, Input, Parameter, Place, Statement
from symgrad.formula.syntax import Parsed
from symgrad.formula.vocabulary import FOREIGN, FUNCTIONS, LANGUAGE, REDUCTIONS

BATCH_INDEX = idx(BATCH, dim(BATCH))
LETTERS = "ijklmpqrsuvwabefgh"


@dataclass(frozen=True)
class Tensor:
    """What can be subscripted: an input or a statement. `shape` holds the extents after the batch axes."""

    name: str
    shape: tuple[Term, ...]
    batch: bool = False
    dtype: str = "real"
    padded: bool = False
    kind: str = "input"
    integer: bool = False
    """A statement whose values are integers, such as argmax."""

    @property
    def rank(self) -> int:
        """Subscripts that an access needs, `...` counting one."""
        return len(self.shape) + self.batch

    def shown(self) -> str:
        """The shape as the file writes it."""
        return "[" + ", ".join((["..."] if self.batch else []) + [str(s) for s in self.shape]) + "]"

    @staticmethod
    def of_input(i: Input) -> Tensor:
        """The tensor of an input."""
        return Tensor(i.name, i.shape, i.batch, i.dtype, i.padded)

    @staticmethod
    def of_indices(name: str, indices: tuple[Term, ...], kind: str, integer: bool = False) -> Tensor:
        """The tensor of a statement name[indices]."""
        batch = bool(indices) and indices[0] is BATCH_INDEX
        shape = tuple(extent(i) for i in indices[int(batch) :])
        return Tensor(name, shape, batch, kind=kind, integer=integer)

    @staticmethod
    def of_statement(s: Statement) -> Tensor:
        """The tensor of a statement."""
        return Tensor.of_indices(s.name, s.indices, s.kind)


@dataclass
class Gather:
    """The axis over which an int input without a domain ranges because it subscripts it."""

    size: Term
    tensor: str
    place: Place


@dataclass
class Environment:
    """Names in scope. `lenient`: a printed closed form, where reads outside give 0."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    dims: set[str] = field(default_factory=set)
    ranges: dict[str, Term] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    """Names of statements further down -> their line."""
    states: frozenset[str] = frozenset()
    """Names of the entries of `scan`, which stand after `let`."""
    current: str = ""
    """The statement whose right side is being read."""
    bounds: Bounds = field(default_factory=Bounds)
    lenient: bool = False
    undecided: set[str] = field(default_factory=set)
    """Int inputs without a domain."""
    gathers: dict[str, Gather] = field(default_factory=dict)
    letters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Tensor -> the names of the indices of its first access, for facts."""
    indices: dict[tuple[str, Term], None] = field(default_factory=dict)
    """Names of indices with their extents, in order of appearance."""

    arrays: dict[tuple[tuple[Term, ...], Term], str] = field(default_factory=dict)
    """What a statement stands for -> its name, for the arguments of matrix functions."""
    keep: Callable[[Statement], None] | None = None
    """Takes the statements that such arguments become; None where no new ones can be made."""
    uses: Mapping[str, Formula] = field(default_factory=dict)
    """Formulas that can be called."""
    adopted: dict[str, Domain] = field(default_factory=dict)
    """Input -> the domain that a used formula gives to what it is called on; it counts where the file gives none."""
    carried: list[Fact] = field(default_factory=list)
    """What used formulas assume, of the arrays that they are called on."""

    def index_name(self, size: Term, used: Collection[str], wanted: Sequence[str] = ()) -> str:
        """A readable name for an index of this extent: that of an index of the file where one has it."""
        own = [name for name, extent in self.indices if extent is size]
        others = {name for name, extent in self.indices if extent is not size}
        taken = self.known() | set(self.later) | LANGUAGE
        pool = [n for n in (*wanted, *LETTERS) if n not in others]
        names = chain(own, pool, LETTERS, (f"i{k}" for k in count(1)))
        name: str = next(n for n in names if n not in taken and n not in used)
        return name

    @property
    def has_batch(self) -> bool:
        """Whether some tensor has batch axes `...`."""
        return any(t.batch for t in self.tensors.values())

    def known(self) -> set[str]:
        """Every declared name."""
        return {*self.tensors, *self.parameters, *self.dims, *self.ranges}

    def undeclared(
        self, parsed: Parsed, node: ast.AST, name: str, called: bool = False, subscripted: bool = False
    ) -> FormulaError:
        """The error for a name that stands for nothing, with the nearest that does."""
        if name == self.current:
            message = f"{name} is used in its own definition"
            return parsed.error(
                message, node, help=f"a recurrence stands under scan: `{name}[t]: {{first: ..., next: ...}}`"
            )
        if name in self.later:
            message = f"{name} is used before it is defined, in line {self.later[name]}: statements stand in order"
            if name in self.states:
                message = f"{name} is used before it is defined: `scan` comes after `let`"
                return parsed.error(message, node, help=f"what reads {name} stands under scan too, below it")
            return parsed.error(message, node, help=f"move the definition of {name} up")
        if name in self.uses and not called:
            inputs = ", ".join(i.name for i in self.uses[name].program.inputs)
            return parsed.error(f"{name} is a used formula, and is called", node, help=f"write {name}({inputs})")
        words = set(FUNCTIONS) | set(REDUCTIONS) | set(self.uses)
        if called:
            close = FOREIGN.get(name) or nearest(name, words)
            message = f"no function {name} in the language"
        else:
            close = nearest(name, self.known())
            message = f"{name} is not declared: no input, parameter, dimension or let has this name"
        from symgrad.catalogue import paths

        mend = f"did you mean {close}?" if close else "declare it under inputs or parameters"
        if not called and not subscripted:
            mend += f"; an index {name} needs an axis that it subscripts bare, or an entry under ranges"
        elif called and name in paths():
            mend = f"the catalogue has {name}: add it under use, `use: [{name}]`, and call it on whole arrays"
        elif called and not close:
            mend = "the functions are listed in the documentation of the formula language"
        return parsed.error(message, node, help=mend)


def parameter_bounds(parameters: Mapping[str, Parameter]) -> dict[str, tuple[Term | None, Term | None]]:
    """What is known of int parameters from their domains."""
    from symgrad.algebra.build import add
    from symgrad.algebra.terms import ONE, ZERO

    known: dict[str, tuple[Term | None, Term | None]] = {}
    for p in parameters.values():
        kind, bounds = p.domain.kind, p.domain.bounds
        if p.dtype != "int":
            continue
        if kind in ("integer", "interval"):
            known[p.name] = (bounds[0], bounds[1])
        elif kind == "greater_than":
            known[p.name] = (add(bounds[0], ONE), None)
        elif kind in ("positive", "nonnegative"):
            known[p.name] = (ONE if kind == "positive" else ZERO, None)
    return known
