"""Every line of the derivative table against differences of the function itself, in multiprecision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from symgrad.algebra.build import fn
from symgrad.algebra.show import show
from symgrad.algebra.terms import HALF, ONE, ZERO, Term, get, node, num
from symgrad.calculus.adjoint import partials
from symgrad.calculus.derivatives import DERIVATIVES
from symgrad.formula.program import Input, Program
from symgrad.formula.vocabulary import FUNCTIONS
from symgrad.rules.elementary import DEFINITIONS
from symgrad.validate.evaluate import evaluate_term
from symgrad.validate.mpmath_backend import MpmathBackend

PROGRAM = Program("table", (Input("u", ()), Input("v", ())), (), (), (), ("u", "v"))
BACKEND = MpmathBackend(60)
MP = BACKEND.context
STEP = MP.mpf(10) ** -20
U, V = get("u"), get("v")

POINTS: dict[str, Sequence[float]] = {
    **dict.fromkeys(("log", "loggamma", "digamma"), (0.01, 0.5, 1.0, 3.7, 40.0)),
    **dict.fromkeys(("asin", "acos", "atanh"), (-0.9, -0.5, 0.0, 0.3, 0.99)),
    "log1p": (-0.9, -1e-9, 0.0, 2.0),
    "logit": (0.01, 0.5, 0.9),
    "acosh": (1.001, 2.0, 30.0),
    **dict.fromkeys(("floor", "ceiling"), (-2.5, -0.3, 0.4, 7.9)),
    "tan": (-1.4, -0.3, 0.0, 1.0, 2.5),
}
ANYWHERE = (-30.0, -2.5, -0.7, -1e-6, 1e-6, 0.3, 1.9, 25.0)
PAIRS = ((0.7, -1.3), (-2.0, 0.4), (1.5, 2.5), (-0.3, -0.6))
UNARY = [n for n, table in DERIVATIVES.items() if len(table) == 1]


def value(t: Term, u: Any, v: Any = 0) -> Any:
    known = {"u": np.array(u, dtype=object), "v": np.array(v, dtype=object)}
    return np.asarray(evaluate_term(t, PROGRAM, known, (), backend=BACKEND)).item()


def slope(t: Term, u: Any, v: Any, along: int) -> Any:
    """Central difference of a term by its first or second argument."""
    h = STEP
    ends = [(u + s * h, v) if along == 0 else (u, v + s * h) for s in (1, -1)]
    return (value(t, *ends[0]) - value(t, *ends[1])) / (2 * h)


def assert_close(got: Any, expected: Any) -> None:
    assert abs(got - expected) <= MP.mpf(10) ** -15 * (1 + abs(expected)), (got, expected)


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_argument(name: str) -> None:
    t = node("fn", (U,), name)
    rule = DERIVATIVES[name][0]
    assert rule is not None
    derivative = rule(U)
    assert derivative is not None
    for p in POINTS.get(name, ANYWHERE):
        assert_close(value(derivative, MP.mpf(p)), slope(t, MP.mpf(p), 0, 0))


@pytest.mark.parametrize("along", [0, 1])
@pytest.mark.parametrize("name", ["atan2", "Max", "Min"])
def test_a_function_of_two_arguments(name: str, along: int) -> None:
    rule = DERIVATIVES[name][along]
    assert rule is not None
    derivative = rule(U, V)
    assert derivative is not None
    for u, v in PAIRS:
        assert_close(
            value(derivative, MP.mpf(u), MP.mpf(v)), slope(node("fn", (U, V), name), MP.mpf(u), MP.mpf(v), along)
        )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polygamma_by_its_argument(order: int) -> None:
    rule = DERIVATIVES["polygamma"][1]
    assert rule is not None
    derivative = rule(num(order), U)
    assert derivative is not None
    for p in (0.3, 1.0, 7.5):
        assert_close(value(derivative, MP.mpf(p)), slope(fn("polygamma", num(order), U), MP.mpf(p), 0, 0))


@pytest.mark.parametrize("base", [0.5, 2.0, 3.5])
@pytest.mark.parametrize("exponent", [-1.5, 0.5, 2.0])
def test_a_power_by_base_and_exponent(base: float, exponent: float) -> None:
    t = node("pow", (U, V))
    for along, (_, derivative) in enumerate(partials(t)):
        got = value(derivative, MP.mpf(base), MP.mpf(exponent))
        assert_close(got, slope(t, MP.mpf(base), MP.mpf(exponent), along))


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_is_the_function(name: str) -> None:
    low, high = num(-1), num(2)
    args = {"clip": (U, low, high), "Heaviside": (U, HALF)}.get(name, (U,))
    for p in (0.01, 0.5, 0.9) if name == "logit" else (-30.0, -1.0, -0.2, 0.0, 0.7, 2.0, 5.0):
        assert_close(value(DEFINITIONS[name](*args), MP.mpf(p)), value(node("fn", args, name), MP.mpf(p)))


def test_steps_have_derivative_zero() -> None:
    for name in ("sign", "floor", "ceiling"):
        assert DERIVATIVES[name][0](U) is ZERO  # type: ignore[misc]
    assert DERIVATIVES["Heaviside"][0](U, HALF) is ZERO  # type: ignore[misc]
    assert DERIVATIVES["floordiv"][0](U, V) is ZERO  # type: ignore[misc]
    assert DERIVATIVES["mod"][0](U, V) is ONE  # type: ignore[misc]


def test_a_tie_of_max_and_min_gives_half_to_each() -> None:
    for name in ("Max", "Min"):
        for rule in DERIVATIVES[name]:
            assert rule is not None
            tied = rule(U, V)
            assert tied is not None
            assert value(tied, MP.mpf(2), MP.mpf(2)) == 0.5


def test_the_modulus_has_slope_zero_at_zero() -> None:
    assert value(DERIVATIVES["Abs"][0](U), MP.mpf(0)) == 0  # type: ignore[misc, arg-type]


def test_every_function_of_the_language_has_a_derivative_or_a_definition() -> None:
    logic = {"Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "where", "Piecewise"}
    missing = set(FUNCTIONS) - logic - {"sqrt"} - set(DERIVATIVES) - set(DEFINITIONS)
    assert not missing


@pytest.mark.parametrize("name", ["Max", "Min"])
def test_the_larger_of_three_values_is_that_of_two_and_one(name: str) -> None:
    assert fn(name, U, V, ONE) is fn(name, fn(name, U, V), ONE)
    assert show(fn(name, U, V, ONE)) == f"{name}({show(U)}, {show(V)}, 1)"
