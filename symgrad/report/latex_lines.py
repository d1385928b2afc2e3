r"""Long mathematics as lines: broken before + and -, then between factors, then inside parentheses, as people do it.

A layout becomes pieces; between two pieces a line may end at a price that grows with the depth of parentheses. The
lines with the least total price are taken. Fractions and roots that are wider than a line are written on one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symgrad.report.latex_terms import LatexPrinter
from symgrad.report.layout import (
    Big,
    Call,
    Cases,
    Fence,
    Fraction,
    Layout,
    Number,
    Power,
    Product,
    Relation,
    Root,
    Sum,
    Visitor,
    is_tall,
)
from symgrad.report.metric import BINARY, COMMA, DELIMITER, RELATION, TALL_DELIMITER, WORD_SPACE, Metric
from symgrad.report.notation import Notation
from symgrad.report.signs import FENCES, OPERATIONS, POWERS_INSIDE

INDENT = 2.0
"""How far lines after the first stand in, in em; once more for each depth of parentheses, up to four."""
DEEPEST = 4


@dataclass(frozen=True)
class Line:
    """A line of mathematics, and how far it stands in (em)."""

    indent: float
    tex: str
    width: float


@dataclass(frozen=True)
class Piece:
    """What is never broken. A line may end before it at the price `price`; None: never. `depth`: of parentheses."""

    tex: str
    width: float
    price: float | None = None
    depth: int = 0


def latex_lines(x: Layout, width: float, notation: Notation | None = None) -> list[Line]:
    """The layout as lines of at most `width` em, by our estimate."""
    notation = notation or Notation()
    whole = Metric(notation).visit(x)
    if whole <= width:
        return [Line(0.0, LatexPrinter(notation).visit(x), whole)]
    pieces = _Pieces(notation, width - INDENT * 2).visit(x)
    return break_pieces(pieces, width)


def break_pieces(pieces: Sequence[Piece], width: float) -> list[Line]:
    """Pieces as lines at the least price: of breaks, of lines, of what is too wide."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(pieces) + 1):
        best.append(min(_ways(pieces, best, end, width), key=lambda w: (w[0], -w[1])))
    lines: list[Line] = []
    end = len(pieces)
    while end:
        start = best[end][1]
        run = pieces[start:end]
        lines.append(Line(_indent(pieces, start), " ".join(p.tex for p in run), sum(p.width for p in run)))
        end = start
    return lines[::-1]


def _ways(
    pieces: Sequence[Piece], best: Sequence[tuple[float, int]], end: int, width: float
) -> list[tuple[float, int]]:
    """Prices of ending a line before piece `end`, each with where that line begins."""
    ways: list[tuple[float, int]] = []
    used = 0.0
    for start in range(end - 1, -1, -1):
        used += pieces[start].width
        price = pieces[start].price if start else 0.0
        room = width - _indent(pieces, start)
        if price is not None:
            over = max(0.0, used - room)
            ways.append((best[start][0] + price + 10.0 + 1000.0 * over, start))
        if used > room and ways:
            break
    return ways or [(float("inf"), 0)]


def _indent(pieces: Sequence[Piece], start: int) -> float:
    return INDENT * (1 + min(pieces[start].depth, DEEPEST)) if start else 0.0


_BREAKABLE = (Sum, Product, Big, Call, Fence, Fraction, Root, Relation, Power, Cases)


