"""The second order in a report: D_v of each gradient is the Hessian times v, and the Hessian's diagonal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.algebra.show import show
from symgrad.report.escape import shortened
from symgrad.report.layout import Fraction, Layout, Number, Power, Product, Sign, Symbol
from symgrad.report.notation import LOSS, Notation
from symgrad.report.present import present, present_access

if TYPE_CHECKING:
    from symgrad.closing.derivation import Definition, Derivation, Gradient

ALONG = "D_v"
"""How the derivative along the direction is written."""
LONGEST = 4000


@dataclass(frozen=True)
class SecondRow:
    """A left side, its closed form, and that as the formula language writes it."""

    left: Layout
    right: Layout
    text: str


def second_rows(derivation: Derivation, notation: Notation) -> tuple[SecondRow, ...]:
    """Products and diagonals, input by input."""
    rows = []
    for h in derivation.second.hessians if derivation.second is not None else ():
        left = present_access(h.input, h.indices, notation)
        rows += [_row(product_of(left), h.product, notation), _row(diagonal_of(left), h.diagonal, notation)]
    return tuple(rows)


def _row(left: Layout, g: Gradient, notation: Notation) -> SecondRow:
    return SecondRow(
        left, present(g.closed, notation, g.indices), shortened(show(g.closed, notation.names, g.indices), LONGEST)
    )


def product_of(left: Layout) -> Layout:
    """The derivative along v of the gradient by an element."""
    first = Fraction(Product((Sign("partial"), Symbol(LOSS))), Product((Sign("partial"), left)))
    return Product((Symbol(ALONG), first))


def diagonal_of(left: Layout) -> Layout:
    """The second derivative by an element."""
    two = Number("2")
    above = Product((Power(Sign("partial"), two), Symbol(LOSS)))
    return Fraction(above, Product((Sign("partial"), Power(left, two))))


def directions_of(derivation: Derivation) -> tuple[tuple[str, str], ...]:
    """Each input with the name of the direction in it."""
    return tuple(derivation.second.directions.items()) if derivation.second is not None else ()


def second_definitions(derivation: Derivation) -> tuple[Definition, ...]:
    """The names that the closed forms of the second order need, beside those of the gradients."""
    known = {d.name for g in derivation.gradients for d in g.where}
    second: Iterable[Definition] = (
        d for h in (derivation.second.hessians if derivation.second is not None else ()) for d in h.where
    )
    return tuple({d.name: d for d in second if d.name not in known}.values())
