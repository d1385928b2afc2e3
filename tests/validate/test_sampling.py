"""Sizes and data of the points: distinct extents, every domain, every declared equation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from symgrad.algebra.build import add, compare, mul, power, reduce
from symgrad.algebra.terms import BATCH, ONE, TWO, ZERO, dim, get, idx, num
from symgrad.formula.program import Domain, Input, Parameter, Program, Statement
from symgrad.formula.reader import read_text
from symgrad.validate.extents import choose_extents
from symgrad.validate.kink_points import kink_points
from symgrad.validate.points import normal_points
from symgrad.validate.sampling import choose_parameters, sample_inputs
from symgrad.validate.special_points import special_points
from tests.validate.hand_made import cross_entropy, fact, kinked, norm_layer, strided_window

n, c = dim("n"), dim("c")
i, j = idx("i", n), idx("j", c)


def sampled(kind: str, bounds: tuple = (), shape: tuple = (4, 3), dtype: str = "real") -> np.ndarray:
    names = [dim("n"), dim("c")] if shape[0] != shape[1] else [dim("n"), dim("n")]
    p = Program("p", (Input("x", tuple(names), dtype=dtype, domain=Domain(kind, bounds)),), (), (), (), ())
    dims = dict(zip(("n", "c"), shape, strict=True))
    return sample_inputs(p, dims, (), np.random.default_rng(0))["x"]


def test_extents_are_pairwise_distinct_in_two_ways_and_then_1():
    for make in (cross_entropy, norm_layer):
        first, second, ones = (choose_extents(make(), v) for v in range(3))
        names = [m for m in first if m != BATCH]
        assert len({first[m] for m in names}) == len({second[m] for m in names}) == len(names)
        assert first != second
        assert all(ones[m] == 1 for m in names)


def test_extents_leave_every_index_a_range():
    for variant in range(3):
        dims = choose_extents(strided_window(), variant)
        assert (dims["h"] + 2 - dims["r"]) // 2 + 1 >= 1


def test_an_equation_of_sizes_is_kept():
    d, h, e = dim("d"), dim("h"), dim("e")
    x = Input("x", (d, h, e))
    p = Program("p", (x,), (), (), (fact(compare("==", d, mul(h, e))),), ())
    for variant in range(3):
        dims = choose_extents(p, variant)
        assert dims["d"] == dims["h"] * dims["e"]


@pytest.mark.parametrize(
    ("kind", "bounds", "law"),
    [
        ("positive", (), lambda x: np.all(x > 0)),
        ("nonnegative", (), lambda x: np.all(x >= 0)),
        ("unit_interval", (), lambda x: np.all((x > 0.01) & (x < 0.99))),
        ("interval", (num(2), num(5)), lambda x: np.all((x > 2) & (x < 5))),
        ("greater_than", (num(-3),), lambda x: np.all(x > -3)),
        ("boolean", (), lambda x: set(np.unique(x)) == {0.0, 1.0}),
        ("simplex", (), lambda x: np.allclose(x.sum(-1), 1) and np.all(x > 0)),
        ("one_hot", (), lambda x: np.all(np.sort(x, -1)[:, -1] == 1) and np.all(x.sum(-1) == 1)),
        ("sphere", (), lambda x: np.allclose((x * x).sum(-1), 1)),
    ],
)
def test_data_lie_inside_of_their_domain(kind, bounds, law):
    assert law(sampled(kind, bounds))


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        ("symmetric", lambda x: np.array_equal(x, x.T)),
        ("positive_definite", lambda x: np.all(np.linalg.eigvalsh(x) > 0)),
        ("lower_triangular", lambda x: np.all(np.triu(x, 1) == 0) and np.all(np.diag(x) != 0)),
        ("orthogonal", lambda x: np.allclose(x @ x.T, np.eye(3))),
    ],
)
def test_matrices_have_the_structure_of_their_domain(kind, law):
    assert law(sampled(kind, shape=(3, 3)))


def test_integers_stay_within_both_ends_even_where_an_end_is_a_dimension():
    x = sampled("integer", (ZERO, add(dim("c"), num(-1))), (40, 3), "int")
    assert x.dtype.kind == "i"
    assert set(np.unique(x)) == {0, 1, 2}


def test_an_integer_input_without_bounds_ranges_over_the_axis_that_it_subscripts():
    body = get("x", (i, get("t", (i,))))
    inputs = (Input("x", (n, c)), Input("t", (n,), dtype="int", domain=Domain("integer")))
    p = Program("p", inputs, (), (Statement("o", (i,), body, "output"),), (), ("x",))
    t = sample_inputs(p, {"n": 200, "c": 3}, (), np.random.default_rng(0))["t"]
    assert set(np.unique(t)) == {0, 1, 2}


@pytest.mark.parametrize("domain", ["real", "positive"])
def test_an_equation_that_normalizes_an_input_holds(domain):
    p = get("p", (i, j))
    one = fact(compare("==", reduce("sum", p, [j]), ONE))
    made = Program("p", (Input("p", (n, c), domain=Domain(domain)),), (), (), (one,), ())
    x = sample_inputs(made, {"n": 4, "c": 5}, (), np.random.default_rng(0))["p"]
    assert np.allclose(x.sum(1), 1)
    assert domain == "real" or np.all(x > 0)


def test_other_equations_and_inequalities_hold():
    u, s = get("u", (i, j)), get("s", (i,))
    unit = fact(compare("==", reduce("sum", power(u, TWO), [j]), ONE))
    positive = fact(compare("<", ZERO, s))
    made = Program("p", (Input("u", (n, c)), Input("s", (n,))), (), (), (unit, positive), ())
    x = sample_inputs(made, {"n": 6, "c": 5}, (), np.random.default_rng(0))
    assert np.allclose((x["u"] ** 2).sum(1), 1)
    assert np.all(x["s"] > 0)


def test_a_symmetry_is_imposed_without_moving_more_than_needed():
    a, b = idx("a", n), idx("b", n)
    law = fact(compare("==", get("A", (a, b)), get("A", (b, a))))
    made = Program("p", (Input("A", (n, n)),), (), (), (law,), ())
    x = sample_inputs(made, {"n": 4}, (), np.random.default_rng(0))["A"]
    assert np.allclose(x, x.T)
    assert len(np.unique(x.round(9))) == 10


def test_normal_points_have_three_scales_other_parameters_and_axes_of_length_1():
    points = list(normal_points(norm_layer(), 0))
    assert len(points) == 10
    assert {p.kind for p in points} == {"normal", "unit axes"}
    sizes = {round(float(np.log10(np.mean(np.abs(p.inputs["x"])))), 0) for p in points}
    assert len(sizes) >= 3
    assert len({p.parameters["eps"] for p in points}) == 2
    assert all(set(p.upstream) == {"dh"} for p in points)


def test_the_points_of_a_seed_are_the_same_in_every_run():
    first, second = ([p.inputs["z"] for p in normal_points(cross_entropy(), 5)] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_special_points_hold_ties_zeros_large_values_and_ends():
    points = {p.label.split(": ")[1]: p for p in special_points(cross_entropy(), 0)}
    assert not np.any(points["zeros"].inputs["z"])
    assert np.max(np.abs(points["large, 1e+50"].inputs["z"])) > 4e49
    assert set(np.unique(points["ends of intervals"].inputs["t"])) == {0.0, 1.0}
    assert all(np.allclose(p.inputs["t"].sum(1), 1) for p in points.values())


def test_a_kink_point_lies_exactly_on_the_kink():
    from types import SimpleNamespace

    p = kinked()
    x, t = get("x", (i, j)), get("t", (i, j))
    (point,) = kink_points(p, (SimpleNamespace(at=compare("==", x, t), of="Abs"),), 0)
    assert np.any(point.inputs["x"] == point.inputs["t"])
    assert not np.all(point.inputs["x"] == point.inputs["t"])


def test_parameters_vary_inside_of_their_domains():
    p = replace(cross_entropy(), parameters=(Parameter("q", Fraction(9, 10), domain=Domain("unit_interval")),))
    assert choose_parameters(p, 0) == {"q": 0.9}
    assert 0 < choose_parameters(p, 1)["q"] < 1
    assert choose_parameters(p, 1)["q"] != 0.9


WIDE = """
name: wide
inputs: {x: [c, h, w]}
parameters:
  k: {value: 7, dtype: int, domain: positive}
  s: {value: 3, dtype: int, domain: positive}
  d: {value: 4, dtype: int, domain: positive}
ranges: {p: (h - d*(k - 1) - 1)//s + 1, u: k, q: (w - 11)//2 + 1}
output:
  "y[c, p, q]": amin(x[c, s*p + d*u, 2*q + 10], u)
"""


@pytest.mark.parametrize("variant", range(3))
def test_sizes_are_found_where_small_ones_leave_an_index_without_a_range(variant):
    program = read_text(WIDE.lstrip(), "wide.yaml").program
    dims = choose_extents(program, variant)
    least = {"h": 25, "w": 11} if variant == 2 else {"h": 28, "w": 13}
    assert {n: dims[n] for n in least} == least


def test_windows_are_more_than_one_where_the_formula_lets_them():
    program = read_text(WIDE.replace("value: 7", "value: 2").lstrip(), "wide.yaml").program
    dims = choose_extents(program, 0)
    assert (dims["h"] - 4 - 1) // 3 + 1 > 1
    assert (dims["w"] - 11) // 2 + 1 > 1
