"""What each operation of a term means: one rule an operation, on arrays whose axes are named by indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce as fold
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from symgrad.algebra.terms import Term, node, value
from symgrad.validate.backends import Array, EvaluationError

if TYPE_CHECKING:
    from symgrad.validate.evaluate import Evaluation

Mask = tuple[Term, ...]


@dataclass(frozen=True)
class Named:
    """An array with one named axis for each index."""

    array: Array
    axes: tuple[Term, ...] = ()


def _number(e: Evaluation, t: Term, _: Mask) -> Named:
    return Named(e.backend.number(value(t)))


def _constant(e: Evaluation, t: Term, _: Mask) -> Named:
    return Named(e.backend.constant(str(t.data)))


def _dimension(e: Evaluation, t: Term, _: Mask) -> Named:
    return Named(e.backend.real(np.asarray(e.sizes.dims[str(t.data)])))


def _parameter(e: Evaluation, t: Term, _: Mask) -> Named:
    given = e.parameters[str(t.data)]
    return Named(e.backend.number(given) if isinstance(given, Fraction) else e.backend.real(np.asarray(given)))


def _index(e: Evaluation, t: Term, _: Mask) -> Named:
    return Named(e.backend.real(np.arange(e.extent(t))), (t,))


def _access(e: Evaluation, t: Term, mask: Mask) -> Named:
    v = e.access(t, mask)
    return Named(e.backend.real(v.array), v.axes) if str(t.data) in e.integers else v


def _sum(e: Evaluation, t: Term, mask: Mask) -> Named:
    return e.apply(lambda *xs: fold(lambda a, b: a + b, xs), *(e.value(a, mask) for a in t.args))


def _product(e: Evaluation, t: Term, mask: Mask) -> Named:
    """A product; where a bracket is 0 the product is 0, whatever the other factors are."""
    brackets = tuple(a.args[0] for a in t.args if a.op == "iv")
    inner = mask + brackets
    factors = [e.value(a, inner) for a in t.args if a.op != "iv"] or [Named(e.backend.number(Fraction(1)))]
    v = e.apply(lambda *xs: fold(lambda a, b: a * b, xs), *factors)
    return _bracketed(e, brackets, v, mask) if brackets else v


def _bracketed(e: Evaluation, brackets: tuple[Term, ...], v: Named, mask: Mask) -> Named:
    held = e.apply(lambda *cs: fold(np.logical_and, cs), *(e.condition(c, mask) for c in brackets))
    b = e.backend
    return e.apply(lambda c, a: b.where(c, a, b.number(Fraction(0))), held, v)


def _bracket(e: Evaluation, t: Term, mask: Mask) -> Named:
    return _bracketed(e, (t.args[0],), Named(e.backend.number(Fraction(1))), mask)


def _where(e: Evaluation, t: Term, mask: Mask) -> Named:
    c, yes, no = t.args
    a, b = e.value(yes, (*mask, c)), e.value(no, (*mask, node("not", (c,))))
    return e.apply(e.backend.where, e.condition(c, mask), a, b)


def _power(e: Evaluation, t: Term, mask: Mask) -> Named:
    base, exponent = t.args
    exact = value(exponent) if exponent.op == "num" else None
    b = e.guard(e.value(base, mask), mask)
    return e.apply(lambda x, y: e.backend.power(x, y, exact), b, e.value(exponent, mask))


def _function(e: Evaluation, t: Term, mask: Mask) -> Named:
    name = str(t.data)
    if name == "truth":
        raise EvaluationError(f"{t!r} is a condition, not a number")
    safe = Fraction(3, 2) if name == "acosh" else Fraction(1, 2)
    args = [e.value(a, mask) for a in t.args]
    if name not in ("polygamma", "floordiv", "mod"):
        args = [e.guard(a, mask, safe) for a in args]
    f = e.backend.function(name)
    return e.apply((lambda *xs: fold(f, xs)) if name in ("Max", "Min") else f, *args)


def _reduction(e: Evaluation, t: Term, mask: Mask) -> Named:
    bound = t.args[1:]
    v = e.spread(e.guard(e.value(t.args[0], mask), mask) if t.data == "norm" else e.value(t.args[0], mask), bound)
    kept = tuple(i for i in v.axes if i not in bound)
    a = e.backend.permute(v.array, tuple(v.axes.index(i) for i in (*kept, *bound)))
    lead = tuple(a.shape[: len(kept)])
    a = a.reshape((*lead, prod(a.shape[len(kept) :])))
    return Named(e.backend.reduce(str(t.data), a), kept)


RULES: Mapping[str, Callable[[Evaluation, Term, Mask], Named]] = {
    "num": _number,
    "const": _constant,
    "dim": _dimension,
    "par": _parameter,
    "idx": _index,
    "get": _access,
    "get0": _access,
    "mat": lambda e, t, mask: e.of_matrix(t, mask),
    "add": _sum,
    "mul": _product,
    "pow": _power,
    "fn": _function,
    "iv": _bracket,
    "where": _where,
    "red": _reduction,
}
