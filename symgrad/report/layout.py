"""Mathematics as it is laid out on a page: the tree between terms and the LaTeX, Unicode and MathML printers.

`present` builds it and decides, once for all printers, on order, parentheses, fractions and names of bound indices. A
printer is a `Visitor`: one method a kind of layout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Layout:
    """A piece of laid out mathematics."""

    __slots__ = ()

    def accept(self, visitor: Visitor[T]) -> T:
        """What the visitor makes of this piece: its method of the name of our class."""
        method: Callable[[Layout], T] = getattr(visitor, type(self).__name__.lower())
        return method(self)


@dataclass(frozen=True, slots=True)
class Symbol(Layout):
    """A name of the user: tensor, parameter, dimension or index; `...` is the index of the batch."""

    name: str


@dataclass(frozen=True, slots=True)
class Number(Layout):
    """A nonnegative decimal number as text, with a power of ten if `e` stands in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign(Layout):
    """A fixed sign of mathematics, a key of `signs.SIGNS`: pi, infinity, Euler's number, true, false."""

    name: str


@dataclass(frozen=True, slots=True)
class Access(Layout):
    """A tensor with subscripts."""

    tensor: str
    subscripts: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Indexed(Layout):
    """A matrix that is no name, with subscripts: an element of an inverse."""

    body: Layout
    subscripts: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Power(Layout):
    """base ^ exponent."""

    base: Layout
    exponent: Layout


@dataclass(frozen=True, slots=True)
class Fraction(Layout):
    """top over bottom; neither bears parentheses of its own."""

    top: Layout
    bottom: Layout


@dataclass(frozen=True, slots=True)
class Sum(Layout):
    """Summands, each with whether it is subtracted."""

    terms: tuple[tuple[bool, Layout], ...]


@dataclass(frozen=True, slots=True)
class Product(Layout):
    """Factors side by side."""

    factors: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Range(Layout):
    """What stands under a big operator: the index, and its last value where no axis says it."""

    index: Layout
    last: Layout | None = None


@dataclass(frozen=True, slots=True)
class Call(Layout):
    """A function, a key of `signs.FUNCTIONS`, of its arguments. `under`: the indices that it runs over.

    `bare`: the one argument needs no parentheses.
    """

    function: str
    arguments: tuple[Layout, ...]
    under: tuple[Range, ...] = ()
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Big(Layout):
    """A sum or product (`kind`) over ranges of the body, which is one factor."""

    kind: str
    ranges: tuple[Range, ...]
    body: Layout


@dataclass(frozen=True, slots=True)
class Cases(Layout):
    """Values with their conditions, and the value otherwise."""

    rows: tuple[tuple[Layout, Layout], ...]
    otherwise: Layout


@dataclass(frozen=True, slots=True)
class Fence(Layout):
    """The body between delimiters, a key of `signs.FENCES`: paren, bracket (Iverson's), abs, floor, ceiling."""

    kind: str
    body: Layout


@dataclass(frozen=True, slots=True)
class Root(Layout):
    """The square root."""

    body: Layout


@dataclass(frozen=True, slots=True)
class Relation(Layout):
    """Sides with an operation, a key of `signs.OPERATIONS`, between each two: a < b, a and b, a mod b, a = b."""

    operation: str
    sides: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Negation(Layout):
    """The opposite of a condition."""

    body: Layout


@dataclass(frozen=True, slots=True)
class Elided(Layout):
    """Stands for an expression that is too large to read; `size` is its number of nodes."""

    size: int


class Visitor(Generic[T]):
    """One method a kind of layout, of the name of its class: `symbol(x)` for a Symbol."""

    def visit(self, layout: Layout) -> T:
        """What this visitor makes of the layout."""
        return layout.accept(self)

    def visit_all(self, layouts: Sequence[Layout]) -> list[T]:
        """What this visitor makes of each layout."""
        return [x.accept(self) for x in layouts]


def is_tall(x: Layout) -> bool:
    """Whether the layout is higher than a line of letters, so that delimiters must grow."""
    match x:
        case Fraction() | Big() | Cases():
            return True
        case Sum():
            return any(is_tall(a) for _, a in x.terms)
        case Product():
            return any(is_tall(a) for a in x.factors)
        case Call():
            return any(is_tall(a) for a in x.arguments)
        case Fence() | Root() | Negation():
            return is_tall(x.body)
        case Power():
            return is_tall(x.base)
        case Relation():
            return any(is_tall(a) for a in x.sides)
        case _:
            return False
