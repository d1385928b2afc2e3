"""SymPy's derivative of the formula written out at one row, by SymPy's lambdify over NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce as fold
from typing import Any

import numpy as np
import sympy

from benchmarks.accuracy.points import Data, has_rows
from symgrad.algebra.terms import Term
from symgrad.formula.program import Program
from symgrad.validate.backends import EvaluationError
from symgrad.validate.evaluate import Evaluation
from symgrad.validate.operations import Mask, Named

MOST_OPERATIONS = 3000


def lambdified(program: Program, wrt: Sequence[str], sizes: Mapping[str, int]) -> Any:
    """The peer, or None where SymPy has no answer in time."""
    if any(i.dtype != "real" for i in program.inputs):
        return None
    symbols, args = {}, []
    for i in program.inputs:
        rows = has_rows(i, program)
        own = i.shape[1:] if rows and program.is_loss else i.shape
        shape = tuple(sizes[str(e.data)] for e in own)
        a = _symbols(i.name, shape)
        args += list(a.ravel())
        symbols[i.name] = a[None] if rows else a
    try:
        work = Symbolic(program, symbols, {}, SympyBackend(), strict=False)
        work.run(program.statements)
    except (EvaluationError, TypeError, ValueError, NotImplementedError):
        return None
    total, values, cotangents = sympy.Integer(0), {}, []
    for s in program.outputs:
        v = np.asarray(work.tensors[s.name], dtype=object)
        v = v[0] if v.shape else v
        values[s.name] = np.asarray(v, dtype=object)
        d = _symbols(f"d{s.name}", values[s.name].shape)
        cotangents += [] if program.is_loss else list(d.ravel())
        weights = np.ones(values[s.name].shape, int) if program.is_loss else d
        total += sum((w * x for w, x in zip(weights.ravel(), values[s.name].ravel(), strict=True)), sympy.Integer(0))
    if sympy.count_ops(total) > MOST_OPERATIONS:
        return None
    expressions = [x for v in values.values() for x in v.ravel()]
    for n in wrt:
        expressions += [sympy.diff(total, x) for x in symbols[n].ravel()]
    function = sympy.lambdify([*args, *cotangents], expressions, modules=["scipy", "numpy"])
    return _peer(function, program, wrt, {n: v.shape for n, v in values.items()})


def _peer(function: Any, program: Program, wrt: Sequence[str], shapes: Mapping[str, tuple[int, ...]]) -> Any:
    def run(inputs: Data, upstream: Data) -> dict[str, np.ndarray[Any, Any]]:
        rows = len(next(inputs[i.name] for i in program.inputs if has_rows(i, program)))
        columns: list[Any] = []
        for name, a in [
            *inputs.items(),
            *((f"d{s.name}", upstream[f"d{s.name}"]) for s in program.outputs if upstream),
        ]:
            shared = name in inputs and not has_rows(program.input(name), program)
            columns += list(a.ravel()) if shared else list(a.reshape(rows, -1).T)
        got = iter(function(*columns))
        take = lambda shape: np.stack(  # noqa: E731
            [np.broadcast_to(next(got), (rows,)) for _ in range(int(np.prod(shape)))], -1
        ).reshape(rows, *shape)
        answers = {f"value {n}": take(shape) for n, shape in shapes.items()}
        return answers | {f"grad {n}": take(inputs[n].shape[1:]) for n in wrt}

    return run


def _symbols(name: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    out = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        out[at] = sympy.Symbol("_".join([name, *map(str, at)]), real=True)
    return out


def _boxed(x: Any) -> Any:
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _each(f: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*arrays: Any) -> Any:
        out = np.frompyfunc(f, len(arrays), 1)(*arrays)
        return out if isinstance(out, np.ndarray) else _boxed(out)

    return apply


class SympyBackend:
    """Object arrays of SymPy expressions."""

    name = "sympy"

    def working(self) -> Any:
        """In this block nothing warns."""
        return np.errstate(all="ignore")

    def real(self, data: Any) -> Any:
        """Data as expressions."""
        a = np.asarray(data)
        return a if a.dtype == object else _each(lambda x: sympy.Integer(int(x)) if x == int(x) else sympy.Float(x))(a)

    def number(self, value: Fraction) -> Any:
        """An exact number."""
        return _boxed(sympy.Rational(value.numerator, value.denominator))

    def constant(self, name: str) -> Any:
        """pi, E or oo."""
        return _boxed(getattr(sympy, name))

    def plain(self, a: Any) -> Any:
        """As it is."""
        return np.asarray(a)

    def permute(self, a: Any, order: tuple[int, ...]) -> Any:
        """Axes in another order."""
        return np.transpose(a, order)

    def expand(self, a: Any, shape: tuple[int, ...]) -> Any:
        """Broadcast to a shape."""
        return np.broadcast_to(a, shape)

    def where(self, c: Any, a: Any, b: Any) -> Any:
        """A Piecewise."""
        return _each(lambda c, x, y: sympy.Piecewise((x, _truth(c)), (y, True)))(c, a, b)

    def compare(self, op: str, a: Any, b: Any) -> Any:
        """Relations as objects."""
        made = {"<": sympy.Lt, "<=": sympy.Le, "==": sympy.Eq, "!=": sympy.Ne}[op]
        return _each(made)(a, b)

    def function(self, name: str) -> Any:
        """SymPy's function, or its definition."""
        if name not in FUNCTIONS:
            raise EvaluationError(name)
        return _each(FUNCTIONS[name])

    def power(self, base: Any, exponent: Any, exact: Fraction | None) -> Any:
        """A power."""
        return _each(lambda b, e: b**e)(base, exponent)

    def reduce(self, kind: str, a: Any) -> Any:
        """Written out."""
        made = {
            "sum": lambda row: sympy.Add(*row),
            "prod": lambda row: sympy.Mul(*row),
            "max": lambda row: sympy.Max(*row),
            "min": lambda row: sympy.Min(*row),
            "lse": lambda row: sympy.log(sympy.Add(*map(sympy.exp, row))),
            "norm": lambda row: sympy.sqrt(sympy.Add(*(x**2 for x in row))),
        }
        if kind not in made:
            raise EvaluationError(kind)
        rows = a.reshape(-1, a.shape[-1])
        out = np.empty(len(rows), dtype=object)
        for k, row in enumerate(rows):
            out[k] = made[kind](list(row))
        return out.reshape(a.shape[:-1])

    def matrix(self, function: str, a: Any) -> Any:
        """Not done."""
        raise EvaluationError(function)


