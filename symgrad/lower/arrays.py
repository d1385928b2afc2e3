"""The array program: named arrays, each the value of one expression over whole arrays.

Every expression has a *frame*, the indices of its axes in order; `...` is always the first and stands for any number of
axes. `dtype` is real, int or bool. Operands of a map may have smaller frames: they are broadcast by the printer, which
inserts axes of size 1. Nothing here knows how a target spells an operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property

from symgrad.algebra.terms import BATCH, Term

Frame = tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class Expr:
    """The value of an expression: its axes and the kind of its elements. Equal where all of its fields are."""

    frame: Frame
    dtype: str

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        same = isinstance(other, Expr) and type(self) is type(other) and self._hash == other._hash
        return same and all(getattr(self, f.name) == getattr(other, f.name) for f in fields(self))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), *(getattr(self, f.name) for f in fields(self))))

    @cached_property
    def parts(self) -> tuple[Expr, ...]:
        """The expressions that this one reads."""
        values = [getattr(self, f.name) for f in fields(self)]
        return tuple(x for v in values for x in (v if isinstance(v, tuple) else (v,)) if isinstance(x, Expr))


@dataclass(frozen=True, eq=False)
class Scalar(Expr):
    """A Python number: no tensor and no index enters `term`."""

    term: Term


@dataclass(frozen=True, eq=False)
class Read(Expr):
    """A named array as it is stored; `frame` labels its axes for this use."""

    name: str


@dataclass(frozen=True, eq=False)
class Range(Expr):
    """0, 1, ..., extent - 1 along the one index of the frame."""


@dataclass(frozen=True, eq=False)
class Map(Expr):
    """An elementwise operation."""

    op: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, eq=False)
class Cast(Expr):
    """Integers or truth values as real numbers."""

    operand: Expr


@dataclass(frozen=True, eq=False)
class Fill(Expr):
    """A number at every place of `like`."""

    like: Expr
    value: Scalar


@dataclass(frozen=True, eq=False)
class Broadcast(Expr):
    """The operand repeated along the axes of the frame that it lacks."""

    operand: Expr


@dataclass(frozen=True, eq=False)
class Transpose(Expr):
    """The operand with its axes in the order of the frame."""

    operand: Expr


@dataclass(frozen=True, eq=False)
class Flatten(Expr):
    """The operand with the axes of `...` made one axis, the first of the frame."""

    operand: Expr


@dataclass(frozen=True, eq=False)
class Split(Expr):
    """The operand with one axis as several, in row-major order: those of the frame from `axis` on."""

    operand: Expr
    axis: int
    """In the operand's frame."""
    count: int


@dataclass(frozen=True, eq=False)
class Merge(Expr):
    """The operand with `count` axes, from `axis` on, as one, in row-major order."""

    operand: Expr
    axis: int
    count: int


@dataclass(frozen=True, eq=False)
class Reduce(Expr):
    """A reduction over some axes of the operand: sum, prod, max, min, lse, norm, argmax."""

    kind: str
    operand: Expr
    over: Frame
    taps: bool = False
    """Whether the axes are those of windows: short, and far from contiguous."""


@dataclass(frozen=True, eq=False)
class Softmax(Expr):
    """exp(operand) over its sum along `over`, computed without overflow; a row of -inf gives 0."""

    operand: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class LogSoftmax(Expr):
    """operand - log(sum(exp(operand))) along `over`, without overflow, exact where one element is nearly all."""

    operand: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Complement(Expr):
    """1 - operand, for weights that sum to 1 along `over`: exact where one weight is nearly 1."""

    operand: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Centered(Expr):
    """operand - sum(weights*operand) along `over`, for weights that sum to 1: exact where one weight is nearly 1."""

    operand: Expr
    weights: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Projected(Expr):
    """operand - along*sum(by*operand) along `over`, where along*by sums to 1 - left: exact where one is nearly 1."""

    operand: Expr
    along: Expr
    by: Expr
    left: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Shifted(Expr):
    """softmax(logits + change) - softmax(logits) along `over`: exact where they are nearly alike."""

    change: Expr
    logits: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Contract(Expr):
    """The sum over `over` of the product of two arrays."""

    left: Expr
    right: Expr
    over: Frame


@dataclass(frozen=True, eq=False)
class Matrix(Expr):
    """A function of the matrices in the last two axes of the operand: inv, det, logdet, logabsdet, adj."""

    function: str
    operand: Expr


@dataclass(frozen=True, eq=False)
class Solve(Expr):
    """y with matrix @ y = right, for the vectors in the last axis of `right`; leading axes of `matrix` lead in both."""

    matrix: Expr
    right: Expr


