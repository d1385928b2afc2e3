"""Integer expressions of dimensions and int parameters: shapes, ranges, limits of sums, ends of intervals."""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction

from symgrad.algebra.build import add, fn, mul, neg, power
from symgrad.algebra.terms import ZERO, Term, dim, is_num, num, par, value
from symgrad.formula.environment import Environment
from symgrad.formula.polynomial import LARGEST, TooLargeError, polynomial, term
from symgrad.formula.syntax import MOST_DIGITS, Parsed

MOST = 10**15


def read_size(parsed: Parsed, env: Environment, what: str, declare: Callable[[ast.Name], None] | None = None) -> Term:
    """The term of an integer expression; `declare` is told of names that are not known yet."""
    return size_of(parsed, parsed.root, env, what, declare)


def size_of(
    parsed: Parsed, node: ast.expr, env: Environment, what: str, declare: Callable[[ast.Name], None] | None = None
) -> Term:
    """The same for a part of an expression; sums of products are multiplied out."""
    t = _Sizes(parsed, env, what, declare).read(node)
    try:
        p = polynomial(t)
    except TooLargeError:
        raise parsed.error(f"{what} is too large: more than {LARGEST} terms", node) from None
    return term(p)


class _Sizes:
    def __init__(self, parsed: Parsed, env: Environment, what: str, declare: Callable[[ast.Name], None] | None) -> None:
        self.parsed, self.env, self.what, self.declare = parsed, env, what, declare

    def read(self, n: ast.expr) -> Term:
        if isinstance(n, ast.Constant):
            return self.number(n)
        if isinstance(n, ast.Name):
            return self.name(n)
        if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub | ast.UAdd):
            return neg(self.read(n.operand)) if isinstance(n.op, ast.USub) else self.read(n.operand)
        if isinstance(n, ast.BinOp):
            return self.binary(n)
        raise self.parsed.error(f"{self.what} is an integer expression of dimensions and int parameters", n)

    def number(self, n: ast.Constant) -> Term:
        if type(n.value) is not int:
            raise self.parsed.error(f"{self.what} must be an integer, not {self.parsed.source(n)}", n)
        if abs(n.value) > MOST:
            raise self.parsed.error(f"{self.what} is too large: the limit is {MOST}", n)
        return num(n.value)

    def name(self, n: ast.Name) -> Term:
        p = self.env.parameters.get(n.id)
        if p is not None:
            if p.dtype != "int":
                mend = f"declare it as {n.id}: {{value: {p.value}, dtype: int}}"
                raise self.parsed.error(f"parameter {n.id} is real; {self.what} needs an int parameter", n, help=mend)
            return par(n.id)
        if self.declare is not None and n.id not in self.env.dims:
            self.declare(n)
        if n.id not in self.env.dims:
            if n.id in self.env.tensors:
                raise self.parsed.error(
                    f"{n.id} is no dimension: {self.what} is made of dimensions and int parameters", n
                )
            mend = "dimensions are the names in the shapes of inputs"
            raise self.parsed.error(
                f"{n.id} is not declared: no dimension or int parameter has this name", n, help=mend
            )
        return dim(n.id)

    def binary(self, n: ast.BinOp) -> Term:
        a, b = self.read(n.left), self.read(n.right)
        if isinstance(n.op, ast.Add | ast.Sub):
            return add(a, b if isinstance(n.op, ast.Add) else neg(b))
        if isinstance(n.op, ast.Mult):
            return mul(a, b)
        if isinstance(n.op, ast.FloorDiv | ast.Mod):
            if b is ZERO:
                raise self.parsed.error("division by zero", n)
            return fn("floordiv" if isinstance(n.op, ast.FloorDiv) else "mod", a, b)
        if isinstance(n.op, ast.Pow) and is_num(b) and value(b) in (Fraction(2), Fraction(3)):
            return power(a, b)
        if isinstance(n.op, ast.Div):
            mend = f"write {self.parsed.source(n.left)}//{self.parsed.source(n.right)}"
            raise self.parsed.error(f"/ does not give an integer; {self.what} is one", n, help=mend)
        raise self.parsed.error(f"{self.what} is an integer expression: + - * // % of dimensions and int parameters", n)


__all__ = ["MOST_DIGITS", "read_size", "size_of"]