def _truth(c: Any) -> Any:
    return sympy.true if c is True or c is np.True_ else sympy.false if c is False or c is np.False_ else c


class Symbolic(Evaluation):
    """Conditions are expressions; no operand is made harmless, as nobody does who writes the formula down."""

    def guard(self, v: Named, mask: Mask, safe: Fraction = Fraction(1, 2)) -> Named:
        """As it is."""
        return v

    def condition(self, c: Term, mask: Mask) -> Named:
        """A condition as relations."""
        if c.op == "not":
            return self.apply(_each(lambda x: sympy.Not(_truth(x))), self.condition(c.args[0], mask))
        if c.op in ("and", "or"):
            join = sympy.And if c.op == "and" else sympy.Or
            parts = [self.condition(a, mask) for a in c.args]
            return self.apply(_each(lambda *xs: join(*map(_truth, xs))), *parts)
        if c.op == "cmp":
            compare = self.backend.compare
            return self.apply(lambda a, b: compare(str(c.data), a, b), *(self.value(a, mask) for a in c.args))
        return super().condition(c, mask)

    def holds(self, mask: Mask) -> Named:
        """Where all conditions hold."""
        parts = [self.condition(c, ()) for c in mask]
        return self.apply(_each(lambda *xs: fold(sympy.And, map(_truth, xs))), *parts)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))


def _cdf(x: Any) -> Any:
    return (1 + sympy.erf(x / sympy.sqrt(2))) / 2


FUNCTIONS: dict[str, Callable[..., Any]] = {
    n: getattr(sympy, n)
    for n in "exp log sign sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 erf erfc floor "
    "loggamma digamma polygamma Abs Max Min ceiling".split()
}
FUNCTIONS |= {
    "expm1": lambda x: sympy.exp(x) - 1,
    "log1p": lambda x: sympy.log(1 + x),
    "sigmoid": _sigmoid,
    "logit": lambda x: sympy.log(x / (1 - x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "relu": lambda x: sympy.Piecewise((x, x > 0), (0, True)),
    "clip": lambda x, a, b: sympy.Piecewise((a, x < a), (b, x > b), (x, True)),
    "silu": lambda x: x * _sigmoid(x),
    "normal_cdf": _cdf,
    "gelu": lambda x: x * _cdf(x),
}
