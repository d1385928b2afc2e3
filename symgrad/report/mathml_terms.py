"""Layouts as MathML Core, which browsers show without a script: `mathml(x)` is one <math> element."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

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
from symgrad.report.notation import Glyph, Notation
from symgrad.report.signs import ACCENTS, BIG, FENCES, FUNCTIONS, NOT, OPERATIONS, PLAIN, POWERS_INSIDE, SIGNS

APPLY = "<mo>&#x2061;</mo>"
TIMES = "<mo>&#x2062;</mo>"
COMMA = '<mo separator="true">,</mo>'


def mathml(x: Layout, notation: Notation | None = None, block: bool = False) -> str:
    """The layout as a <math> element; `block`: displayed on its own."""
    kind = ' display="block"' if block else ""
    return f"<math{kind}>{_row(MathmlPrinter(notation or Notation()).visit(x))}</math>"


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _text(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{escape(plain_text(text))}</{tag}>"


def _operator(text: str) -> str:
    return _text("mo", text)


def _name(text: str) -> str:
    # a word of several letters stands upright in MathML by itself, a letter in italics
    return _text("mi", text)


class MathmlPrinter(Visitor[str]):
    """Layouts as MathML elements."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def listed(self, items: Sequence[Layout]) -> str:
        """Layouts with commas between."""
        return COMMA.join(self.visit_all(items))

    def symbol(self, x: Symbol) -> str:
        """The name of a user."""
        return self.glyph(self.notation.glyph(x.name))

    def glyph(self, g: Glyph, subscripts: str = "") -> str:
        """A name with subscripts; a tag stands below a bare name, and above one that has subscripts."""
        head = _text("mtext", g.letter) if g.verbatim else _name(g.letter)
        if g.accent:
            head = f'<mover accent="true">{head}{_operator(_ACCENT_SIGNS[g.accent])}</mover>'
        tag = _name(g.tag) if not g.tag.isdigit() else _text("mn", g.tag)
        if g.tag and subscripts:
            high = _row(_operator("("), tag, _operator(")")) if g.tag.isdigit() else tag
            head = f"<msubsup>{head}{_row(subscripts)}{high}</msubsup>"
        elif g.tag or subscripts:
            head = f"<msub>{head}{_row(subscripts or tag)}</msub>"
        return _row('<mi mathvariant="normal">d</mi>', head) if g.cotangent else head

    def number(self, x: Number) -> str:
        """1.5, or 10 to a power."""
        mantissa, e, exponent = x.text.partition("e")
        if not e:
            return _text("mn", x.text)
        power = f"<msup><mn>10</mn>{_text('mn', exponent.replace('-', '−'))}</msup>"
        return power if mantissa == "1" else _row(_text("mn", mantissa), _operator("·"), power)

    def sign(self, x: Sign) -> str:
        """A fixed sign."""
        if x.name == "batch":
            return "<msub><mi>N</mi><mo>…</mo></msub>"
        upright = ' mathvariant="normal"' if x.name in ("E", "differential") else ""
        return _text("mi", SIGNS[x.name].text, upright)

    def access(self, x: Access) -> str:
        """A name with subscripts side by side where each is one letter, else with commas."""
        return self.glyph(self.notation.glyph(x.tensor), self.subscripts(x.subscripts))

    def subscripts(self, items: Sequence[Layout]) -> str:
        """Subscripts side by side."""
        tight = all(isinstance(s, Sign) or (isinstance(s, Symbol) and len(s.name) == 1) for s in items)
        return ("" if tight else COMMA).join(self.visit_all(items))

    def indexed(self, x: Indexed) -> str:
        """A matrix in parentheses with subscripts."""
        return f"<msub>{_row(self.visit(x.body))}{_row(self.subscripts(x.subscripts))}</msub>"

    def power(self, x: Power) -> str:
        """A base with an exponent, which stands at the name of some functions."""
        exponent = self.visit(x.exponent)
        if isinstance(x.base, Call) and x.base.function in POWERS_INSIDE:
            if isinstance(x.exponent, Number) and not x.base.under:
                return self.applied(f"<msup>{self.function(x.base.function)}{exponent}</msup>", x.base)
            return f"<msup>{_row(_operator('('), self.visit(x.base), _operator(')'))}{exponent}</msup>"
        base = self.visit(x.base)
        if isinstance(x.base, (Access, Symbol)):
            g = self.notation.glyph(x.base.tensor if isinstance(x.base, Access) else x.base.name)
            if g.cotangent or (g.tag and isinstance(x.base, Access)):
                base = _row(_operator("("), base, _operator(")"))
        return f"<msup>{_row(base)}{_row(exponent)}</msup>"

    def fraction(self, x: Fraction) -> str:
        """Top over bottom."""
        return f"<mfrac>{_row(self.visit(x.top))}{_row(self.visit(x.bottom))}</mfrac>"

    def sum(self, x: Sum) -> str:
        """Summands and their signs."""
        out = ""
        for negative, a in x.terms:
            sign = "−" if negative else "+" if out else ""
            prefix = ' form="prefix"' if sign and not out else ""
            out += (_text("mo", sign, prefix) if sign else "") + self.visit(a)
        return out

    def product(self, x: Product) -> str:
        """Factors side by side, a dot between numbers."""
        out = ""
        for k, f in enumerate(x.factors):
            first = f.base if isinstance(f, Power) else f
            out += (_operator("·") if isinstance(first, Number) else TIMES) if k else ""
            out += self.visit(f)
        return out

    def function(self, name: str) -> str:
        """The name of a function."""
        table = PLAIN if name in self.notation.spelt_functions and name in PLAIN else FUNCTIONS
        return _text("mi", table[name].text if name in table else name, ' mathvariant="normal"')

    def call(self, x: Call) -> str:
        """A function and its arguments."""
        return self.applied(self.function(x.function), x)

    def applied(self, head: str, x: Call) -> str:
        """A head, what stands under it, and the arguments."""
        if x.under:
            head = f"<msub>{head}{_row(self.listed(x.under))}</msub>"
        if x.bare:
            return _row(head, APPLY, self.visit(x.arguments[0]))
        return _row(head, APPLY, _row(_operator("("), self.listed(x.arguments), _operator(")")))

    def range(self, x: Range) -> str:
        """The index, and how far it runs."""
        index = self.visit(x.index)
        return (
            index if x.last is None else _row(index, _operator("="), "<mn>0</mn>", _operator("…"), self.visit(x.last))
        )

    def big(self, x: Big) -> str:
        """An operator, what stands below and above it, and the body."""
        sign = _text("mo", {"Σ": "∑"}.get(BIG[x.kind].text, BIG[x.kind].text))
        together = [r for r in x.ranges if r.last is None]
        heads = [f"<munder>{sign}{_row(self.listed(together))}</munder>"] if together else []
        for r in x.ranges:
            if r.last is not None:
                below = _row(self.visit(r.index), _operator("="), "<mn>0</mn>")
                heads.append(f"<munderover>{sign}{below}{_row(self.visit(r.last))}</munderover>")
        return _row(*heads, self.visit(x.body))

    def cases(self, x: Cases) -> str:
        """A brace and a table of values and conditions."""
        rows = [(self.visit(v), _row(_text("mtext", "if\u00a0"), self.visit(c))) for v, c in x.rows]
        rows.append((self.visit(x.otherwise), _text("mtext", "otherwise")))
        body = "".join(f"<mtr><mtd>{_row(a)}</mtd><mtd>{b}</mtd></mtr>" for a, b in rows)
        return _row(_operator("{"), f'<mtable class="cases">{body}</mtable>')

    def fence(self, x: Fence) -> str:
        """The body between delimiters."""
        left, right = FENCES[x.kind]
        opening = _text("mo", left.text, ' form="prefix"')
        return _row(opening, self.visit(x.body), _text("mo", right.text, ' form="postfix"'))

    def root(self, x: Root) -> str:
        """The square root."""
        return f"<msqrt>{_row(self.visit(x.body))}</msqrt>"

    def relation(self, x: Relation) -> str:
        """Sides and what is between them."""
        return _operator(OPERATIONS[x.operation].text).join(self.visit_all(x.sides))

    def negation(self, x: Negation) -> str:
        """The opposite of a condition."""
        return _row(_operator(NOT.text), self.visit(x.body))

    def elided(self, x: Elided) -> str:
        """What stands for too large an expression."""
        return _text("mtext", f"(an expression of {x.size} parts)")


_ACCENT_SIGNS = {name: {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙"}[name] for name in ACCENTS}
