r"""Text of users in TeX: every character that TeX acts on becomes a command, every one that the fonts lack its number.

What stands in a formula file can therefore neither end the document nor read, write or run anything. The fonts are
those of Debian's texlive-latex-base and lmodern in T1 encoding.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from symgrad.report.signs import GREEK_TEX

_ACTIVE: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "-": "-{}",
}  # fmt: skip

_MATH: Mapping[str, str] = {
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "∞": r"\infty", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd",
    "∈": r"\in", "→": r"\to", "←": r"\leftarrow", "⇒": r"\Rightarrow", "∘": r"\circ", "∇": r"\nabla", "≈": r"\approx",
    "≡": r"\equiv", "∝": r"\propto", "⊙": r"\odot", "⊗": r"\otimes", "∀": r"\forall", "∃": r"\exists", "∧": r"\wedge",
    "∨": r"\vee", "−": "-", "⋅": r"\cdot", "‖": r"\Vert",
}  # fmt: skip

_TEXT: Mapping[str, str] = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\ldots{}", "\u00a0": "~", "•": r"\textbullet{}",
    "€": r"\texteuro{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "„": r"\quotedblbase{}", "×": r"\texttimes{}", "÷": r"\textdiv{}", "±": r"\textpm{}", "°": r"\textdegree{}",
    "·": r"\textperiodcentered{}", "²": r"\texttwosuperior{}", "³": r"\textthreesuperior{}", "¹": r"\textonesuperior{}",
    "µ": r"\textmu{}", "§": r"\S{}", "¶": r"\P{}", "©": r"\textcopyright{}", "½": r"\textonehalf{}",
}  # fmt: skip

_T1_EXTENDED = frozenset("ĂăĄąĆćČčĎďĐđĘęĚěĞğİıĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž")
"""Letters of Latin Extended-A that T1 fonts have."""


def codepoint(c: str) -> str:
    """The number of a character: U+XXXX."""
    return f"U+{ord(c):04X}"


def is_t1_letter(c: str) -> bool:
    """Whether a letter outside of ASCII is in the fonts, so that it may stand in the source as it is."""
    return (0xC0 <= ord(c) <= 0xFF and c not in "×÷") or c in _T1_EXTENDED


def tex_character(c: str) -> str:
    """One character of a user's text as TeX."""
    if c in _ACTIVE:
        return _ACTIVE[c]
    if " " <= c <= "~" or is_t1_letter(c):
        return c
    if c in _TEXT:
        return _TEXT[c]
    if c in GREEK_TEX or c in _MATH:
        return rf"\ensuremath{{{GREEK_TEX.get(c) or _MATH[c]}}}"
    return codepoint(c)


LONG_WORD, LONG_WORD_OF_CELL = 24, 12
"""A word of more characters than that may be broken anywhere, in a paragraph and in a cell of a table."""


_BREAK = r"\hspace{0pt}"
_WIDE = frozenset("ABCDEFGHKLMNOPQRSTUVWXYZmw@%")


def tex_text(text: str, long_word: int = LONG_WORD) -> str:
    """A user's text as TeX in one paragraph. Words that no line would hold may be broken anywhere."""
    words = unicodedata.normalize("NFC", text).replace("\n", " ").split(" ")
    return " ".join(_tex_word_of_text(w, long_word) for w in words)


def tex_cell(text: str) -> str:
    """A user's text as TeX in a narrow column."""
    return tex_text(text, LONG_WORD_OF_CELL)


def _tex_word_of_text(word: str, long_word: int) -> str:
    parts = [tex_character(c) for c in word]
    is_short = (
        sum(5.0 if p.startswith("U+") else 1.6 if c in _WIDE else 1.0 for c, p in zip(word, parts, strict=True))
        <= long_word
    )
    return "".join(parts) if is_short else _BREAK.join(parts)


def tex_code(line: str, columns: int, indent: int = 4) -> list[str]:
    """A line of code as TeX for a typewriter face, every blank as it stands, on as many lines as the columns demand."""
    rest = [(c, r"\ " if c == " " else tex_character(c)) for c in line.expandtabs(4)]
    lines: list[str] = []
    while rest:
        end = _end_of_line(rest, columns - indent * bool(lines))
        lines.append(r"\ " * (indent * bool(lines)) + "".join(tex for _, tex in rest[:end]))
        rest = rest[end:]
    return lines or [""]


def _end_of_line(characters: Sequence[tuple[str, str]], columns: int) -> int:
    """How many characters a line holds; it ends after a blank if there is one in its last third."""
    used = 0.0
    for end, (_, tex) in enumerate(characters):
        used += len(tex) if tex.startswith("U+") else 1.6 if tex.startswith(r"\ensuremath") else 1.0
        if used > columns:
            blanks = [k for k in range(2 * end // 3, end) if characters[k][0] == " "]
            return blanks[-1] + 1 if blanks else max(end, 1)
    return len(characters)


def tex_word(word: str, face: str = "it") -> str:
    """A name of several letters, or of one that has no sign of its own, as a word in mathematics."""
    if word.isascii():
        return rf"\math{face}{{{tex_text(word)}}}"
    return rf"\text{face}{{{tex_text(word)}}}"


def plain_text(text: str) -> str:
    """A user's text for a terminal or a page: control characters and such that reorder a line become their numbers."""
    from symgrad.errors import printable

    return printable(text)


def shortened(text: str, most: int = 2000) -> str:
    """The text, or its beginning and how much is left out."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most} more characters)"


def shortened_lines(text: str, most: int = 2000) -> list[str]:
    """The lines of a text, neither too many nor too long to be read."""
    lines = text.splitlines()
    rest = [f"... ({len(lines) - most} more lines)"] if len(lines) > most else []
    return [shortened(line, 1000) for line in lines[:most]] + rest
