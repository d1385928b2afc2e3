"""Places: every text that a formula file holds knows where each of its characters stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symgrad.errors import FormulaError, Where
from symgrad.formula.program import Place


@dataclass(frozen=True)
class Source:
    """A formula file, decoded, its lines ending in a line feed."""

    file: str
    text: str

    @cached_property
    def starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0] + [k + 1 for k, c in enumerate(self.text) if c == "\n"]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, counted from 1, of an offset into the text."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """A line without its end."""
        start = self.starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def where(self, start: int, end: int | None = None, note: str = "") -> Where:
        """The place of a stretch, cut at the end of its line."""
        line, column = self.position(min(start, len(self.text)))
        shown = self.line(line)
        length = 1 if end is None else max(1, min(end - start, len(shown) - column + 1))
        return Where(self.file, line, column, length, shown, note)

    def error(self, message: str, start: int, end: int | None = None, help: str = "", note: str = "") -> FormulaError:
        """An error that shows the stretch."""
        return FormulaError(message, self.where(start, end, note), help)


@dataclass(frozen=True)
class Text:
    """A value of the file: its characters, and lazily the offset in the file of each."""

    source: Source
    value: str
    start: int
    end: int
    locate: Callable[[], Sequence[int]] = field(default=lambda: (), compare=False)

    def tail(self, k: int) -> Text:
        """The text from its character k on."""
        return Text(self.source, self.value[k:], self.at(k), self.end, lambda: self.offsets[k:])

    @cached_property
    def offsets(self) -> Sequence[int]:
        """Offset in the file of every character of the value."""
        return self.locate()

    def at(self, k: int) -> int:
        """Offset in the file of character k of the value."""
        return self.offsets[k] if 0 <= k < len(self.offsets) else self.end

    def where(self, start: int = 0, end: int | None = None, note: str = "") -> Where:
        """The place of value[start:end] (of all of it by default)."""
        end = len(self.value) if end is None else end
        if not self.value:
            return self.source.where(self.start, self.end, note)
        last = self.at(max(start, end - 1)) + 1
        return self.source.where(self.at(start), last, note)

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """The same as a Place, which the program keeps."""
        w = self.where(start, end)
        return Place(w.file, w.line, w.column, w.length)

    def error(
        self,
        message: str,
        start: int = 0,
        end: int | None = None,
        help: str = "",
        note: str = "",
        kind: type[FormulaError] = FormulaError,
    ) -> FormulaError:
        """An error that shows value[start:end]."""
        return kind(message, self.where(start, end, note), help)


def loose(value: str, file: str = "<text>") -> Text:
    """A text that stands in no file: its own first line is its source."""
    source = Source(file, value)
    return Text(source, value, 0, len(value), lambda: range(len(value)))
