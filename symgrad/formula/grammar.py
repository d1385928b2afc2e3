"""Which syntax trees are expressions of the language: node types, functions, numbers of arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from symgrad.errors import FormulaError
from symgrad.formula.environment import Environment
from symgrad.formula.syntax import Parsed
from symgrad.formula.trees import new_axes
from symgrad.formula.vocabulary import (
    ARRANGING,
    FUNCTIONS,
    INTERNAL_OF_MATRICES,
    KEEPING,
    MATRIX_FUNCTIONS,
    REDUCTIONS,
    SIGNATURES,
)

Check = Callable[[Parsed, ast.AST, Environment], FormulaError | None]
_PLAIN = (
    ast.Name, ast.Constant, ast.UnaryOp, ast.Subscript, ast.Tuple, ast.Compare, ast.BoolOp,
    ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context,
)  # fmt: skip
_WORDS: Mapping[type[ast.AST], str] = {
    ast.Lambda: "a lambda",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment (:=)",
    ast.List: "a list",
    ast.Slice: "a slice",
    ast.Starred: "a star",
    ast.Await: "await",
    ast.Yield: "yield",
}


def check(parsed: Parsed, env: Environment) -> None:
    """Refuse what is not in the language, with what to write instead."""
    stack: list[ast.AST] = [parsed.root]
    while stack:
        node = stack.pop()
        found = _fault(parsed, node, env)
        if found is not None:
            raise found
        if new_axes(node) is not None:
            assert isinstance(node, ast.Subscript)
            stack.append(node.value)
            continue
        stack.extend(reversed([c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.keyword)]))


def _fault(parsed: Parsed, node: ast.AST, env: Environment) -> FormulaError | None:
    if isinstance(node, _PLAIN):
        return None
    if isinstance(node, ast.BinOp):
        return _operator(parsed, node)
    if isinstance(node, ast.Call):
        return _call(parsed, node, env)
    if isinstance(node, ast.Attribute):
        return _attribute(parsed, node)
    if isinstance(node, ast.IfExp):
        return parsed.error("a if c else b is not part of the language", node, help="write where(c, a, b)")
    what = _WORDS.get(type(node), type(node).__name__)
    mend = "write the indices out, x[i, 0]; a new axis is x[:, None]" if isinstance(node, ast.Slice) else ""
    return parsed.error(f"{what} is not part of the language", node, help=mend)


def _operator(parsed: Parsed, node: ast.BinOp) -> FormulaError | None:
    if isinstance(node.op, ast.BitXor):
        left, right = parsed.source(node.left), parsed.source(node.right)
        return parsed.error("^ is not a power: powers are written **", node, help=f"write {left}**{right}")
    if isinstance(node.op, ast.LShift | ast.RShift):
        return parsed.error("shifts (<<, >>) are not part of the language", node, help="write a power: 2**k")
    return None


def _attribute(parsed: Parsed, node: ast.Attribute) -> FormulaError | None:
    if node.attr == "T":
        return None
    shown = node.attr if node.attr in FUNCTIONS or node.attr in REDUCTIONS else "the name alone"
    return parsed.error(
        f"names with a dot are not part of the language: .{node.attr}", node, help=f"write {shown}, with no prefix"
    )


def _call(parsed: Parsed, node: ast.Call, env: Environment) -> FormulaError | None:
    if isinstance(node.func, ast.Attribute):
        return None  # the attribute says what is wrong
    if isinstance(node.func, ast.Constant | ast.Subscript | ast.BinOp):
        return parsed.error("an operator is missing before the bracket", node, help="a product needs *: 2*(a + b)")
    if not isinstance(node.func, ast.Name):
        return parsed.error("only functions of the language can be called", node)
    name = node.func.id
    if name in env.tensors or name in env.parameters or name in env.dims:
        mend = f"subscripts stand in square brackets: {name}[i]; a product needs *"
        return parsed.error(f"{name} is no function", node, help=mend)
    keywords = _keywords(parsed, node, name)
    if keywords is not None:
        return keywords
    if name in REDUCTIONS:
        return _reduction(parsed, node, name)
    known = name in FUNCTIONS or name in MATRIX_FUNCTIONS or name in ARRANGING
    if not known or (name in INTERNAL_OF_MATRICES and not env.lenient):
        return env.undeclared(parsed, node.func, name, called=True)
    return _arity(parsed, node, name)


def _keywords(parsed: Parsed, node: ast.Call, name: str) -> FormulaError | None:
    for k in node.keywords:
        if k.arg in ("axis", "keepdims") and name in REDUCTIONS and not (k.arg == "keepdims" and name in KEEPING):
            continue
        first = isinstance(k.value, ast.Name) and k.value.id == "first"
        if not (k.arg == "ties" and first and name in ("amax", "amin")):
            mend = "reductions of arrays take axis= and keepdims=, amax and amin ties=first; no other option exists"
            return parsed.error(f"{name} has no option {k.arg}", k.value, help=mend)
    return None


def _arity(parsed: Parsed, node: ast.Call, name: str) -> FormulaError | None:
    own = ARRANGING.get(name, 2 if name == "solve" else 1)
    least, most = FUNCTIONS.get(name, (own, own))
    got = len(node.args)
    if least <= got <= most:
        return None
    wanted = f"{least}" if least == most else f"{least} to {most}"
    plural = "" if wanted == "1" else "s"
    return parsed.error(
        f"{name} takes {wanted} argument{plural}, not {got}", node, help=SIGNATURES.get(name, f"write {name}(x)")
    )


def _reduction(parsed: Parsed, node: ast.Call, name: str) -> FormulaError | None:
    if not node.args:
        return parsed.error(f"{name} needs an expression and an index", node, help=f"write {name}(z[i, j], j)")
    for a in node.args[1:]:
        if isinstance(a, ast.Name) or is_batch(a):
            continue
        if not (isinstance(a, ast.Tuple) and len(a.elts) == 3 and isinstance(a.elts[0], ast.Name)):
            mend = f"write {name}(e, j), or {name}(e, (j, 0, c - 1)) with limits"
            return parsed.error(f"{name} runs over indices; {parsed.source(a)} is none", a, help=mend)
        if name in KEEPING:
            return parsed.error(
                f"{name} keeps its index and takes no limits", a, help=f"write {name}(e, {parsed.source(a.elts[0])})"
            )
    return None


def is_batch(node: ast.AST) -> bool:
    """Whether the node is `...`."""
    return isinstance(node, ast.Constant) and node.value is Ellipsis
