r"""Terms as LaTeX: `latex(t)` is one line of mathematics, y_{ij} - t_{ij}; long ones are broken by `latex_lines`.

Needs amsmath and amssymb alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from symgrad.algebra.terms import Term
from symgrad.report.escape import tex_text, tex_word
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
from symgrad.report.present import equation, present, present_access
from symgrad.report.signs import (
    ACCENTS,
    BIG,
    FENCES,
    FUNCTIONS,
    GREEK_TEX,
    NOT,
    OPERATIONS,
    PLAIN,
    POWERS_INSIDE,
    SIGNS,
)

if TYPE_CHECKING:
    from symgrad.closing.derivation import Definition, Derivation


def latex(t: Term, notation: Notation | None = None) -> str:
    """The term as one line of LaTeX."""
    return LatexPrinter(notation or Notation()).visit(present(t, notation))


def latex_layout(x: Layout, notation: Notation | None = None) -> str:
    """The layout as one line of LaTeX."""
    return LatexPrinter(notation or Notation()).visit(x)


def latex_gradients(derivation: Derivation) -> str:
    r"""The closed forms as rows of mathematics, as `gathered` takes them."""
    from symgrad.report.contents import closed_form, derivation_notation, gradient_of

    notation = derivation_notation(derivation)
    is_loss = derivation.formula.program.is_loss
    rows = []
    for g in derivation.gradients:
        c = closed_form(g, derivation.formula, notation)
        rows.append(latex_layout(equation(gradient_of(c.left, is_loss), c.right), notation))
    return r" \\ ".join(rows)


def latex_definitions(definitions: Iterable[Definition], notation: Notation) -> dict[str, str]:
    r"""Left side -> right side of definitions, both as LaTeX."""
    return {
        latex_layout(present_access(d.name, d.indices), notation): latex_layout(
            present(d.body, notation, d.indices), notation
        )
        for d in definitions
    }


def glyph_tex(g: Glyph, subscripts: str = "") -> str:
    """A name with subscripts. A tag stands below a bare name, and above one that has subscripts."""
    if g.verbatim:
        head = rf"\mathtt{{{tex_text(g.letter)}}}" if g.letter.isascii() else rf"\texttt{{{tex_text(g.letter)}}}"
    else:
        head = _letter(g.letter)
    if g.accent:
        head = rf"{ACCENTS[g.accent].tex}{{{head}}}"
    if g.tag and subscripts:
        head += f"^{{({g.tag})}}" if g.tag.isdigit() else f"^{{{_tag(g.tag)}}}"
        low = subscripts
    else:
        low = _tag(g.tag) if g.tag else subscripts
    out = head + (f"_{{{low}}}" if low else "")
    return rf"{{\mathrm{{d}}{out}}}" if g.cotangent else out


def _letter(text: str) -> str:
    if text in GREEK_TEX:
        return GREEK_TEX[text]
    return text if len(text) == 1 and text.isascii() else tex_word(text)


def _tag(tag: str) -> str:
    return tag if tag.isdigit() else _letter(tag) if len(tag) == 1 else tex_word(tag, "rm")


class LatexPrinter(Visitor[str]):
    """Layouts as LaTeX on one line."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation

    def symbol(self, x: Symbol) -> str:
        """The name of a user."""
        return glyph_tex(self.notation.glyph(x.name))

    def number(self, x: Number) -> str:
        """1.5, or 10^{-3}."""
        mantissa, e, exponent = x.text.partition("e")
        if not e:
            return x.text
        power = rf"10^{{{exponent}}}"
        return power if mantissa == "1" else rf"{mantissa}\cdot {power}"

    def sign(self, x: Sign) -> str:
        """A fixed sign."""
        return SIGNS[x.name].tex

    def access(self, x: Access) -> str:
        """y_{ij}."""
        return glyph_tex(self.notation.glyph(x.tensor), self.subscripts(x.subscripts))

    def indexed(self, x: Indexed) -> str:
        """(X^{-1})_{ij}."""
        return f"{self.visit(x.body)}_{{{self.subscripts(x.subscripts)}}}"

    def subscripts(self, items: Sequence[Layout]) -> str:
        """Subscripts side by side where each is one letter, else with commas."""
        tight = all(self.is_letter(s) for s in items)
        texts = self.visit_all(items)
        if not tight:
            return ",".join(texts)
        return _tokens(texts)

    def is_letter(self, x: Layout) -> bool:
        """Whether a subscript is one letter."""
        if isinstance(x, Symbol):
            g = self.notation.glyph(x.name)
            return g.is_letter and not g.tag and not g.accent
        return isinstance(x, Sign) and x.name == "..."

    def power(self, x: Power) -> str:
        r"""x^{2}; \tanh^{2} x."""
        exponent = self.exponent(x.exponent)
        if isinstance(x.base, Call) and x.base.function in POWERS_INSIDE:
            if isinstance(x.exponent, Number) and not x.base.under:
                return self.applied(self.function(x.base.function) + f"^{{{exponent}}}", x.base)
            return f"({self.visit(x.base)})^{{{exponent}}}"
        base = self.visit(x.base)
        if isinstance(x.base, (Access, Symbol)):
            g = self.notation.glyph(x.base.tensor if isinstance(x.base, Access) else x.base.name)
            if g.cotangent or (g.tag and isinstance(x.base, Access)):
                base = f"({base})"
        if isinstance(x.base, Number) and "e" in x.base.text:
            base = f"({base})"
        return f"{base}^{{{exponent}}}"

    def exponent(self, x: Layout) -> str:
        """What stands high; a fraction of numbers with a slash."""
        if isinstance(x, Fraction) and isinstance(x.top, Number) and isinstance(x.bottom, Number):
            return f"{self.visit(x.top)}/{self.visit(x.bottom)}"
        return self.visit(x)

    def fraction(self, x: Fraction) -> str:
        r"""\frac{a}{b}."""
        return rf"\frac{{{self.visit(x.top)}}}{{{self.visit(x.bottom)}}}"

    def sum(self, x: Sum) -> str:
        """a - b + c."""
        out = ""
        for negative, a in x.terms:
            text = self.visit(a)
            out += (" - " if out else "-") + text if negative else (" + " if out else "") + text
        return out

    def product(self, x: Product) -> str:
        """a b c."""
        out = ""
        for left, right in zip((None, *x.factors), x.factors, strict=False):
            out += self.glue(left, right) + self.visit(right)
        return out

    def glue(self, left: Layout | None, right: Layout) -> str:
        """What stands between two factors: nothing but a blank, a thin space beside words, a dot between numbers."""
        if left is None:
            return ""
        if isinstance(_first(right), Number):
            return r" \cdot "
        wide = any(self.is_word(f) for f in (left, right)) or isinstance(left, Fraction) or isinstance(right, Call)
        bracket = isinstance(right, Fence) and isinstance(left, (Access, Symbol))
        return r" \, " if wide or bracket else " "

    def is_word(self, x: Layout) -> bool:
        """Whether a factor is written as a word."""
        if isinstance(x, Power):
            return self.is_word(x.base)
        if isinstance(x, (Symbol, Access)):
            return not self.notation.glyph(x.tensor if isinstance(x, Access) else x.name).is_letter
        return False

    def function(self, name: str) -> str:
        """The name of a function."""
        plain = name in self.notation.spelt_functions and name in PLAIN
        known = PLAIN.get(name) if plain else FUNCTIONS.get(name)
        return known.tex if known else rf"\operatorname{{{tex_text(name)}}}"

    def call(self, x: Call) -> str:
        r"""\log x, \operatorname{softmax}_{j}(z_{ij})."""
        return self.applied(self.function(x.function), x)

    def applied(self, head: str, x: Call) -> str:
        """A function name, what stands under it, and the arguments."""
        if x.under:
            head += f"_{{{self.ranges(x.under)}}}"
        if x.bare:
            return f"{head} {self.visit(x.arguments[0])}"
        inside = ", ".join(self.visit_all(x.arguments))
        return head + self.fenced("paren", inside, any(is_tall(a) for a in x.arguments))

    def ranges(self, items: Sequence[Range]) -> str:
        """Indices under an operator: side by side, or one below the other where they bear limits."""
        texts = self.visit_all(items)
        return _tokens(texts) if all(len(t) == 1 or t[0] == "\\" for t in texts) else ",".join(texts)

    def range(self, x: Range) -> str:
        r"""j, or j = 0 \ldots c - 1."""
        index = self.visit(x.index)
        return index if x.last is None else rf"{index} = 0 \ldots {self.visit(x.last)}"

    def big(self, x: Big) -> str:
        r"""\sum_{j} x_{j}."""
        return f"{self.operator(x)} {self.visit(x.body)}"

    def operator(self, x: Big) -> str:
        """The signs of a big operator with what stands below and above: those without limits share one sign."""
        sign = BIG[x.kind].tex
        together = [r for r in x.ranges if r.last is None]
        heads = [f"{sign}_{{{self.ranges(together)}}}"] if together else []
        for r in x.ranges:
            if r.last is not None:
                heads.append(f"{sign}_{{{self.visit(r.index)}=0}}^{{{self.visit(r.last)}}}")
        return " ".join(heads)

    def cases(self, x: Cases) -> str:
        """Cases with a brace."""
        rows = [rf"{self.visit(v)} & \text{{if }} {self.visit(c)}" for v, c in x.rows]
        rows.append(rf"{self.visit(x.otherwise)} & \text{{otherwise}}")
        tall = any(is_tall(v) for v, _ in x.rows) or is_tall(x.otherwise)
        return r"\begin{cases} " + (r" \\[3pt] " if tall else r" \\ ").join(rows) + r" \end{cases}"

    def fence(self, x: Fence) -> str:
        r"""[j = t_{i}], \lvert x \rvert."""
        return self.fenced(x.kind, self.visit(x.body), is_tall(x.body))

    @staticmethod
    def fenced(kind: str, inside: str, tall: bool) -> str:
        """Text between delimiters, which grow with what is tall."""
        left, right = FENCES[kind]
        return rf"\left{left.tex}{inside} \right{right.tex}" if tall else f"{left.tex}{inside}{right.tex}"

    def root(self, x: Root) -> str:
        r"""\sqrt{x}."""
        return rf"\sqrt{{{self.visit(x.body)}}}"

    def relation(self, x: Relation) -> str:
        r"""a \le b."""
        return f" {OPERATIONS[x.operation].tex} ".join(self.visit_all(x.sides))

    def negation(self, x: Negation) -> str:
        r"""\neg a."""
        return NOT.tex + self.visit(x.body)

    def elided(self, x: Elided) -> str:
        """What stands for too large an expression."""
        return rf"\text{{(an expression of {x.size} parts)}}"


def _first(x: Layout) -> Layout:
    while isinstance(x, (Product, Power)):
        x = x.factors[0] if isinstance(x, Product) else x.base
    return x


def _tokens(texts: Sequence[str]) -> str:
    """Texts side by side; a command is kept apart from a letter that follows it."""
    out = ""
    for t in texts:
        command = out.rpartition("\\")[2]
        out += (" " if "\\" in out and command.isalpha() and t[:1].isalpha() else "") + t
    return out