@dataclass(frozen=True, eq=False)
class Pick(Expr):
    """One position of an axis: x[:, 0]."""

    operand: Expr
    axis: int
    position: Term


@dataclass(frozen=True, eq=False)
class Window(Expr):
    """Entry [.., p, .., u] reads the operand's axis at start + step*p + dilation*u, and 0 outside of it.

    Axis number `axis` becomes p; u is the last axis. Without `size` there is no u.
    """

    operand: Expr
    axis: int
    start: Term
    step: Term
    count: Term
    size: Term | None = None
    dilation: Term | None = None
    inside: bool = False
    """Every read is known to fall inside."""


@dataclass(frozen=True, eq=False)
class Fold(Expr):
    """The transpose of a window: [.., p, .., u] is added at start + step*p + dilation*u of an axis, dropped outside."""

    operand: Expr
    axis: int
    start: Term
    step: Term
    extent: Term
    dilation: Term | None = None
    """None: the operand has no axis u."""


@dataclass(frozen=True, eq=False)
class Gather(Expr):
    """operand[positions] or operand[..., positions]: the first (or last) axes are read at integer arrays."""

    operand: Expr
    positions: tuple[Expr, ...]
    last: bool = False


@dataclass(frozen=True, eq=False)
class Along(Expr):
    """One axis read at an integer array that shares the other axes, `...` among them."""

    operand: Expr
    axis: int
    """From the end, negative."""
    positions: Expr


@dataclass(frozen=True, eq=False)
class Scatter(Expr):
    """Zeros with values added at integer positions: `count` axes of the values, from `first` on, become the targets'.

    Positions have some of the values' axes up to these; the axes behind them are the last of the frame.
    """

    values: Expr
    positions: tuple[Expr, ...]
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Step(Expr):
    """The value at one step of an array that a loop makes."""

    name: str
    axis: int
    position: Term


@dataclass(frozen=True, eq=False)
class Stored(Expr):
    """A value that a step puts into the array which its loop makes, at a position of an axis."""

    operand: Expr
    axis: int
    position: Term


@dataclass(frozen=True)
class Assign:
    """name = expr. `kind`: as that of the statement it comes from, or `part`."""

    name: str
    expr: Expr
    kind: str


@dataclass(frozen=True)
class Made:
    """An array that a loop makes, step by step along an axis. `read`: something after the loop reads it."""

    name: str
    frame: Frame
    axis: int
    dtype: str
    read: bool


@dataclass(frozen=True)
class Loop:
    """A recurrence: the first step, then the others, from the last one on if `backward`.

    `counter` is the name of the step's number, `count` how many steps there are.
    """

    made: tuple[Made, ...]
    counter: str
    count: Term
    backward: bool
    first: tuple[Assign, ...]
    steps: tuple[Assign, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that it makes."""
        return tuple(m.name for m in self.made)

    @property
    def reads(self) -> list[str]:
        """Names of the arrays that it reads and that it does not make."""
        body = (*self.first, *self.steps)
        own = {*self.names, *(a.name for a in body)}
        return [n for n in dict.fromkeys(n for a in body for n in reads(a.expr)) if n not in own]


Item = Assign | Loop


def made_by(item: Item) -> tuple[str, ...]:
    """The arrays that an assignment or a loop makes."""
    return item.names if isinstance(item, Loop) else (item.name,)


def read_by(item: Item) -> list[str]:
    """The arrays that it reads."""
    return item.reads if isinstance(item, Loop) else reads(item.expr)


def rebuild(e: Expr, swap: dict[Expr, Expr]) -> Expr:
    """The expression with parts replaced, from the outside in."""
    if e in swap:
        return swap[e]
    changes: dict[str, object] = {}
    for f in fields(e):
        v = getattr(e, f.name)
        if isinstance(v, Expr):
            changes[f.name] = rebuild(v, swap)
        elif isinstance(v, tuple) and any(isinstance(x, Expr) for x in v):
            changes[f.name] = tuple(rebuild(x, swap) for x in v)
    if all(getattr(e, k) == v for k, v in changes.items()):
        return e
    return replace(e, **changes)  # type: ignore[arg-type]


def walk(e: Expr) -> Iterator[Expr]:
    """The expression and all its parts, with repetitions, outside first."""
    yield e
    for c in e.parts:
        yield from walk(c)


def reads(e: Expr) -> list[str]:
    """Names of the arrays that the expression reads, in order of appearance."""
    return list(dict.fromkeys(x.name for x in walk(e) if isinstance(x, Read)))


def is_batch(index: Term) -> bool:
    """Whether the index stands for any number of axes."""
    return str(index.data) == BATCH
