"""Array notation (`x @ W.T + b`, `axis=`, matrix functions): the one place where it will be read. Now it is refused."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from symgrad.errors import FormulaError
from symgrad.formula.environment import Tensor
from symgrad.formula.syntax import Parsed


def refuse(parsed: Parsed, node: ast.AST, what: str, tensors: Mapping[str, Tensor]) -> FormulaError:
    """The error for array notation, with the shapes of the arrays that it names and the index notation to write."""
    named = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in tensors and tensors[n.id].rank]
    shapes = [f"{name} has shape {tensors[name].shown()}" for name in dict.fromkeys(named)]
    note = ", ".join(shapes[:3])
    example = _subscripted(tensors[named[0]]) if named else "y[i]"
    message = f"array notation is not yet known: {what}" + (f" ({note})" if note else "")
    return parsed.error(message, node, help=f"write the indices: {example}, Sum(a[i, k]*b[k, j], k)")


def _subscripted(tensor: Tensor) -> str:
    letters = (["..."] if tensor.batch else []) + list("ijklmpqrs"[: len(tensor.shape)])
    return f"{tensor.name}[{', '.join(letters)}]"
