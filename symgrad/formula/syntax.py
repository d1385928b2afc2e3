"""Text of an expression -> Python's `ast`, within limits; every complaint of the parser is mapped to the formula file.

Nothing is evaluated. The walkers above take the nodes of the language one by one and refuse all others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from symgrad.errors import FormulaError, UnsupportedError
from symgrad.formula.source import Text

LONGEST_EXPRESSION = 50_000
DEEPEST = 100
MOST_NODES = 20_000
MOST_DIGITS = 300
_LOOKALIKES = {
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u2217": "*",
    "\u00f7": "/", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u221e": "oo", "\u2211": "Sum",
    "\u220f": "Product", "\u221a": "sqrt", "\u00b2": "**2", "\u00b3": "**3", "\u00a0": "a blank",
    "\u2018": "a name", "\u2019": "a name", "\uff08": "(", "\uff09": ")", "\uff0c": ",", "\u2026": "...",
}  # fmt: skip
_IMPLICIT = re.compile(r"(?<![\w.])(?P<number>\d+(?:\.\d*)?)(?P<name>[^\W\d_]\w*)|(?P<close>[)\]])\s*(?=[^\W\d]|\()")


@dataclass(frozen=True)
class Parsed:
    """The syntax tree of a text."""

    text: Text
    root: ast.expr

    @cached_property
    def ascii(self) -> bool:
        """Whether offsets in bytes are offsets in characters."""
        return self.text.value.isascii()

    def offset(self, column: int) -> int:
        """Character offset of a column of the tree, which counts bytes."""
        if self.ascii:
            return column
        return len(self.text.value.encode()[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Start and end of a node in the text."""
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        return self.offset(start), self.offset(end) if end is not None else len(self.text.value)

    def source(self, node: ast.AST) -> str:
        """The text of a node, on one line and not long."""
        start, end = self.span(node)
        shown = " ".join(self.text.value[start:end].split())
        return shown if len(shown) <= 60 else shown[:57] + "..."

    def error(
        self, message: str, node: ast.AST, help: str = "", note: str = "", kind: type[FormulaError] = FormulaError
    ) -> FormulaError:
        """An error at a node."""
        start, end = self.span(node)
        return self.text.error(message, start, end, help, note, kind)


def parse(text: Text) -> Parsed:
    """The tree of an expression; FormulaError with the place for all else."""
    value = text.value
    if not value.strip():
        raise text.error("an expression is missing here")
    if len(value) > LONGEST_EXPRESSION:
        raise text.error(
            f"the expression is too long: the limit is {LONGEST_EXPRESSION} characters", kind=UnsupportedError
        )
    _scan(text)
    flat = re.sub(r"\s", " ", value)
    lead = len(flat) - len(flat.lstrip())
    try:
        root = ast.parse(flat.strip(), mode="eval").body
    except SyntaxError as e:
        raise _explain(text, e, lead) from None
    except (RecursionError, MemoryError):
        raise _too_deep(text) from None
    except ValueError:
        raise text.error("not an expression of the language") from None
    _shift(root, len(flat[:lead].encode()))
    parsed = Parsed(text, root)
    _measure(parsed)
    return parsed


def _too_deep(text: Text) -> FormulaError:
    message = f"the expression is nested too deeply: the limit is {DEEPEST} levels"
    return text.error(message, help="name parts of it under let", kind=UnsupportedError)


def _scan(text: Text) -> None:
    """Refuse what Python would read in another way, or explain badly."""
    depth = 0
    for k, c in enumerate(text.value):
        if c in "'\"":
            raise text.error("text in quotes is not part of the language", k, k + 1, help="names and numbers only")
        if c in "#;\\`$?!{}" and text.value[k : k + 2] != "!=":
            raise text.error(f"{c} is not part of the language", k, k + 1)
        if c in _LOOKALIKES:
            shown = _LOOKALIKES[c]
            raise text.error(f"{c} (U+{ord(c):04X}) is not part of the language", k, k + 1, help=f"write {shown}")
        if ord(c) < 0x20 and c not in "\n\t":
            raise text.error(f"control character U+{ord(c):04X}", k, k + 1)
        depth += (c in "([") - (c in ")]")
        if depth > DEEPEST:
            raise _too_deep(text)
    for found in _IMPLICIT.finditer(text.value):
        number, name = found["number"], found["name"]
        if number and not re.fullmatch(r"[eE]\d*|[jJ]|[xXoObB]\w*", name):
            raise text.error(
                f"a product needs *: {number}*{name}", found.start(), found.end(), help=f"write {number}*{name}"
            )


