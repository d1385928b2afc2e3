"""Where each character of a YAML scalar stands in the file: past indentation, folds, quotes and escapes."""

from __future__ import annotations

_ESCAPE_WIDTH = {"x": 4, "u": 6, "U": 10}


def align(source: str, value: str, start: int, end: int, style: str | None) -> list[int]:
    """Offsets in source[start:end] of the characters of the value; exact but for oddly folded white space."""
    at = start
    if style in ("|", ">"):
        header = source.rfind("\n", 0, start)
        at = start if source[header + 1 : start].strip() == "" else _after_header(source, start, end)
    elif style in ("'", '"'):
        at = start + 1
    offsets = []
    for c in value:
        at = _seek(source, c, at, end, style)
        offsets.append(min(at, max(start, end - 1)))
        at += _width(source, c, at, style)
    return offsets


def _after_header(source: str, start: int, end: int) -> int:
    found = source.find("\n", start, end)
    return start if found < 0 else found + 1


def _seek(source: str, c: str, at: int, end: int, style: str | None) -> int:
    """The offset of c from `at` on: white space of folds and indentation is passed over."""
    if c.isspace():
        return at
    k = at
    while k < end and source[k] != c:
        if source[k].isspace():
            k += 1
        elif style == '"' and source[k] == "\\":
            return k if source[k + 1 : k + 2] not in ("\n", "") else _seek(source, c, k + 1, end, style)
        else:
            return at
    return k if k < end else at


def _width(source: str, c: str, at: int, style: str | None) -> int:
    """How many characters of the file stand for c at this offset."""
    if style == '"' and source[at : at + 1] == "\\":
        return _ESCAPE_WIDTH.get(source[at + 1 : at + 2], 2)
    if style == "'" and c == "'":
        return 2
    if c.isspace():
        return 1 if source[at : at + 1] == c else 0
    return 1
