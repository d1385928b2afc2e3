"""Calls: scalar functions, branches, and reductions over named indices."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    disjunction,
    div,
    exp,
    fn,
    mul,
    neg,
    negation,
    power,
    reduce,
    where,
)
from symgrad.algebra.terms import HALF, ONE, TWO, ZERO, Term, extent, is_num, node, value
from symgrad.formula.cover import covers
from symgrad.formula.kinds import is_condition, is_infinite
from symgrad.formula.matrices import matrix_name
from symgrad.formula.trees import called
from symgrad.formula.vocabulary import KEEPING, MATRIX_FUNCTIONS, REDUCTIONS, RELATIONS

if TYPE_CHECKING:
    from symgrad.formula.expression import Reader

_REAL_FOR: Mapping[str, tuple[Callable[[Fraction], bool], str]] = {
    "sqrt": (lambda v: v >= 0, "the root of a negative number"),
    "log": (lambda v: v > 0, "the logarithm of a number that is not positive"),
    "log1p": (lambda v: v > -1, "the logarithm of a number that is not positive"),
    "logit": (lambda v: 0 < v < 1, "logit takes numbers between 0 and 1"),
    "asin": (lambda v: -1 <= v <= 1, "asin takes numbers from -1 to 1"),
    "acos": (lambda v: -1 <= v <= 1, "acos takes numbers from -1 to 1"),
    "acosh": (lambda v: v >= 1, "acosh takes numbers from 1 on"),
    "atanh": (lambda v: -1 < v < 1, "atanh takes numbers between -1 and 1"),
    "loggamma": (lambda v: v > 0, "loggamma takes positive numbers"),
    "digamma": (lambda v: v > 0, "digamma takes positive numbers"),
}
_BOUNDS = frozenset({"Max", "Min", "clip"})
"""Functions that may be given oo."""


def call(reader: Reader, n: ast.Call) -> Term:
    """The term of a call; the grammar has checked the name and the number of arguments."""
    assert isinstance(n.func, ast.Name)
    name = n.func.id
    if name in MATRIX_FUNCTIONS:
        return _of_matrix(reader, n)
    if name in REDUCTIONS:
        return _Reduction(reader, n, name).read()
    if name == "where":
        return branches(reader, [(n.args[0], n.args[1]), (None, n.args[2])])
    if name == "Piecewise":
        return _piecewise(reader, n)
    if name in ("And", "Or"):
        return (conjunction if name == "And" else disjunction)(*(reader.condition(a) for a in n.args))
    if name == "Not":
        return negation(reader.condition(n.args[0]))
    if name in RELATIONS:
        return relation(RELATIONS[name], reader.number(n.args[0]), reader.number(n.args[1]))
    return _function(reader, n, name)


def _of_matrix(reader: Reader, n: ast.Call) -> Term:
    """det(A); other matrix functions have become index notation, unless they are given no whole matrix."""
    if matrix_name(n):
        return reader.accesses.of_matrix(n, n)
    shown, name = reader.parsed.source(n.args[0]), called(n)
    message = f"{name} takes a whole matrix, and {shown} is a number"
    raise reader.error(message, n.args[0], help=f"write {name}(A) with the name of an array of two axes")


def relation(sign: str, a: Term, b: Term) -> Term:
    """a sign b; what compares with an infinity is left as it stands unless both are one."""
    if is_infinite(a) and a is b:
        return node("lit", (), sign in ("==", "<=", ">="))
    return compare(sign, a, b)


def _function(reader: Reader, n: ast.Call, name: str) -> Term:
    read = reader.number if name in _BOUNDS else reader.finite
    args = [read(a) for a in n.args]
    _check_real(reader, n, name, args)
    if name == "Heaviside":
        return fn(name, args[0], args[1] if len(args) == 2 else HALF)
    if name in ("Max", "Min") and len(args) == 1:
        return args[0]
    if name == "polygamma":
        order = args[0]
        if not (is_num(order) and value(order).denominator == 1 and 0 <= value(order) <= 64):
            raise reader.error("the order of polygamma is an integer from 0 to 64", n.args[0], help="polygamma(1, x)")
        if order is ZERO:
            return fn("digamma", args[1])
    return fn(name, *args)


def _check_real(reader: Reader, n: ast.Call, name: str, args: Sequence[Term]) -> None:
    rule = _REAL_FOR.get(name)
    if rule is None or not is_num(args[0]):
        return
    fits, why = rule
    if not fits(value(args[0])):
        raise reader.error(f"{reader.parsed.source(n)} is not a real number: {why}", n)


def _piecewise(reader: Reader, n: ast.Call) -> Term:
    arms: list[tuple[ast.expr | None, ast.expr]] = []
    for a in n.args:
        if not (isinstance(a, ast.Tuple) and len(a.elts) == 2):
            raise reader.error("Piecewise takes pairs (value, condition)", a, help="Piecewise((x, x > 0), (0, True))")
        arms.append((a.elts[1], a.elts[0]))
    return branches(reader, arms, n)


def branches(reader: Reader, arms: Sequence[tuple[ast.expr | None, ast.expr]], whole: ast.AST | None = None) -> Term:
    """Values under conditions, the first that holds: each is read knowing that its own holds and none before did."""
    depth = len(reader.conditions)
    read: list[tuple[Term, Term]] = []
    for condition, body in arms:
        c = reader.condition(condition) if condition is not None else node("lit", (), True)
        reader.conditions.append(c)
        read.append((c, reader.number(body)))
        reader.conditions[-1] = negation(c)
    del reader.conditions[depth:]
    if whole is not None and not covers([c for c, _ in read]):
        mend = "let the last pair be (value, True)"
        raise reader.error("this Piecewise does not cover all cases", whole, help=mend)
    result = read[-1][1]
    for c, v in reversed(read[:-1]):
        result = where(c, v, result)
    return result


class _Reduction:
    """Sum, Product, mean, var, amax, amin, argmax, logsumexp, softmax, log_softmax, norm."""

    def __init__(self, reader: Reader, n: ast.Call, name: str) -> None:
        self.reader, self.n, self.name = reader, n, name
        self.first = any(k.arg == "ties" for k in n.keywords)

    def read(self) -> Term:
        n, name, reader = self.n, self.name, self.reader
        body = reader.value(n.args[0])
        if is_condition(body):
            shown = reader.parsed.source(n.args[0])
            raise reader.error(
                "a condition is no number", n.args[0], help=f"count with {name}(where({shown}, 1, 0), ...)"
            )
        if is_infinite(body):
            raise reader.error("oo is no number to compute with", n.args[0])
        over = self.indices()
        if not over:
            mend = f"say which index it runs over: {name}({reader.parsed.source(n.args[0])}, j)"
            raise reader.error(f"{name} needs an index", n, help=mend)
        return self.reduced(body, over)

    def indices(self) -> list[Term]:
        if self.name not in KEEPING:
            return [i.term for i in self.reader.scopes.bound[id(self.n)] if i.term is not None]
        found = []
        for a in self.n.args[1:]:
            index = self.reader.scopes.of.get(id(a))
            if index is None or index.term is None:
                raise self.reader.error(f"{self.reader.parsed.source(a)} is no index", a)
            found.append(index.term)
        return found

    def reduced(self, body: Term, over: list[Term]) -> Term:
        name = self.name
        if name == "Sum":
            return total(body, over)
        if name == "Product":
            return power(body, count(over)) if is_num(body) else reduce("prod", body, over)
        if name in ("mean", "var"):
            mean = div(total(body, over), count(over))
            return mean if name == "mean" else div(total(power(add(body, neg(mean)), TWO), over), count(over))
        if name in ("amax", "amin"):
            return self.extremum("max" if name == "amax" else "min", body, over)
        if name == "argmax":
            return reduce("argmax", body, over)
        if name == "norm":
            return reduce("norm", body, over)
        lse = reduce("lse", body, over)
        if name == "logsumexp":
            return lse
        return exp(add(body, neg(lse))) if name == "softmax" else add(body, neg(lse))

    def extremum(self, kind: str, body: Term, over: list[Term]) -> Term:
        if not self.first:
            return reduce(kind, body, over)
        # row-major order: the first over the last index, then over the one before; so every judge can read it back
        for index in reversed(over):
            body = reduce(kind + "_first", body, [index])
        return body


def total(body: Term, over: Sequence[Term]) -> Term:
    """The sum; of a number it is the number times the extents."""
    return mul(body, count(over)) if is_num(body) else reduce("sum", body, over)


def count(over: Sequence[Term]) -> Term:
    """How many values the indices take together."""
    return mul(ONE, *(extent(i) for i in over))