def _explain(text: Text, e: SyntaxError, lead: int) -> FormulaError:
    value = text.value
    at = min(max(0, lead + (e.offset or 1) - 1), max(0, len(value) - 1))
    said = (e.msg or "invalid syntax").split(". Perhaps")[0].split(". Maybe")[0]
    if "too many nested" in said or "too deeply" in said or "too complex" in said:
        return _too_deep(text)
    if "integer string conversion" in said:
        return text.error(f"a number of more than {MOST_DIGITS} digits", kind=UnsupportedError)
    unclosed = _unclosed(value)
    if unclosed is not None:
        c, k = unclosed
        if c in "([":
            return text.error(
                f"the bracket {c} is never closed", k, k + 1, help=f"close it with {')' if c == '(' else ']'}"
            )
        return text.error(f"the bracket {c} closes nothing", k, k + 1)
    single = re.search(r"(?<![=<>!:])=(?!=)", value)
    if single and _depth(value, single.start()) == 0:
        return text.error("= assigns; equality is ==", single.start(), single.end(), help="write == for equality")
    found = _IMPLICIT.search(value)
    if found and found["close"]:
        return text.error(
            "an operator is missing here", found.start(), found.end(), help="a product needs *: 2*z[i], (a + b)*c"
        )
    if re.match(r"\s*\Z", value[at:]) or said == "invalid syntax":
        before = value[:at].rstrip()
        if before and before[-1] in "+-*/%@<>=&|~^.,":
            return text.error(f"something is missing after {before[-1]}", max(0, len(before) - 1), at + 1)
    return text.error(f"not an expression: {said}", at, at + 1)


def _depth(value: str, at: int) -> int:
    return sum((c in "([") - (c in ")]") for c in value[:at])


def _unclosed(value: str) -> tuple[str, int] | None:
    stack: list[tuple[str, int]] = []
    for k, c in enumerate(value):
        if c in "([":
            stack.append((c, k))
        elif c in ")]":
            if not stack or stack[-1][0] != "(["[")]".index(c)]:
                return stack[-1] if stack else (c, k)
            stack.pop()
    return stack[0] if stack else None


def _shift(root: ast.expr, lead: int) -> None:
    if lead:
        for node in ast.walk(root):
            if isinstance(node, ast.expr | ast.keyword):
                node.col_offset += lead
                if node.end_col_offset is not None:
                    node.end_col_offset += lead


def _measure(parsed: Parsed) -> None:
    """Depth and number of nodes within the limits; chains of + and * count one level."""
    count = 0
    stack: list[tuple[ast.AST, int]] = [(parsed.root, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > DEEPEST:
            raise _too_deep(parsed.text)
        if count > MOST_NODES:
            raise parsed.text.error(
                f"the expression is too large: the limit is {MOST_NODES} nodes", kind=UnsupportedError
            )
        stack.extend((child, depth if _continues(node, child) else depth + 1) for child in ast.iter_child_nodes(node))


def _continues(node: ast.AST, child: ast.AST) -> bool:
    """Whether the child is the left part of the same chain: a + b + c."""
    return (
        isinstance(node, ast.BinOp) and child is node.left and isinstance(child, ast.BinOp) and same_chain(node, child)
    )


def same_chain(node: ast.BinOp, left: ast.BinOp) -> bool:
    """Whether two operators are of one level of precedence that reads from the left."""
    return any(
        isinstance(node.op, kinds) and isinstance(left.op, kinds) for kinds in ((ast.Add, ast.Sub), (ast.Mult, ast.Div))
    )


def chain(node: ast.BinOp) -> Iterator[tuple[ast.operator | None, ast.expr, ast.BinOp]]:
    """Operator, operand and node of a chain from the left: a - b + c gives (None, a), (-, b), (+, c)."""
    spine = [node]
    while isinstance(spine[-1].left, ast.BinOp) and same_chain(spine[-1], spine[-1].left):
        spine.append(spine[-1].left)
    yield None, spine[-1].left, spine[-1]
    for n in reversed(spine):
        yield n.op, n.right, n
