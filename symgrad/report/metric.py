"""How wide mathematics will be on the page, in em: a simple metric of Latin Modern that errs on the wide side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    is_tall,
)
from symgrad.report.notation import Glyph, Notation
from symgrad.report.signs import FUNCTIONS, PLAIN, POWERS_INSIDE

SMALL = 0.72
"""Size of subscripts and exponents."""
BINARY, RELATION, DELIMITER, TALL_DELIMITER, COMMA = 1.25, 1.35, 0.4, 0.8, 0.46
BIG_SIGN, ROOT_SIGN, CASES_SIGN, WORD_SPACE = 1.5, 0.9, 3.8, 0.17
_WIDE = frozenset("mwMWΣΩΨΦΞΛΠωπψφ")


class Metric(Visitor[float]):
    """The width of a layout."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def total(self, layouts: Sequence[Layout]) -> float:
        """The widths of the layouts together."""
        return sum(self.visit_all(layouts))

    def symbol(self, x: Symbol) -> float:
        """A name."""
        return glyph_width(self.notation.glyph(x.name))

    def number(self, x: Number) -> float:
        """Digits."""
        return 0.52 * len(x.text) + (2.0 if "e" in x.text else 0.0)

    def sign(self, x: Sign) -> float:
        """A fixed sign."""
        return {"oo": 1.02, "true": 2.0, "false": 2.3, "...": 1.25, "batch": 1.9}.get(x.name, 0.6)

    def access(self, x: Access) -> float:
        """A name with subscripts."""
        return glyph_width(self.notation.glyph(x.tensor), self.low(x.subscripts))

    def low(self, items: Sequence[Layout]) -> float:
        """Subscripts, with commas where one is not one letter."""
        tight = all(isinstance(s, Sign) or (isinstance(s, Symbol) and len(s.name) == 1) for s in items)
        return SMALL * (self.total(items) + (0.0 if tight else COMMA) * len(items)) + 0.06

    def indexed(self, x: Indexed) -> float:
        """A matrix with subscripts."""
        return self.visit(x.body) + self.low(x.subscripts)

    def power(self, x: Power) -> float:
        """Base and exponent, with parentheses that the base may get."""
        inside = isinstance(x.base, Call) and x.base.function in POWERS_INSIDE
        guard = 0.05
        if isinstance(x.base, (Access, Symbol)) and not inside:
            g = self.notation.glyph(x.base.tensor if isinstance(x.base, Access) else x.base.name)
            guard += 2 * DELIMITER if g.tag or g.cotangent else 0.0
        return self.visit(x.base) + SMALL * self.visit(x.exponent) + guard

    def fraction(self, x: Fraction) -> float:
        """The wider of both."""
        return max(self.visit(x.top), self.visit(x.bottom)) + 0.3

    def sum(self, x: Sum) -> float:
        """Summands and their signs."""
        first = 0.8 if x.terms[0][0] else 0.0
        return first + BINARY * (len(x.terms) - 1) + self.total([a for _, a in x.terms])

    def product(self, x: Product) -> float:
        """Factors and thin spaces."""
        return self.total(x.factors) + WORD_SPACE * max(0, len(x.factors) - 1)

    def call(self, x: Call) -> float:
        """A function and its arguments."""
        return self.head(x) + self.total(x.arguments) + COMMA * (len(x.arguments) - 1)

    def head(self, x: Call) -> float:
        """The name of a function with what stands under it, and its parentheses."""
        under = SMALL * self.total(x.under)
        delimiters = TALL_DELIMITER if any(is_tall(a) for a in x.arguments) else DELIMITER
        plain = x.function in self.notation.spelt_functions and x.function in PLAIN
        name = (PLAIN if plain else FUNCTIONS)[x.function].text if x.function in FUNCTIONS else x.function
        word = 0.65 if len(name) == 1 else sum(0.7 if c.isupper() else 0.5 for c in name)
        return word + 2 * WORD_SPACE + under + (0.0 if x.bare else 2 * delimiters)

    def range(self, x: Range) -> float:
        """What stands under an operator."""
        last = 0.0 if x.last is None else max(self.visit(x.last), self.visit(x.index) + 1.9)
        return max(self.visit(x.index), last) + 0.1

    def big(self, x: Big) -> float:
        """An operator and its body."""
        return self.operator(x) + self.visit(x.body)

    def operator(self, x: Big) -> float:
        """The signs of a big operator with their limits."""
        together = [r for r in x.ranges if r.last is None]
        own = [[r] for r in x.ranges if r.last is not None]
        return sum(
            max(BIG_SIGN, SMALL * self.total(g) + 0.1) + WORD_SPACE for g in ([together] if together else []) + own
        )

    def cases(self, x: Cases) -> float:
        """The widest value, the widest condition, and the brace."""
        values = max(self.visit_all([*(v for v, _ in x.rows), x.otherwise]))
        conditions = max([4.2, *(self.visit(c) + 1.2 for _, c in x.rows)])
        return values + conditions + CASES_SIGN

    def fence(self, x: Fence) -> float:
        """The body and its delimiters."""
        return self.visit(x.body) + 2 * (TALL_DELIMITER if is_tall(x.body) else DELIMITER)

    def root(self, x: Root) -> float:
        """The body and the sign."""
        return self.visit(x.body) + ROOT_SIGN

    def relation(self, x: Relation) -> float:
        """The sides and what is between them."""
        wide = 3.0 if x.operation == "mod" else RELATION
        return self.total(x.sides) + wide * (len(x.sides) - 1)

    def negation(self, x: Negation) -> float:
        """The body and the sign."""
        return self.visit(x.body) + 0.7

    def elided(self, x: Elided) -> float:
        """The words that stand for too large an expression."""
        return 14.0


def glyph_width(g: Glyph, subscripts: float = 0.0) -> float:
    """The width of a name with subscripts of the given width."""
    face = 0.53 if g.verbatim or len(g.letter) > 1 else 0.6
    tag = SMALL * 0.56 * len(g.tag) + (SMALL * 2 * DELIMITER if g.tag.isdigit() else 0.0)
    return _text_width(g.letter, face) + max(tag, subscripts) + 0.05 + (0.56 if g.cotangent else 0.0)


def _text_width(text: Iterable[str], face: float) -> float:
    return sum(face + (0.3 if c in _WIDE else 0.0) + (0.0 if ord(c) < 0x400 else _number_width(c)) for c in text)


def _number_width(c: str) -> float:
    # a letter that the fonts lack is written U+XXXX
    from symgrad.report.escape import tex_character

    return 3.6 if tex_character(c).startswith("U+") else 0.1
