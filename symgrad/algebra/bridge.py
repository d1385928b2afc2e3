"""Terms as SymPy expressions, for users who go on with SymPy. The one module of the algebra that imports it.

z[i, j] is IndexedBase("z", shape=(n, c))[Idx("i", n), Idx("j", c)], a dimension n Symbol("n", integer, positive),
a sum Sum(body, (j, 0, c - 1)); functions of the field are written by their definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from symgrad.algebra.build import substitute
from symgrad.algebra.show import Names
from symgrad.algebra.terms import BATCH, Term, extent, idx, lead_of, matrix_of, value

BATCH_SIZE = "batch"
"""The number of batch elements of `...` as a symbol."""


def to_sympy(t: Term, shapes: Mapping[str, Sequence[Term]] | None = None, names: Names | None = None) -> Any:
    """The SymPy expression of a term. `shapes`: tensor -> extents of its axes; `names`: how bound indices are named."""
    return _Bridge(shapes or {}, names or Names(), frozenset(str(i.data) for i in t.free)).expr(t)


class _Bridge:
    """Converts terms. `scope`: names of indices that a bound one must not hide: SymPy's `subs` would confuse them."""

    def __init__(self, shapes: Mapping[str, Sequence[Term]], names: Names, scope: frozenset[str]) -> None:
        self.shapes, self.names, self.scope = shapes, names, scope
        self.known: dict[Term, Any] = {}

    def expr(self, t: Term) -> Any:
        if t not in self.known:
            self.known[t] = _OPERATIONS[t.op](self, t)
        return self.known[t]

    def args(self, t: Term) -> list[Any]:
        return [self.expr(a) for a in t.args]

    def index(self, t: Term) -> Any:
        return sympy.Idx(sympy.Symbol(str(t.data), integer=True), self.expr(extent(t)))

    def access(self, t: Term) -> Any:
        name = str(t.data)
        if not t.args:
            return sympy.Symbol(name, real=True)
        shape = self.shapes.get(name)
        known = shape is not None and all(e.data != BATCH for e in shape)
        base = (
            sympy.IndexedBase(name, shape=tuple(map(self.expr, shape))) if known and shape else sympy.IndexedBase(name)
        )
        return base[tuple(self.args(t))]

    def of_matrix(self, t: Term) -> Any:
        """inv(A)[i, j] as an access to IndexedBase("inv(A)"), det(A) as a symbol of that name."""
        function, tensor = matrix_of(t)
        subscripts = [self.expr(a) for a in t.args[:-1]]
        if function == "adj":
            lead = subscripts[: len(lead_of(t))]
            return self.named(f"det({tensor})", lead) * self.named(f"inv({tensor})", subscripts)
        if function == "logabsdet":
            return sympy.log(sympy.Abs(self.named(f"det({tensor})", subscripts)))
        return self.named(f"{function}({tensor})", subscripts)

    @staticmethod
    def named(name: str, subscripts: Sequence[Any]) -> Any:
        return sympy.IndexedBase(name)[tuple(subscripts)] if subscripts else sympy.Symbol(name, real=True)

    def function(self, t: Term) -> Any:
        return _FUNCTIONS[str(t.data)](*self.args(t))

    def reduction(self, t: Term) -> Any:
        scope, mapping = self.scope, dict[Term, Term]()
        for v in t.args[1:]:
            name = self.names.choose(v, scope)
            scope |= {name}
            mapping[v] = idx(name, extent(v))
        inner = _Bridge(self.shapes, self.names, scope).expr(substitute(t.args[0], mapping))
        limits = [(self.expr(v), 0, self.expr(extent(v)) - 1) for v in mapping.values()]
        return _REDUCTIONS.get(str(t.data), _named(str(t.data)))(inner, limits)

    def condition(self, t: Term) -> Any:
        return _RELATIONS[str(t.data)](*self.args(t))


def _named(kind: str) -> Callable[[Any, Any], Any]:
    """A reduction that SymPy does not know: a function of its name, of the body and the indices."""
    name = {"max": "amax", "min": "amin", "max_first": "amax", "min_first": "amin"}.get(kind, kind)
    return lambda body, limits: sympy.Function(name)(body, *(v for v, _, _ in limits))


def _choose(c: Any, a: Any, b: Any) -> Any:
    return sympy.Piecewise((a, c), (b, True))


_RELATIONS: Mapping[str, Callable[..., Any]] = {"<": sympy.Lt, "<=": sympy.Le, "==": sympy.Eq, "!=": sympy.Ne}
_REDUCTIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "sum": lambda body, limits: sympy.Sum(body, *limits),
    "prod": lambda body, limits: sympy.Product(body, *limits),
    "lse": lambda body, limits: sympy.log(sympy.Sum(sympy.exp(body), *limits)),
    "norm": lambda body, limits: sympy.sqrt(sympy.Sum(body**2, *limits)),
}
_CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "oo": sympy.oo}
_OPERATIONS: Mapping[str, Callable[[_Bridge, Term], Any]] = {
    "num": lambda b, t: sympy.Rational(value(t).numerator, value(t).denominator),
    "const": lambda b, t: _CONSTANTS[str(t.data)],
    "dim": lambda b, t: sympy.Symbol(BATCH_SIZE if t.data == BATCH else str(t.data), integer=True, positive=True),
    "par": lambda b, t: sympy.Symbol(str(t.data), real=True),
    "idx": _Bridge.index,
    "get": _Bridge.access,
    "get0": _Bridge.access,
    "mat": _Bridge.of_matrix,
    "add": lambda b, t: sympy.Add(*b.args(t)),
    "mul": lambda b, t: sympy.Mul(*b.args(t)),
    "pow": lambda b, t: sympy.Pow(*b.args(t)),
    "fn": _Bridge.function,
    "lit": lambda b, t: sympy.true if t.data else sympy.false,
    "cmp": _Bridge.condition,
    "and": lambda b, t: sympy.And(*b.args(t)),
    "or": lambda b, t: sympy.Or(*b.args(t)),
    "not": lambda b, t: sympy.Not(*b.args(t)),
    "iv": lambda b, t: _choose(b.expr(t.args[0]), sympy.Integer(1), sympy.Integer(0)),
    "where": lambda b, t: _choose(*b.args(t)),
    "red": _Bridge.reduction,
}


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))


def _normal_cdf(x: Any) -> Any:
    return (1 + sympy.erf(x / sympy.sqrt(2))) / 2


_SAME = (
    *("exp", "log", "Abs", "sign", "Max", "Min", "Heaviside", "floor", "ceiling"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh"),
    *("erf", "erfc", "loggamma", "digamma", "polygamma"),
)
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(sympy, name) for name in _SAME},
    "sigmoid": _sigmoid,
    "logit": lambda x: sympy.log(x / (1 - x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "relu": lambda x: _choose(x > 0, x, 0),
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "clip": lambda x, a, b: sympy.Piecewise((a, x < a), (b, x > b), (x, True)),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * _normal_cdf(x),
    "normal_cdf": _normal_cdf,
    "normal_pdf": lambda x: sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi),
    "log_sigmoid": lambda x: sympy.log(_sigmoid(x)),
    "logcosh": lambda x: sympy.log(sympy.cosh(x)),
    "sech2": lambda x: 1 - sympy.tanh(x) ** 2,
    "floordiv": lambda a, b: sympy.floor(a / b),
    "mod": sympy.Mod,
    "truth": lambda x: sympy.Ne(x, 0),
}
