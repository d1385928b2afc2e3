"""Decimal numbers against mpmath's: every function, reduction and matrix; the range; zeros; what is remembered."""

from __future__ import annotations

import decimal
from fractions import Fraction

import numpy as np
import pytest

from symgrad.validate.decimal_backend import DecimalBackend, backend_of, in_range
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.points import Point
from symgrad.validate.precise import Precise, Probe, closed_forms
from tests.validate.hand_made import cross_entropy, cross_entropy_closed

DECIMAL, MPMATH = DecimalBackend(40), MpmathBackend(50)
RNG = np.random.default_rng(0)
ANY = np.array([-800.0, -6.0, -1.0, -0.3, -1e-9, 0.0, 1e-9, 0.3, 1.0, 2.5, 6.0, 40.0, 800.0, *RNG.standard_normal(8)])
POSITIVE = np.abs(ANY) + 0.01
UNIT = np.array([-0.99, -0.5, -1e-8, 0.0, 1e-8, 0.25, 0.9])
ARGUMENTS = {
    "log": POSITIVE,
    "loggamma": POSITIVE,
    "digamma": POSITIVE,
    "log1p": POSITIVE - 0.5,
    "logit": (UNIT + 1) / 2,
    "asin": UNIT,
    "acos": UNIT,
    "atanh": UNIT,
    "acosh": POSITIVE + 1,
    "tan": UNIT,
}
TWO = ("Max", "Min", "Heaviside", "floordiv", "mod", "atan2", "hypot", "ratio")


def assert_near(got, expected):
    a, b = np.asarray(got).astype(float), np.asarray(expected).astype(float)
    assert a.shape == b.shape
    assert np.array_equal(np.isnan(a), np.isnan(b))
    np.testing.assert_allclose(a, b, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", sorted(set(MPMATH.functions) - {"polygamma", "clip", "series", *TWO}))
def test_a_function_is_mpmaths(name):
    x = ARGUMENTS.get(name, ANY)
    with DECIMAL.working():
        got = DECIMAL.function(name)(DECIMAL.real(x))
    assert_near(got, MPMATH.function(name)(MPMATH.real(x)))


@pytest.mark.parametrize("name", TWO)
def test_a_function_of_two_arguments_is_mpmaths(name):
    a, b = ANY[:, None], np.array([-2.0, -0.25, 0.5, 3.0])
    with DECIMAL.working():
        got = DECIMAL.function(name)(DECIMAL.real(a), DECIMAL.real(b))
    assert_near(got, MPMATH.function(name)(MPMATH.real(a), MPMATH.real(b)))


@pytest.mark.parametrize("digits", [20, 30, 40, 77, 150, 300])
def test_orders_are_exchanged_as_integers(digits):
    """polygamma(0.999..., x) would be taken for digamma."""
    decimals, orders = DecimalBackend(digits), np.arange(1.0, 65.0)
    assert [int(decimals.exchange.given(decimal.Decimal(int(n)))) for n in orders] == list(orders)
    with decimals.working():
        got = decimals.function("polygamma")(decimals.real(orders), decimals.real(np.array(2.5)))
    assert_near(got, MPMATH.function("polygamma")(MPMATH.real(orders), MPMATH.real(np.array(2.5))))


def test_clip_is_mpmaths():
    def clipped(b):
        return b.function("clip")(b.real(ANY), b.real(np.array(-0.5)), b.real(np.array(2.0)))

    with DECIMAL.working():
        got = clipped(DECIMAL)
    assert_near(got, clipped(MPMATH))


@pytest.mark.parametrize("kind", ["sum", "prod", "max", "min", "max_first", "min_first", "argmax", "lse", "norm"])
def test_a_reduction_is_mpmaths(kind):
    a = RNG.standard_normal((3, 5))
    with DECIMAL.working():
        got = DECIMAL.reduce(kind, DECIMAL.real(a))
    assert_near(got, MPMATH.reduce(kind, MPMATH.real(a)))


@pytest.mark.parametrize("function", ["inv", "det", "logdet", "logabsdet", "adj"])
def test_a_function_of_matrices_is_mpmaths(function):
    a = RNG.standard_normal((4, 3, 3))
    a[1] = a[1] @ a[1].T
    a[2, 0] = a[2, 1]
    a[3] = 0
    with DECIMAL.working():
        got = DECIMAL.matrix(function, DECIMAL.real(a))
    assert_near(got, MPMATH.matrix(function, MPMATH.real(a)))


@pytest.mark.parametrize("exponent", [Fraction(k) for k in (-3, -1, 0, 1, 2, 5)] + [Fraction(1, 2), Fraction(1, 3)])
def test_a_power_is_mpmaths(exponent):
    e = DECIMAL.number(exponent), MPMATH.number(exponent)
    with DECIMAL.working():
        got = DECIMAL.power(DECIMAL.real(ANY), e[0], exponent)
    assert_near(got, MPMATH.power(MPMATH.real(ANY), e[1], exponent))


def test_inputs_are_exact():
    x = np.array([0.1, 1 / 3, 2.0**-300, -5e-324, np.inf, -np.inf])
    assert np.array_equal(DECIMAL.real(x).astype(float), x)
    assert str(DecimalBackend(5).real(np.array([0.1]))[0]).startswith("0.1000000000000000055511151231257827")


def test_what_leaves_the_range_is_computed_by_mpmath():
    def run():
        b = backend_of(30)
        with b.working():
            y = b.function("exp")(b.real(np.array([-1e30, 1.0])))
            return b, float(b.function("log")(y)[0])

    with pytest.raises(decimal.Underflow):
        run()
    backend, got = in_range(run)
    assert isinstance(backend, MpmathBackend)
    assert got == -1e30
    assert isinstance(backend_of(30), DecimalBackend)


def test_a_point_that_leaves_the_range_is_judged_with_wider_numbers_whoever_asks():
    program = cross_entropy()
    z, t = np.array([[1e50, -1e50, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    precise = Precise(program, Point("special", "far apart", {"z": z, "t": t}, {}, {}))
    assert precise.slope(Probe({"z": np.eye(1, 3, 0)}, "an element"), 1.0) == 1.0
    assert precise.wide
    assert precise.rough_values()["loss"] == 2e50
    (form,) = closed_forms((cross_entropy_closed(),), ("z",), precise).values()
    assert form.tolist() == [[1.0, -1.0, 0.0]]
