"""report.tex: the formula, its gradient, and the derivation step by step, as a document that any LaTeX compiles.

The same bytes for the same derivation: no time, no path. Measured errors stay in certificate.json, for they differ
between machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from symgrad.report.array_layout import LAYOUT_CONVENTION
from symgrad.report.contents import PRODUCTS, Contents, StepRow, SymbolRow, contents, gradient_of
from symgrad.report.escape import shortened_lines, tex_cell, tex_code, tex_text
from symgrad.report.latex_lines import latex_lines
from symgrad.report.latex_terms import latex_layout
from symgrad.report.layout import Layout, Product, Symbol
from symgrad.report.metric import Metric
from symgrad.report.notation import Notation
from symgrad.report.present import equation
from symgrad.report.tex_preamble import CODE_COLUMNS, PREAMBLE, TEXT_WIDTH

if TYPE_CHECKING:
    from symgrad.closing.derivation import Derivation
    from symgrad.validate.certificate import Certificate

KINKS = 0.34
"""The column of the conditions in the table of kinks, as a part of the width of the text."""
EXTENTS = 0.17
"""The column of the extents in the table of symbols, as a part of the width of the text."""
INDENT = 1.5
"""How far mathematics stands in, in em."""

MOST_FRAMED_LINES = 16
"""A frame does not break across pages, so a longer result stands without one."""


def render_tex(
    derivation: Derivation, certificate: Certificate | None = None, kernels: Mapping[str, str] | None = None
) -> str:
    """The text of report.tex. `kernels`: generated files to show, name -> text."""
    return tex_document(contents(derivation, certificate), kernels or {})


def tex_document(c: Contents, kernels: Mapping[str, str]) -> str:
    """The contents as a LaTeX document."""
    title = tex_text(c.name)
    head = [PREAMBLE + rf"\hypersetup{{pdftitle={{{title}}},pdfcreator={{symgrad}}}}", r"\begin{document}"]
    return "\n".join([*head, *tex_body(c, kernels), r"\end{document}", ""])


def tex_body(c: Contents, kernels: Mapping[str, str]) -> list[str]:
    """What stands between the beginning and the end of the document."""
    parts = [
        _title(c),
        _formula(c),
        _result(c),
        _products(c),
        _second(c),
        _symbols(c),
        _assumptions(c),
        _derivation(c),
        _kinks(c),
        _verdict(c),
        _kernels(kernels),
        _references(c),
    ]
    return [line for part in parts for line in part]


def _section(title: str) -> str:
    return rf"\section*{{{title}}}"


def _title(c: Contents) -> list[str]:
    lines = [r"\begin{center}", rf"{{\LARGE\bfseries {tex_text(c.name)}\par}}"]
    if c.summary:
        lines += [rf"\medskip{{\large {tex_text(c.summary)}\par}}"]
    return [*lines, r"\end{center}"]


def _formula(c: Contents) -> list[str]:
    lines = [_section("The formula"), *code(c.written)]
    for left, right in c.statements:
        lines += math(equation(left, right), c.notation)
    return lines


def _result(c: Contents) -> list[str]:
    lines = [_section("The gradient")]
    if c.is_mean:
        lines.append("Of the mean of the loss over its batch:")
    lines += [*_closed(c), *_matrix(c)]
    for name in c.zero:
        lines.append(rf"The gradient of \texttt{{{tex_text(name)}}} is zero everywhere.\par")
    for outcome, inputs in c.expected:
        names = ", ".join(rf"\texttt{{{tex_text(name)}}}" for name in inputs)
        lines.append(rf"As the formula expects of {names}: {outcome}.\par")
    return lines


def _closed(c: Contents) -> list[str]:
    """The closed forms and the definitions of their names, in a frame if that is no longer than a page."""
    body: list[str] = []
    for g in c.closed:
        body += math(equation(gradient_of(g.left, c.is_loss), g.right), c.notation, 0.5)
    if c.where:
        body.append(r"where\par")
    for left, right in c.where:
        body += math(equation(left, right), c.notation)
    if sum(line.startswith(r"\sgline") for line in body) > MOST_FRAMED_LINES:
        return body
    return [r"\begin{sgframe}", *body, r"\end{sgframe}"]


def _second(c: Contents) -> list[str]:
    """The Hessian times a direction, and its diagonal."""
    if not c.second:
        return []
    pairs = ", ".join(rf"\texttt{{{tex_text(v)}}} in \texttt{{{tex_text(name)}}}" for name, v in c.directions)
    lines = [_section("Second order"), rf"The Hessian times the direction {pairs}, and its diagonal:\par"]
    for row in c.second:
        lines += math(equation(row.left, row.right), c.notation, 0.5)
    if c.second_where:
        lines.append(r"where\par")
    for left, right in c.second_where:
        lines += math(equation(left, right), c.notation)
    return lines


def _products(c: Contents) -> list[str]:
    """Contractions with what windows read, as products of matrices."""
    if not c.products:
        return []
    lines = [_section("As products of matrices"), rf"{tex_text(PRODUCTS)}\par"]
    for left, right in c.products:
        lines += math(equation(left, right), c.notation, 0.5)
    return lines


def _matrix(c: Contents) -> list[str]:
    """The closed forms in matrix notation, and the layout convention."""
    forms = [g for g in c.closed if g.matrix is not None]
    if not forms:
        return []
    lines = [rf"In matrix notation ({tex_text(LAYOUT_CONVENTION)}):\par"]
    for g in forms:
        assert g.matrix is not None
        lines += math(equation(gradient_of(Symbol(g.input), c.is_loss), g.matrix), c.notation, 0.5)
    if c.matrix_where:
        lines.append(r"where\par")
    for left, right in c.matrix_where:
        lines += math(equation(left, right), c.notation)
    return lines


def _symbols(c: Contents) -> list[str]:
    rows = [_symbol_row(s, c.notation) for s in c.symbols]
    heads = ("name", "symbol", "extents", "domain", "role")
    lines = [_section("Symbols"), *table(heads, (0.2, 0.13, EXTENTS, 0.16, 0.22), rows)]
    if c.has_batch_axes:
        note = r"$\ldots$ stands for any number of leading axes, $N_{\ldots}$ for the number of their elements.\par"
        lines.append(note)
    for s in c.symbols:
        if s.shape and not _fits_cell(s.shape, c.notation):
            lines.append(rf"The extents of \texttt{{{tex_text(s.name)}}} are\par")
            lines += [line for extent in s.shape for line in math(extent, c.notation)]
        if s.summary:
            lines.append(rf"\texttt{{{tex_text(s.name)}}}: {tex_text(s.summary)}\par")
    return lines


def _fits_cell(shape: Sequence[Layout], notation: Notation) -> bool:
    """Whether each extent is narrower than the column of the table."""
    return max(map(Metric(notation).visit, shape)) <= EXTENTS * TEXT_WIDTH


def _symbol_row(s: SymbolRow, notation: Notation) -> list[str]:
    shape = r" $\times$ ".join(inline(x, notation) for x in s.shape or ()) or "scalar"
    if s.shape and not _fits_cell(s.shape, notation):
        shape = "see below"
    name = rf"\texttt{{{tex_cell(s.name)}}}"
    return [name, inline(s.symbol, notation), shape, tex_cell(s.domain), tex_cell(s.role)]


def _assumptions(c: Contents) -> list[str]:
    if not c.assumed and not c.hints:
        return []
    lines = [_section("Assumptions")]
    for f in c.assumed:
        lines += [*math(f.condition, c.notation), rf"({tex_text(f.source)})\par"]
    for hint in c.hints:
        lines.append(rf"\textit{{Not assumed:}} {tex_text(hint)}\par")
    return lines


def _derivation(c: Contents) -> list[str]:
    if not c.steps:
        return []
    lines = [_section("The derivation")]
    if c.shorthand:
        lines.append("Names for parts of the formula that the derivation uses:")
    for left, right in c.shorthand:
        lines += math(equation(left, right), c.notation)
    for subject, steps in groupby(c.steps, key=lambda s: s.subject):
        lines.append(rf"\subsection*{{{_heading(subject)}}}")
        for step in steps:
            lines += _step(step, c.notation)
    if c.more_steps:
        lines.append(rf"and {c.more_steps} more steps.\par")
    return lines


def _heading(subject: str) -> str:
    head, of, name = subject.rpartition(" of ")
    return rf"{tex_text(head.capitalize())}{of}\texttt{{{tex_text(name)}}}"


def _step(s: StepRow, notation: Notation) -> list[str]:
    note = f" ({tex_text(s.note)})" if s.note else ""
    lines = [rf"\textbf{{{s.number}.}} \textit{{{tex_text(s.rule)}}}: {tex_text(s.why.rstrip('.'))}{note}.\par"]
    if s.law and s.first:
        lines += [r"\begin{sgmath}", rf"\sgline{{{INDENT:g}}}{{\textstyle {s.law}}}", r"\end{sgmath}"]
    # a function that is written as what it stands for looks the same before and after
    shown = s.after if s.before == s.after else equation(Product(()) if s.continues else s.before, s.after)
    return lines + math(shown, notation, INDENT)


def _kinks(c: Contents) -> list[str]:
    if not c.kinks:
        return []
    rows = [
        [
            _stacked(k.at, KINKS * TEXT_WIDTH, c.notation),
            rf"\texttt{{{tex_cell(k.of)}}}",
            tex_cell(k.convention),
            str(k.line or ""),
        ]
        for k in c.kinks
    ]
    text = "Where the derivative does not exist, this is taken:"
    return [_section("Kinks"), text, *table(("where", "of", "convention", "line"), (KINKS, 0.16, 0.32, 0.06), rows)]


def _verdict(c: Contents) -> list[str]:
    lines = [_section("The verdict")]
    if c.passed is None:
        return [*lines, r"Not validated.\par"]
    lines.append("All judges agree with the generated kernels." if c.passed else r"\textbf{The judges do not agree.}")
    rows = [
        [tex_cell(j.judge), j.word, str(j.points) if j.passed is not None else "", tex_cell(j.why)] for j in c.judges
    ]
    lines += table(("judge", "verdict", "points", ""), (0.22, 0.14, 0.1, 0.42), rows)
    return [*lines, r"The measured errors are in \texttt{certificate.json}.\par"]


def _kernels(kernels: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for name in sorted(kernels):
        lines += [rf"\subsection*{{\texttt{{{tex_text(name)}}}}}", *code(shortened_lines(kernels[name]))]
    return [_section("The kernels"), *lines] if lines else []


def _references(c: Contents) -> list[str]:
    if not c.references:
        return []
    return [_section("References"), *(rf"[{k}] {tex_text(r)}\par" for k, r in enumerate(c.references, 1))]


# ---- pieces ---------------------------------------------------------------------------------------------------------


def math(x: Layout, notation: Notation, indent: float = INDENT) -> list[str]:
    """A layout as displayed lines."""
    lines = latex_lines(x, TEXT_WIDTH - indent - 1.0, notation)
    body = [rf"\sgline{{{indent + line.indent:g}}}{{{line.tex}}}" for line in lines]
    return [r"\begin{sgmath}", *body, r"\end{sgmath}"]


def _stacked(x: Layout, width: float, notation: Notation) -> str:
    """A layout in a cell, on several lines where it is wider."""
    lines = latex_lines(x, width, notation)
    return r"\newline ".join(rf"\sgfit{{${line.tex}$}}" for line in lines)


def inline(x: Layout, notation: Notation) -> str:
    """A layout within a line of text or a cell, scaled where it is wider."""
    return rf"\sgfit{{${latex_layout(x, notation)}$}}"


def code(lines: Iterable[str]) -> list[str]:
    """Lines of text as they stand, in a typewriter face."""
    pieces = [piece for line in lines for piece in tex_code(line, CODE_COLUMNS)]
    return [r"\begin{sgcode}", *(rf"\sgcodeline{{{piece}}}" for piece in pieces), r"\end{sgcode}"]


def table(heads: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table that may break across pages; `shares` of the text width for the columns."""
    columns = "".join(rf"p{{{share:g}\linewidth}}" for share in shares)
    lines = [rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}", r"\hline"]
    lines += [_row([rf"\textit{{{h}}}" for h in heads]), r"\hline\endhead"]
    lines += [_row(cells) for cells in rows]
    return [*lines, r"\hline", r"\end{longtable}"]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(rf"\raggedright {cell}" for cell in cells) + r" \tabularnewline"
