"""Mistakes of YAML that people make in formula files, told in the words of formulas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from symgrad.errors import FormulaError
from symgrad.formula.source import Source

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

SPECIAL = {
    "|": "a block of text",
    ">": "a folded block of text",
    "@": "nothing (it is reserved)",
    "`": "nothing (it is reserved)",
    "*": "an alias",
    "&": "an anchor",
    "[": "a list",
    "!": "a tag",
    "%": "a directive",
    "{": "a mapping",
}
_VALUE = re.compile(r"^\s*(?:- +)?(?:[^\s:#][^:#]*:\s+)?(?P<value>\S.*)$")


def explain_yaml(source: Source, e: MarkedYAMLError) -> FormulaError:
    """The parser's complaint with the place, and how to mend what most likely was meant."""
    mark = e.problem_mark or e.context_mark
    at = mark.index if mark is not None else 0
    at = min(at, len(source.text))
    problem = str(e.problem or e.context or "not valid YAML").replace("\\t", "tab")
    opened = e.context_mark.index if e.context_mark is not None else at
    if "quoted scalar" in str(e.context) and "end of stream" in problem:
        return source.error("a quote is opened here and never closed", opened, help="close it at the end of the value")
    line, _ = source.position(at)
    text = source.line(line)
    if "tab" in problem or text[: max(0, len(text) - len(text.lstrip()))].count("\t"):
        return source.error(
            "a tab indents this line", source.starts[line - 1], help="indent with blanks; YAML allows no tab there"
        )
    if "mapping values are not allowed" in problem:
        return _colon(source, at, line)
    special = None if "block" in problem else _special(text) or _special(source.line(source.position(opened)[0]))
    if special:
        c, shown = special
        mend = f"a value that begins with {c} is {SPECIAL[c]} in YAML: put it in quotes, {shown}"
        if c == "[":
            mend = "in a list a comma ends an item: put items with brackets, commas or braces in quotes"
        elif c == "{":
            mend = "between braces, brackets and commas need quotes; or write each entry on a line of its own"
        return source.error(f"not valid YAML: {problem}", at, help=mend)
    return source.error(
        f"not valid YAML: {problem}", at, help="check indentation and quotes; put unusual text in quotes"
    )


def _colon(source: Source, at: int, line: int) -> FormulaError:
    before = source.line(line)[: source.position(at)[1] - 1]
    if re.match(r"^\s*[^\s:]+:\s+\S", before):
        return source.error(
            "a second colon in one line", at, help='put the value in quotes: summary: "Loss: the usual one"'
        )
    mend = "keys of one level begin in the same column; a value that holds `: ` needs quotes"
    return source.error("a key stands where none can be: the indentation does not fit", at, help=mend)


def _special(line: str) -> tuple[str, str] | None:
    """First character and a quoted form of a value that YAML reads in its own way."""
    found = _VALUE.match(line)
    value = found.group("value").strip() if found else ""
    if not value or value[0] not in SPECIAL:
        return None
    shown = value.replace("\\", "\\\\").replace('"', '\\"')
    return value[0], f'"{shown if len(shown) <= 40 else shown[:37] + "..."}"'