class _Pieces(Visitor[list[Piece]]):
    """Layouts as pieces. Whatever has no method of its own here is one piece."""

    def __init__(self, notation: Notation, width: float) -> None:
        self.printer = LatexPrinter(notation)
        self.metric = Metric(notation)
        self.width = width
        self.notation = notation
        self.depth = 0

    def visit(self, layout: Layout) -> list[Piece]:
        return layout.accept(self) if isinstance(layout, _BREAKABLE) else self.whole(layout)

    def whole(self, x: Layout) -> list[Piece]:
        """The layout as one piece."""
        return [Piece(self.printer.visit(x), self.metric.visit(x), depth=self.depth)]

    def fits(self, x: Layout, share: float = 0.6) -> bool:
        """Whether the layout takes no more than this share of a line, so that it stays whole."""
        return self.metric.visit(x) <= share * self.width

    def fixed(self, tex: str, width: float) -> Piece:
        """A sign that stays with what is before it."""
        return Piece(tex, width, depth=self.depth)

    def sum(self, x: Sum) -> list[Piece]:
        out: list[Piece] = []
        for k, (negative, a) in enumerate(x.terms):
            pieces = self.whole(a) if self.fits(a) else self.visit(a)
            sign = "-" if negative else "+" if k else ""
            if sign:
                head = pieces[0]
                joined = Piece(
                    f"{{}} {sign} {head.tex}" if k else f"{sign} {head.tex}", head.width + BINARY, depth=self.depth
                )
                pieces = [joined, *pieces[1:]]
            if k:
                pieces = [replace(pieces[0], price=1.0 + 6.0 * self.depth), *pieces[1:]]
            out += pieces
        return out

    def product(self, x: Product) -> list[Piece]:
        out: list[Piece] = []
        for k, f in enumerate(x.factors):
            pieces = self.whole(f) if self.fits(f, 0.3) else self.visit(f)
            if k:
                # a dot at the beginning of a line says that the line goes on with a factor
                first = pieces[0]
                pieces = [replace(first, tex=r"\, " + first.tex, width=first.width + WORD_SPACE), *pieces[1:]]
                pieces[0] = replace(pieces[0], price=4.0 + 6.0 * self.depth)
            out += pieces
        return out

    def big(self, x: Big) -> list[Piece]:
        head = self.fixed(self.printer.operator(x), self.metric.operator(x))
        rest = self.visit(x.body)
        return [self.joined(head, rest[0]), *rest[1:]]

    @staticmethod
    def joined(head: Piece, first: Piece) -> Piece:
        """Two pieces as one."""
        return replace(first, tex=f"{head.tex} {first.tex}", width=head.width + first.width)

    def call(self, x: Call) -> list[Piece]:
        if self.fits(x):
            return self.whole(x)
        if x.bare:
            return self.call(replace(x, bare=False))
        empty = replace(x, arguments=(), bare=True)
        head = self.printer.function(x.function)
        if x.under:
            head += f"_{{{self.printer.ranges(x.under)}}}"
        return self.enclosed(head, self.metric.head(empty), "paren", x.arguments)

    def fence(self, x: Fence) -> list[Piece]:
        return self.whole(x) if self.fits(x) else self.enclosed("", 0.0, x.kind, (x.body,))

    def enclosed(self, head: str, width: float, kind: str, bodies: Sequence[Layout], after: str = "") -> list[Piece]:
        """Bodies between delimiters of a fixed size, which may stand on different lines."""
        left, right = FENCES[kind]
        big = "Bigg" if any(is_tall(b) for b in bodies) else "big"
        size = TALL_DELIMITER if big == "Bigg" else DELIMITER
        opening = self.fixed(rf"{head}\{big}l{left.tex}", width + size)
        self.depth += 1
        out: list[Piece] = []
        for k, body in enumerate(bodies):
            pieces = self.visit(body)
            if k:
                out.append(self.fixed(",", COMMA))
                pieces = [replace(pieces[0], price=2.0 + 6.0 * self.depth), *pieces[1:]]
            out += pieces
        self.depth -= 1
        closing = self.fixed(rf"\{big}r{right.tex}{after}", size + 0.5 * len(after) * 0.4)
        return [opening, replace(out[0], price=9.0 + 6.0 * (self.depth + 1)), *out[1:], closing]

    def fraction(self, x: Fraction) -> list[Piece]:
        if self.fits(x, 1.0):
            return self.whole(x)
        if self.fits(x.bottom, 0.3):
            inverse = self.whole(Fraction(Number("1"), x.bottom))
            inner = x.top.factors if isinstance(x.top, Product) else (x.top,)
            top = self.product(Product(tuple(Fence("paren", f) if isinstance(f, Sum) else f for f in inner)))
            return [*inverse, replace(top[0], price=4.0 + 6.0 * self.depth), *top[1:]]
        top = self.enclosed("", 0.0, "paren", (x.top,))
        bottom = self.enclosed("", 0.0, "paren", (x.bottom,))
        slash = replace(
            bottom[0], tex=r"{} \Big/ " + bottom[0].tex, width=bottom[0].width + 1.0, price=4.0 + 6.0 * self.depth
        )
        return [*top, slash, *bottom[1:]]

    def root(self, x: Root) -> list[Piece]:
        if self.fits(x, 1.0):
            return self.whole(x)
        return self.enclosed("", 0.0, "paren", (x.body,), after="^{1/2}")

    def power(self, x: Power) -> list[Piece]:
        if self.fits(x):
            return self.whole(x)
        exponent = f"^{{{self.printer.visit(x.exponent)}}}"
        if isinstance(x.base, Call) and x.base.function in POWERS_INSIDE and isinstance(x.exponent, Number):
            head = self.printer.function(x.base.function) + exponent
            return self.enclosed(head, self.metric.head(x.base) + 0.5, "paren", x.base.arguments)
        if isinstance(x.base, Fence) and self.metric.visit(x.exponent) < self.width / 4:
            return self.enclosed("", 0.0, x.base.kind, (x.base.body,), after=exponent)
        return self.whole(x)

    def relation(self, x: Relation) -> list[Piece]:
        out: list[Piece] = []
        for k, side in enumerate(x.sides):
            pieces = self.visit(side)
            if k:
                sign = OPERATIONS[x.operation].tex
                first = pieces[0]
                pieces = [
                    Piece(f"{{}} {sign} {first.tex}", first.width + RELATION, self._price(k), self.depth),
                    *pieces[1:],
                ]
            out += pieces
        return out

    def _price(self, k: int) -> float | None:
        # the left side of an equation keeps company, unless it is long
        return 3.0 + 6.0 * self.depth

    def cases(self, x: Cases) -> list[Piece]:
        if self.fits(x, 1.0):
            return self.whole(x)
        rows = [*((v, self.condition(c)) for v, c in x.rows), (x.otherwise, r"\text{otherwise}")]
        body = r" \\ ".join(rf"{self.column(v)} \\ \qquad {c}" for v, c in rows)
        return [
            Piece(rf"\left\{{\begin{{array}}{{@{{}}l@{{}}}} {body} \end{{array}}\right.", self.width, depth=self.depth)
        ]

    def condition(self, c: Layout) -> str:
        """A condition of a case, on lines of its own where it is long."""
        return rf"\text{{if }} {self.column(c)}"

    def column(self, x: Layout) -> str:
        """A layout as lines one below the other."""
        lines = latex_lines(x, self.width - 5.0, self.notation)
        if len(lines) == 1:
            return lines[0].tex
        body = r" \\ ".join(rf"\hspace{{{line.indent:g}em}} {line.tex}" for line in lines)
        return rf"\begin{{array}}[t]{{@{{}}l@{{}}}} {body} \end{{array}}"
