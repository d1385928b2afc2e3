"""What goes wrong, for the person who made the mistake: place, line, caret, what was expected, how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class SymgradError(Exception):
    """Any failure that symgrad reports without a traceback. `code` is the exit code of the command."""

    code = 2
    kind = "error"


class UsageError(SymgradError):
    """Wrong usage of the command or of the Python interface: an unknown option value, name or folder."""

    kind = "usage"


@dataclass(frozen=True)
class Where:
    """Where in a formula file a mistake stands; line and column count from 1."""

    file: str
    line: int
    column: int
    length: int = 1
    source: str = ""
    """The line of the file."""
    note: str = ""
    """Said behind the carets."""


class FormulaError(SymgradError):
    """A wrong formula. `Sum(z[i, j]*w[j], j)` with z: [n, c], w: [k]: index j has two ranges; give w the shape [c]."""

    kind = "formula"

    def __init__(self, message: str, where: Where | None = None, help: str = "") -> None:
        super().__init__(message)
        self.message, self.where, self.help = message, where, help

    def __str__(self) -> str:
        return render(self.message, self.where, self.help)


class LimitError(SymgradError):
    """A right formula that could not be derived within the limits of time, memory or size; the limit is named."""

    code = 3
    kind = "limit"


class UnsupportedError(FormulaError):
    """A right formula with a construct that cannot be derived (or not yet); the construct is named."""

    code = 3
    kind = "unsupported"


class VerdictError(SymgradError):
    """A negative verdict: the validation, `expect` or `check` disagreed."""

    code = 1
    kind = "verdict"


def printable(text: str) -> str:
    """Text without characters that move a terminal's cursor or reorder a line: they become U+XXXX."""
    hidden = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0xFEFF}
    surrogates = range(0xD800, 0xE000)
    return "".join(f"<U+{ord(c):04X}>" if ord(c) in hidden or ord(c) in surrogates else c for c in text)


def render(message: str, where: Where | None, help: str) -> str:
    """The message with the line, a caret under the place and the help; no `error:` in front."""
    lines = [printable(message)]
    if where is not None:
        width = len(str(where.line))
        pad = " " * width
        left = printable(where.source[: where.column - 1])
        carets = "^" * max(1, min(where.length, 60))
        lines += [
            f"{pad} --> {printable(where.file)}:{where.line}:{where.column}",
            f"{pad}  |",
            f"{where.line}  | {printable(where.source)}"[:400],
            f"{pad}  | {' ' * min(len(left), 380)}{carets} {printable(where.note)}".rstrip(),
        ]
    if help:
        pad = " " * len(str(where.line)) if where else ""
        lines.append(f"{pad}  = help: {printable(help)}")
    return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt word most likely means."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = {n.lower(): n for n in names}
    return folded.get(word.lower())


def listing(names: Iterable[str]) -> str:
    """Names for a message: `a, b and c`."""
    items = list(names)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + (" and " if items else "") + "".join(items[-1:])
