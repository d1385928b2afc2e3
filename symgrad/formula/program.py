"""What a formula means: inputs, parameters, facts, and statements over terms of the index algebra.

A `Program` is what every later floor works on. The reader builds it (pass 1 of docs/architecture.md); the passes of
the derivation rewrite its statements. `Formula` is a program together with what only people
need: the text, places, `expect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symgrad.algebra.terms import BATCH, Term, dim, extent
from symgrad.errors import Where


@dataclass(frozen=True)
class Place:
    """A stretch of the formula file: `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class Domain:
    """A fact and a sampler: `kind` is real, positive, interval, integer, simplex, ...; `bounds` its arguments."""

    kind: str = "real"
    bounds: tuple[Term, ...] = ()

    def __str__(self) -> str:
        from symgrad.algebra.show import show

        return self.kind + (f"({', '.join(show(b) for b in self.bounds)})" if self.bounds else "")


@dataclass(frozen=True)
class Input:
    """A tensor. `shape` holds the extents after the batch axes; `batch` says that `...` leads."""

    name: str
    shape: tuple[Term, ...]
    batch: bool = False
    dtype: str = "real"
    domain: Domain = Domain()
    given: bool = False
    padded: bool = False
    """`outside: 0`: reads beyond the edge give 0."""
    summary: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Parameter:
    """A scalar keyword argument of the generated functions with its default, `real` or `int`."""

    name: str
    value: Fraction
    dtype: str = "real"
    domain: Domain = Domain()
    summary: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Recurrence:
    """How a statement is made: one value of the index `time` after the other, from the last one on if `backward`."""

    time: Term
    backward: bool = False

    @property
    def reversed(self) -> Recurrence:
        """The other direction."""
        return Recurrence(self.time, not self.backward)


@dataclass(frozen=True)
class Statement:
    """name[indices] = body for every value of the indices. `kind`: let, output, loss, hoisted, adjoint, tangent.

    `recurrence`: the body reads itself, or statements that read this one, at the step before.
    """

    name: str
    indices: tuple[Term, ...]
    body: Term
    kind: str = "let"
    place: Place | None = None
    result: bool = False
    """Whether it is an output of a used formula: closed forms stop at its cotangent."""
    inner: bool = False
    """Whether its name was made for a used formula, rather than given by the file."""
    recurrence: Recurrence | None = None


@dataclass(frozen=True)
class Fact:
    """A condition that holds for every value of its free indices. `source`: how the report names where it comes from.

    `usable`: false for equations of a differentiated input, which serve sampling and `check_inputs` alone.
    """

    condition: Term
    source: str
    text: str
    usable: bool = True
    place: Place | None = None


@dataclass(frozen=True)
class Program:
    """A formula as statements in order; the last ones are the loss (one) or the outputs."""

    name: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    statements: tuple[Statement, ...]
    facts: tuple[Fact, ...]
    wrt: tuple[str, ...]
    """Names of the inputs to differentiate, in the order of the file."""

    @property
    def is_loss(self) -> bool:
        """Whether the formula is a loss (else a layer)."""
        return any(s.kind == "loss" for s in self.statements)

    @property
    def loss(self) -> Statement:
        """The loss statement; its indices are the batch."""
        return next(s for s in self.statements if s.kind == "loss")

    @property
    def outputs(self) -> tuple[Statement, ...]:
        """The outputs of a layer; for a loss the loss."""
        return tuple(s for s in self.statements if s.kind in ("output", "loss"))

    @property
    def shapes(self) -> dict[str, tuple[Term, ...]]:
        """Tensor -> extents of its axes, `...` as one of them: inputs, statements, and cotangents of outputs."""
        batch = dim(BATCH)
        found = {i.name: ((batch,) if i.batch else ()) + tuple(i.shape) for i in self.inputs}
        found |= {s.name: tuple(map(extent, s.indices)) for s in self.statements}
        return found | {f"d{s.name}": found[s.name] for s in self.outputs if s.kind == "output"}

    def input(self, name: str) -> Input:
        """The input of that name."""
        return next(i for i in self.inputs if i.name == name)

    def statement(self, name: str) -> Statement | None:
        """The statement of that name, if there is one."""
        return next((s for s in self.statements if s.name == name), None)

    def with_statements(self, statements: tuple[Statement, ...]) -> Program:
        """The same program with other statements."""
        return replace(self, statements=statements)


COTANGENT = "cotangent"
"""The kind of what is expected of the gradient with respect to a named value."""


@dataclass(frozen=True)
class Expected:
    """A closed form of `expect`: input[indices]: body.

    `kind`: of the gradient, `hvp` and `diagonal` of order 2, or of the cotangent of the statement `input`.
    """

    input: str
    indices: tuple[Term, ...]
    body: Term
    text: str
    place: Place | None = None
    kind: str = "gradient"

    @property
    def key(self) -> str:
        """How the formula names what is expected: `z`, `hvp z`, `diagonal z`, `dh`."""
        if self.kind == COTANGENT:
            return f"d{self.input}"
        return self.input if self.kind == "gradient" else f"{self.kind} {self.input}"


@dataclass(frozen=True)
class Formula:
    """What the user wrote, read: the program, and what people need beside it."""

    program: Program
    summary: str = ""
    references: tuple[str, ...] = ()
    expected: tuple[Expected, ...] = ()
    text: str = ""
    file: str = ""
    sha256: str = ""
    written: Mapping[str, str] = field(default_factory=dict)
    """Statement -> the text of its right side as the user wrote it; the loss is under 'loss'."""

    index_names: tuple[tuple[str, Term], ...] = ()
    """Every index name of the file with its extent, bound ones too, in the order of appearance."""

    in_arrays: bool = False
    """Whether every statement was written in array notation: closed forms are, where that can say them."""

    uses: Mapping[str, Formula] = field(default_factory=dict)
    """The formulas that it uses, by alias."""

    @property
    def name(self) -> str:
        """The name of the formula."""
        return self.program.name

    def where(self, place: Place | None) -> Where | None:
        """A place in the file, with its line."""
        if place is None:
            return None
        lines = self.text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        return Where(place.file, place.line, place.column, place.length, line)
