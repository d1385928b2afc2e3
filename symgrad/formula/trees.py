"""Syntax trees taken apart and put together anew; new nodes stand at the places of old ones."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from symgrad.formula.syntax import chain

N = TypeVar("N", bound=ast.expr)


def placed(new: N, old: ast.AST) -> N:
    """The new node at the place of an old one."""
    return ast.copy_location(new, old)


def called(n: ast.AST) -> str:
    """The name of the function that a node calls; empty for other nodes."""
    return n.func.id if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) else ""


def option(n: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword."""
    return next((k.value for k in n.keywords if k.arg == name), None)


def reduction(
    name: str, body: ast.expr, indices: Sequence[ast.expr], at: ast.AST, keywords: Sequence[ast.keyword] = ()
) -> ast.expr:
    """name(body, indices), such as Sum(e, k)."""
    function = placed(ast.Name(name, ast.Load()), at)
    return placed(ast.Call(function, [body, *indices], list(keywords)), at)


def operands(n: ast.expr) -> list[ast.expr]:
    """What an elementwise operation is applied to; a chain of + or * is one operation."""
    if isinstance(n, ast.BinOp):
        return [operand for _, operand, _ in chain(n)]
    if isinstance(n, ast.UnaryOp):
        return [n.operand]
    if isinstance(n, ast.Compare):
        return [n.left, *n.comparators]
    if isinstance(n, ast.BoolOp):
        return n.values
    if isinstance(n, ast.Call):
        return n.args
    return n.elts if isinstance(n, ast.Tuple) else []


def rebuilt(n: ast.expr, parts: list[ast.expr]) -> ast.expr:
    """The same operation on other operands."""
    if isinstance(n, ast.BinOp):
        total = parts[0]
        for (op, _, old), part in zip(list(chain(n))[1:], parts[1:], strict=True):
            assert op is not None
            total = placed(ast.BinOp(total, op, part), old)
        return total
    make = _REBUILT.get(type(n))
    return placed(make(n, parts), n) if make is not None else n


_REBUILT: Mapping[type[ast.expr], Callable[..., ast.expr]] = {
    ast.UnaryOp: lambda n, parts: ast.UnaryOp(n.op, parts[0]),
    ast.Compare: lambda n, parts: ast.Compare(parts[0], n.ops, parts[1:]),
    ast.BoolOp: lambda n, parts: ast.BoolOp(n.op, parts),
    ast.Call: lambda n, parts: ast.Call(n.func, parts, n.keywords),
    ast.Tuple: lambda n, parts: ast.Tuple(parts, ast.Load()),
}


def new_axes(n: ast.AST) -> list[str] | None:
    """The items of x[:, None], x[..., None]: ":" and "..." for axes that stay, "None" for new ones of size 1."""
    if not isinstance(n, ast.Subscript):
        return None
    items = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
    found = [_axis_item(i) for i in items]
    return found if "None" in found and "" not in found else None


def _axis_item(n: ast.expr) -> str:
    if isinstance(n, ast.Slice):
        return ":" if n.lower is n.upper is n.step is None else ""
    if isinstance(n, ast.Constant) and n.value in (None, ...):
        return "None" if n.value is None else "..."
    return ""
