"""Functions of matrices: inv, det, logdet and solve take whole arrays; their arguments get names.

logdet(X.T @ X)    ->    M[i, j] = Sum(X[k, i]*X[k, j], k), then logdet(M)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from symgrad.algebra.build import substitute
from symgrad.algebra.terms import MATRIX_VALUED, Term, extent, idx
from symgrad.errors import FormulaError
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.polynomial import same
from symgrad.formula.program import Statement
from symgrad.formula.syntax import Parsed
from symgrad.formula.trees import called, placed
from symgrad.formula.vocabulary import LANGUAGE, OF_MATRICES

NAMED = OF_MATRICES | {"solve"}
"""Functions whose first argument is a matrix with a name."""
_STEM = "M"


def untransposed(n: ast.expr) -> tuple[ast.expr, bool]:
    """A.T or transpose(A) as A, and whether an odd number of transposes stood around it."""
    turned = False
    while True:
        if isinstance(n, ast.Attribute):
            n = n.value
        elif isinstance(n, ast.Call) and called(n) == "transpose" and len(n.args) == 1:
            n = n.args[0]
        else:
            return n, turned
        turned = not turned


def matrix_name(n: ast.AST) -> str:
    """The name of the matrix in inv(A), det(A) or logdet(A); empty for other nodes."""
    if called(n) in OF_MATRICES and isinstance(n, ast.Call) and n.args and isinstance(n.args[0], ast.Name):
        return n.args[0].id
    return ""


def valued(function: str, tensor: Tensor) -> Tensor:
    """The array that a function of the matrices of a tensor gives."""
    shape = tensor.shape if function in MATRIX_VALUED else tensor.shape[:-2]
    return Tensor(f"{function}({tensor.name})", shape, tensor.batch, kind="matrix function")


def square(tensor: Tensor, env: Environment) -> bool:
    """Whether the last two axes of a tensor have one size."""
    return len(tensor.shape) >= 2 and same(tensor.shape[-2], tensor.shape[-1], env.bounds.equations)


def key_of(indices: Sequence[Term], body: Term) -> tuple[tuple[Term, ...], Term]:
    """An array without the names of its indices: equal for equal definitions."""
    plain = tuple(i if str(i.data) == "..." else idx(f"@{k}", extent(i)) for k, i in enumerate(indices))
    return plain, substitute(body, dict(zip(indices, plain, strict=True)))


class Arguments(ast.NodeTransformer):
    """Puts names in place of the expressions whose inverse or determinant is taken."""

    def __init__(self, parsed: Parsed, env: Environment) -> None:
        self.parsed, self.env = parsed, env

    def named(self) -> Parsed:
        """The expression with names as arguments."""
        if not any(self.unnamed(n) for n in ast.walk(self.parsed.root)):
            return self.parsed
        root = self.visit(self.parsed.root)
        assert isinstance(root, ast.expr)
        return Parsed(self.parsed.text, root)

    def unnamed(self, n: ast.AST) -> bool:
        """Whether a node takes a function of a matrix that has no name."""
        return isinstance(n, ast.Call) and called(n) in NAMED and not isinstance(untransposed(n.args[0])[0], ast.Name)

    def visit_Call(self, n: ast.Call) -> ast.AST:
        """A call with its first argument named, where that is needed."""
        if not self.unnamed(n):
            return self.generic_visit(n)
        rest = [self.visit(a) for a in n.args[1:]]
        return placed(ast.Call(n.func, [self.name(n, n.args[0]), *rest], n.keywords), n)

    def name(self, call: ast.Call, n: ast.expr) -> ast.expr:
        """The name of an array: of a statement that says the same, or of a new one."""
        from symgrad.formula.arrays.notation import holds_indices
        from symgrad.formula.expression import read_tree

        if holds_indices(n, self.env):
            raise self.indexed(call, n)
        reading = read_tree(Parsed(self.parsed.text, n), self.env, [])
        found = self.env.arrays.get(key_of(reading.free, reading.body))
        if found is None:
            found = self.made(n, reading.free, reading.body)
        return placed(ast.Name(found, ast.Load()), n)

    def made(self, n: ast.expr, indices: tuple[Term, ...], body: Term) -> str:
        """A new statement for the argument, and its name."""
        env = self.env
        if env.keep is None:
            message = f"{self.parsed.source(n)} has no name in the formula"
            raise self.parsed.error(message, n, help="give it a name under let, and take the function of that")
        text = self.parsed.text
        taken = {*env.known(), *env.later, *LANGUAGE, *re.findall(r"\w+", text.source.text)}
        names = (_STEM if k == 1 else f"{_STEM}{k}" for k in range(1, len(taken) + 3))
        name = next(m for m in names if m not in taken and "d" + m not in taken)
        for i in indices:
            if i.data != "...":
                env.indices.setdefault((str(i.data), extent(i)))
        env.keep(Statement(name, indices, body, "let", text.place(*self.parsed.span(n)), inner=True))
        return name

    def indexed(self, call: ast.Call, n: ast.expr) -> FormulaError:
        """The error for an argument in index notation."""
        shown, function = self.parsed.source(n), called(call)
        message = f"{function} takes a whole matrix, and {shown} has indices"
        mend = "give the matrix a name under let, `M[i, j]: ...`"
        mend += f", and write {function}(M)" + ("[i, j]" if function in ("inv", "solve") else "")
        return self.parsed.error(message, n, help=mend)


__all__ = ["NAMED", "Arguments", "key_of", "matrix_name", "square", "untransposed", "valued"]
