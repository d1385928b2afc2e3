"""Reads that are shown to stay inside, and those that are not."""

from __future__ import annotations

import pytest

from symgrad.errors import FormulaError
from symgrad.formula.reader import read_text

HEAD = (
    "name: f\ninputs: {x: [n], im: [h, w], flat: [h*w], two: [2*n], "
    "t: {shape: [n], dtype: int, domain: 'integer(0, n - 1)'}}\n"
    "parameters: {s: {value: 2, dtype: int, domain: positive}, r: {value: 2, dtype: int, domain: positive}, "
    "q: {value: 0, dtype: int}}\n"
)


def read(statement: str, ranges: str = "") -> str:
    f = read_text(HEAD + (f"ranges: {{{ranges}}}\n" if ranges else "") + f"output:\n  {statement}\n", "f.yaml")
    return str(f.program.statements[0].body)


INSIDE = [
    ("y[i]: x[i]*x[n - 1 - i]", ""),
    ("y[i]: x[i]*x[(i + 1) % n]", ""),
    ("y[i]: x[i]*x[i//2]", ""),
    ("y[i]: x[i]*x[i//s]", ""),
    ("y[p, q_]: flat[p*w + q_]", "p: h, q_: w"),
    ("y[k]: im[k//w, k % w]", "k: h*w"),
    ("y[p]: Sum(x[s*p + u], (u, 0, r - 1))", "p: (n - r)//s + 1"),
    ("y[p]: Sum(x[s*p + u], (u, 0, s - 1))", "p: n//s"),
    ("y[p]: Sum(x[q*p + u], (u, 0, q - 1))", "p: n//q"),
    ("y[p]: mean(x[q*p + u], u)", "p: n//q, u: q"),
    ("y[p]: amax(x[s*p + u], (u, 0, q - 1))", "p: (n - q)//s + 1"),
    ("y[p, a]: amax(im[s*p + u, r*a + v], (u, 0, q - 1), (v, 0, q - 1))", "p: (h - q)//s + 1, a: (w - q)//r + 1"),
    ("y[a, b]: x[a*(n//r) + b]", "a: r, b: n//r"),
    ("y[i]: two[2*i] + two[2*i + 1]", "i: n"),
    ("y[i]: two[i + n]", "i: n"),
    ("y[p, u]: x[p + u]", "p: n - r + 1, u: r"),
    ("y[i]: x[t[i]]", ""),
    ("y[i]: Sum(x[j], (j, 1, n - 1)) + x[i]", ""),
    ("y[i, a]: x[i]*x[0]*x[n - 1]*im[a, 0]", ""),
]
GUARDED = [
    ("y[i]: where(i > 0, x[i - 1], 0) + x[i]", ""),
    ("y[i]: where(i == 0, 0, x[i - 1]) + x[i]", ""),
    ("y[i]: where(i != n - 1, x[i + 1], 0) + x[i]", ""),
    ("y[i]: Piecewise((x[i], Or(i == 0, i == n - 1)), (x[i - 1] + x[i + 1], True))", ""),
    ("y[i]: where((i >= 2) & (i + 2 < n), x[i - 2]*x[i + 2], x[i])", ""),
    ("y[i]: Sum(where(j <= i, x[i - j]*x[j], 0), j) + x[i]", ""),
    ("y[i]: where(i + q < n, where(i + q >= 0, x[i + q], 0), 0) + x[i]", ""),
]
OUTSIDE = [
    ("y[i]: x[i + 1] + x[i]", ""),
    ("y[i]: x[2*i] + x[i]", ""),
    ("y[i]: x[i + q] + x[i]", ""),
    ("y[i]: x[i//q] + x[i]", ""),
    ("y[i]: x[n]*x[i]", ""),
    ("y[i]: x[1]*x[i]", ""),
    ("y[p]: Sum(x[s*p + u], (u, 0, r))", "p: (n - r)//s + 1"),
    ("y[p]: Sum(x[q*p + u], (u, 0, q))", "p: n//q"),
    ("y[p]: amax(x[q*p + u], (u, 0, r - 1))", "p: (n - r)//q + 1"),
    ("y[p]: x[p]", "p: n + 1"),
    ("y[k]: im[k % w, k//w]", "k: h*w"),
    ("y[i]: where(i > 0, x[i - 2], 0) + x[i]", ""),
    ("y[i]: where(i > 0, 0, x[i - 1]) + x[i]", ""),
    ("y[i]: where(x[i] > 0, x[i - 1], 0)", ""),
]


@pytest.mark.parametrize(("statement", "ranges"), INSIDE)
def test_a_read_that_stays_inside_needs_nothing(statement: str, ranges: str) -> None:
    assert read(statement, ranges)


@pytest.mark.parametrize(("statement", "ranges"), GUARDED)
def test_a_read_may_be_kept_inside_by_its_condition(statement: str, ranges: str) -> None:
    assert read(statement, ranges)


@pytest.mark.parametrize(("statement", "ranges"), OUTSIDE)
def test_a_read_that_may_fall_outside_is_refused(statement: str, ranges: str) -> None:
    with pytest.raises(FormulaError, match="can read outside"):
        read(statement, ranges)


def test_a_window_is_positive_where_an_index_runs_over_it_but_a_stride_has_to_say_so() -> None:
    with pytest.raises(FormulaError, match="since q may be 0 or less") as caught:
        read("y[p]: amax(x[q*p + u], (u, 0, r - 1))", "p: (n - r)//q + 1")
    assert "q: {value: 0, dtype: int, domain: positive}" in caught.value.help


def test_an_assumption_about_sizes_counts_in_the_proof() -> None:
    text = "name: f\ninputs: {x: [n], k: [m]}\noutput:\n  y[u]: x[u]*k[u]\nranges: {u: m}\n"
    with pytest.raises(FormulaError, match="outside"):
        read_text(text, "f.yaml")
    assert read_text(text + "assume: m <= n\n", "f.yaml")


def test_an_equation_of_sizes_makes_two_extents_one() -> None:
    text = "name: f\ninputs: {x: [d], w: [h, e], y: [h*e]}\nloss: Sum(x[k]*y[k], k) + 0*w[0, 0]\n"
    with pytest.raises(FormulaError, match="two ranges"):
        read_text(text, "f.yaml")
    assert read_text(text + "assume: d == h*e\n", "f.yaml")


def test_conditions_on_real_values_say_nothing_of_subscripts() -> None:
    # 0 < x < i shows i >= 1, not i >= 2 as it would for integers
    with pytest.raises(FormulaError, match="can read outside"):
        read("y[i]: where((x[i] > 0) & (x[i] < i), x[i - 2], 0)")


def test_conditions_on_integers_of_a_tensor_keep_a_read_inside() -> None:
    assert read("y[i]: where((t[i] > 0) & (t[i] < i), x[i - 2], x[i])")


def test_a_gather_through_a_padded_tensor_may_be_zero() -> None:
    text = (
        "name: f\ninputs: {z: [m], t: {shape: [n], dtype: int, outside: 0, domain: 'integer(1, m)'}}\n"
        "ranges: {i: n}\noutput:\n  y[i]: z[t[i + 1]]\n"
    )
    with pytest.raises(FormulaError, match="can read outside of z"):
        read_text(text, "f.yaml")
    assert read_text(text.replace("integer(1, m)", "integer(0, m - 1)"), "f.yaml")
