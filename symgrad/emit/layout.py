"""Long lines broken as ruff formats them; that the printers set blanks around binary operators is relied on here."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 100
INDENT = "    "
OPERATORS = (
    (" if ", " else "),
    (" or ",),
    (" and ",),
    (" < ", " <= ", " == ", " != "),
    (" | ",),
    (" & ",),
    (" + ", " - "),
    (" * ", " / ", " @ ", " // ", " % "),
    (" ** ",),
)


def lay_out(line: str, depth: int = 0) -> list[str]:
    """One logical line as physical lines at an indentation."""
    pad = INDENT * depth
    if len(pad + line) <= WIDTH:
        return [pad + line]
    if line.endswith(":") and line.startswith(("def ", "class ")):
        opening, closing = _groups(line, 0)[0]
        return [pad + line[: opening + 1], *_content(line[opening + 1 : closing], depth + 1), pad + line[closing:]]
    for keyword in ("return ", "raise "):
        if line.startswith(keyword):
            return _expression(keyword, line[len(keyword) :], depth)
    at = _first(line, (" = ", " += "))
    if at:
        return _expression(line[: at[0] + len(at[1])], line[at[0] + len(at[1]) :], depth)
    return _expression("", line, depth)


def _expression(prefix: str, text: str, depth: int, suffix: str = "", inside: bool = False) -> list[str]:
    """prefix text suffix, broken inside the text; `inside`: it stands in brackets already."""
    pad = INDENT * depth
    if len(pad + prefix + text + suffix) <= WIDTH:
        return [pad + prefix + text + suffix]
    items = split_commas(text)
    if len(items) > 1 and not inside:
        return [f"{pad}{prefix}(", *_content(text, depth + 1, explode=True), f"{pad}){suffix}"]
    for operators in OPERATORS:
        parts = split_top(text, operators)
        if len(parts) > 1:
            bracket = text.startswith("(") or (
                text.endswith((")", "]")) and not text.endswith("()") and not _subscripts_a_group(parts[-1])
            )
            if len(parts) == 2 and not inside and bracket:
                return _at_brackets(prefix + text + suffix, depth, len(prefix))
            return _operands(prefix, text, parts, depth, suffix, inside)
    return _at_brackets(prefix + text + suffix, depth, len(prefix))


def _subscripts_a_group(operand: str) -> bool:
    """Whether an operand is `(a + b)[...]`."""
    opening = operand.split(" ", 1)[-1]
    return operand.endswith("]") and opening.startswith("(") and len(_groups(opening, 0)) == 2


def _operands(prefix: str, text: str, parts: list[str], depth: int, suffix: str, inside: bool) -> list[str]:
    pad = INDENT * depth
    if inside and not prefix:
        last = len(parts) - 1
        return [
            line
            for k, p in enumerate(parts)
            for line in _expression(*_operator(p), depth, suffix if k == last else "", True)
        ]
    inner = INDENT * (depth + 1)
    if len(inner + text) <= WIDTH:
        return [f"{pad}{prefix}(", inner + text, f"{pad}){suffix}"]
    lines = [line for p in parts for line in _expression(*_operator(p), depth + 1, "", True)]
    return [f"{pad}{prefix}(", *lines, f"{pad}){suffix}"]


def _at_brackets(line: str, depth: int, start: int) -> list[str]:
    """The line broken in the first bracket whose end, and what follows up to the next bracket, does not fit."""
    pad = INDENT * depth
    if len(pad + line) <= WIDTH:
        return [pad + line]
    groups = _groups(line, start)
    if not groups:
        return [pad + line]
    for k, (opening, closing) in enumerate(groups):
        stop = groups[k + 1][0] + 1 if k + 1 < len(groups) else len(line)
        if len(pad) + stop > WIDTH:
            rest = _at_brackets(line[closing:], depth, 1)
            collection = opening == 0 or not (line[opening - 1].isalnum() or line[opening - 1] in "_)]")
            body = _content(line[opening + 1 : closing], depth + 1, explode=collection)
            return [pad + line[: opening + 1], *body, *rest]
    return [pad + line]


def _groups(line: str, start: int) -> list[tuple[int, int]]:
    """The outermost brackets that hold something."""
    stack: list[int] = []
    found = []
    for k, c in _code(line):
        if c in "([{":
            stack.append(k)
        elif c in ")]}" and stack:
            at = stack.pop()
            if not stack and at >= start and k > at + 1:
                found.append((at, k))
    return found


def _content(body: str, depth: int, explode: bool = False) -> list[str]:
    """What stands in brackets, on lines of its own: one line if it fits, else an item or an operand a line.

    `explode`: the bracket is a list or a tuple, whose items never share a line.
    """
    inner, items = INDENT * depth, split_commas(body)
    if len(inner + body) <= WIDTH and not (explode and len(items) > 1):
        return [inner + body]
    if len(items) == 1:
        return _expression("", items[0], depth, "," if body.endswith(",") else "", True)
    lines = []
    for item in items:
        name, sign, value = item.partition("=")
        keyword = sign and name.isidentifier() and not value.startswith("=")
        lines += _expression(f"{name}=" if keyword else "", value if keyword else item, depth, ",", not keyword)
    return lines


def _operator(part: str) -> tuple[str, str]:
    """The leading operator of an operand with its blank, and the operand."""
    word, _, rest = part.partition(" ")
    known = {o.strip() for group in OPERATORS for o in group}
    return (f"{word} ", rest) if word in known else ("", part)


def split_top(text: str, operators: tuple[str, ...]) -> list[str]:
    """The text cut before every operator that stands outside of brackets and strings."""
    parts: list[str] = []
    start = k = 0
    while True:
        at = _first(text, operators, k)
        if at is None:
            return [*parts, text[start:]]
        parts.append(text[start : at[0]])
        start = at[0] + 1
        k = start + len(at[1]) - 1


def _first(text: str, operators: tuple[str, ...], begin: int = 0) -> tuple[int, str] | None:
    depth = 0
    for k, c in _code(text):
        depth += (c in "([{") - (c in ")]}")
        if not depth and c == " " and k >= begin:
            for o in operators:
                if text.startswith(o, k):
                    return k, o
    return None


def _code(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside of string literals, with their places."""
    quote = ""
    for k, c in enumerate(text):
        if quote:
            quote = "" if c == quote and text[k - 1] != "\\" else quote
        elif c in "\"'":
            quote = c
        else:
            yield k, c


def split_commas(text: str) -> list[str]:
    """The arguments of a call."""
    items, depth, start = [], 0, 0
    for k, c in _code(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth:
            items.append(text[start:k].strip())
            start = k + 1
    last = text[start:].strip()
    return [*items, last] if last else items
