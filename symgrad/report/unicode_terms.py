"""Terms as one line of Unicode mathematics for a terminal: (yᵢⱼ − tᵢⱼ)/n, Σⱼ tᵢⱼ·log yᵢⱼ.

Subscripts stand low where Unicode has all the letters that the line needs, else all of the line is written y[b,q].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from symgrad.algebra.terms import Term
from symgrad.report.escape import plain_text
from symgrad.report.layout import (
    Access,
    Big,
    Call,
    Cases,
    Elided,
    Fence,
    Fraction,
    Indexed,
    Layout,
    Negation,
    Number,
    Power,
    Product,
    Range,
    Relation,
    Root,
    Sign,
    Sum,
    Symbol,
    Visitor,
)
from symgrad.report.notation import Notation
from symgrad.report.present import present
from symgrad.report.signs import BIG, FENCES, FUNCTIONS, NOT, OPERATIONS, PLAIN, POWERS_INSIDE, SIGNS

_LOW = dict(zip("0123456789+−()=aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_HIGH = dict(
    zip("0123456789+−()=abcdefghijklmnoprstuvwxyzβγδ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾⁼ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵝᵞᵟ", strict=True)
)
_HIGH |= {c: c for c in "ᵀ⁻"}


class _NoLowFormError(Exception):
    """A subscript needs a letter that Unicode has no low form of."""


def unicode_math(t: Term, notation: Notation | None = None) -> str:
    """The term as one line of Unicode mathematics."""
    return unicode_layout(present(t, notation), notation)


def unicode_layout(x: Layout, notation: Notation | None = None) -> str:
    """The layout as one line of Unicode mathematics."""
    notation = notation or Notation()
    try:
        return _Printer(notation, low=True).visit(x)
    except _NoLowFormError:
        return _Printer(notation, low=False).visit(x)


def _lowered(text: str) -> str:
    try:
        return "".join(_LOW[c] for c in text)
    except KeyError:
        raise _NoLowFormError(text) from None


def _raised(text: str) -> str | None:
    """The text in high letters, None where it has others or a word."""
    if any(a.isalpha() and b.isalpha() for a, b in pairwise(text)):
        return None
    return "".join(_HIGH[c] for c in text) if text and all(c in _HIGH for c in text) else None


_CLOSED = (Symbol, Access, Indexed, Number, Sign, Fence, Root)


class _Printer(Visitor[str]):
    def __init__(self, notation: Notation, low: bool) -> None:
        self.notation = notation
        self.low = low

    def joined(self, items: Iterable[Layout], separator: str) -> str:
        return separator.join(self.visit(x) for x in items)

    def name(self, name: str) -> str:
        g = self.notation.glyph(name)
        if g.accent or g.tag or g.verbatim or g.cotangent:
            return plain_text(name)
        return plain_text(g.letter)

    def symbol(self, x: Symbol) -> str:
        return self.name(x.name)

    def number(self, x: Number) -> str:
        return x.text

    def sign(self, x: Sign) -> str:
        return SIGNS[x.name].text

    def access(self, x: Access) -> str:
        return self.name(x.tensor) + self.subscripts(x.subscripts)

    def indexed(self, x: Indexed) -> str:
        return self.visit(x.body) + self.subscripts(x.subscripts)

    def subscripts(self, items: Sequence[Layout]) -> str:
        if not self.low:
            return f"[{self.joined(items, ',')}]"
        if not all(isinstance(s, Symbol) and len(self.name(s.name)) == 1 for s in items):
            raise _NoLowFormError
        return _lowered("".join(self.visit_all(items)))

    def power(self, x: Power) -> str:
        exponent = self.visit(x.exponent)
        raised = _raised(exponent) if not isinstance(x.exponent, Fraction) else None
        if isinstance(x.base, Sign) and x.base.name == "E" and raised is None:
            return f"exp({exponent})"
        high = (
            raised if raised is not None else "^" + (exponent if isinstance(x.exponent, _CLOSED) else f"({exponent})")
        )
        if isinstance(x.base, Call) and x.base.function in POWERS_INSIDE:
            if raised is not None and isinstance(x.exponent, Number):
                return self.applied(self.function(x.base.function) + raised, replace(x.base))
            return f"({self.visit(x.base)}){high}"
        return self.visit(x.base) + high

    def fraction(self, x: Fraction) -> str:
        top, bottom = self.visit(x.top), self.visit(x.bottom)
        if isinstance(x.top, (Sum, Relation, Negation)) or (isinstance(x.top, Product) and _reaches(x.top.factors[-1])):
            top = f"({top})"
        elif isinstance(x.top, Call) and x.top.bare:
            top = self.visit(replace(x.top, bare=False))
        if not isinstance(x.bottom, (*_CLOSED, Power)) and not (isinstance(x.bottom, Call) and not x.bottom.bare):
            bottom = f"({bottom})"
        return f"{top}/{bottom}"

    def sum(self, x: Sum) -> str:
        out = ""
        for negative, a in x.terms:
            out += (" − " if out else "−") if negative else (" + " if out else "")
            out += self.visit(a)
        return out

    def product(self, x: Product) -> str:
        out = ""
        for left, right in zip((None, *x.factors), x.factors, strict=False):
            text = self.visit(right)
            # 2x, 2(a + b): a number needs no dot before a name
            close = isinstance(left, Number) and "e" not in left.text and _begins_with_a_name(right)
            out += text if left is None or close else "·" + text
        return out

    def function(self, name: str) -> str:
        if name in self.notation.spelt_functions and name in PLAIN:
            return PLAIN[name].text
        return FUNCTIONS[name].text if name in FUNCTIONS else name

    def call(self, x: Call) -> str:
        return self.applied(self.function(x.function), x)

    def applied(self, head: str, x: Call) -> str:
        head += self.under(x.under)
        if x.bare:
            return f"{head} {self.visit(x.arguments[0])}"
        return f"{head}({self.joined(x.arguments, ', ')})"

    def under(self, ranges: Sequence[Range]) -> str:
        if not ranges:
            return ""
        if self.low and all(r.last is None for r in ranges):
            texts = [self.visit(r.index) for r in ranges]
            if texts == ["…"]:
                return "[…]"
            return _lowered("".join(texts)) if all(len(t) == 1 for t in texts) else f"[{','.join(texts)}]"
        return f"[{self.joined(ranges, ',')}]"

    def range(self, x: Range) -> str:
        index = self.visit(x.index)
        return index if x.last is None else f"{index}=0…{self.visit(x.last)}"

    def big(self, x: Big) -> str:
        head = BIG[x.kind].text + self.under(x.ranges)
        return f"{head} {self.visit(x.body)}"

    def cases(self, x: Cases) -> str:
        rows = [f"{self.visit(v)} if {self.visit(c)}" for v, c in x.rows]
        return "{" + "; ".join([*rows, f"{self.visit(x.otherwise)} otherwise"]) + "}"

    def fence(self, x: Fence) -> str:
        left, right = FENCES[x.kind]
        body = self.visit(x.body)
        # bars within bars would not say which of them opens
        return f"{left.text}{body}{right.text}" if left.text != right.text or left.text not in body else f"abs({body})"

    def root(self, x: Root) -> str:
        body = self.visit(x.body)
        return f"√{body}" if isinstance(x.body, (Symbol, Number)) else f"√({body})"

    def relation(self, x: Relation) -> str:
        return self.joined(x.sides, f" {OPERATIONS[x.operation].text} ")

    def negation(self, x: Negation) -> str:
        return NOT.text + self.visit(x.body)

    def elided(self, x: Elided) -> str:
        return f"(an expression of {x.size} parts)"


def _begins_with_a_name(x: Layout) -> bool:
    while isinstance(x, Power):
        x = x.base
    return isinstance(x, (Symbol, Access)) or (isinstance(x, Fence) and x.kind != "abs")


def _reaches(x: Layout) -> bool:
    """Whether the layout takes in what is written after it."""
    return isinstance(x, Big) or (isinstance(x, Call) and x.bare)
