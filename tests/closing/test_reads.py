"""Closed forms whose indices run along axes of different lengths: their text is read as it is meant."""

from __future__ import annotations

import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.document import gradient
from symgrad.formula.reader import read_text
from symgrad.report.contents import derivation_notation
from tests.fuzz.judge import judge_text

DIAGONAL = """name: diagonal
inputs: {x: [n, c], v: [n]}
output: {"y[i, r]": "Piecewise((v[r]**2, r == i), (1, True))*x[r, i]"}
"""
SUMMED_DIAGONAL = """name: summed_diagonal
inputs: {x: [n, c], v: [n]}
let: {"p[r]": "softmax(v[r], r)"}
output: {"y[i, r]": "Piecewise((exp(p[r]), r == i), (1, True))*x[r, i]"}
"""
SHORTER = """name: shorter
inputs: {x: [n], w: []}
loss: "w**2*Sum(exp(x[i + 1])*exp(x[i]), (i, 0, n - 2))"
"""
STACKED = """name: stacked
inputs: {z: ["2*m"], w: [m]}
ranges: {j: m}
output: {"y[j]": "tanh(z[j])*sigmoid(z[m + j])*w[j]"}
"""
WINNER = """name: winner
inputs: {x: [n, c], y: [n, c]}
output: {"o[i]": "x[i, argmax(y[i, k]*x[i, k], k)]**2*y[i, 0]"}
"""
FIRST_OF_SOFTMAX = """name: first_of_softmax
inputs: {x: [..., n]}
loss: "amax(softmax(x[..., i], i), i, ties=first)**2"
"""


def printed(text: str) -> dict[str, str]:
    d = derive_formula(read_text(text, "reads.yaml"))
    return {g.input: gradient(g, d.formula, derivation_notation(d))["closed"] for g in d.gradients}


GATHERED = """name: gathered
inputs: {A: [c, c], w: [c], t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}}
output: {"o[s, q]": "where(s == q, Max(w[q], A[t[s], q]), A[q, q])"}
"""
"""w[r] is read at r < n alone: what t gathers by is t[r % n]."""

DIVIDED = """name: divided
inputs: {x: [n, c], w: [c]}
let: {"a[s, j]": "norm(Sum(where(i == s, w[k], 1), k) + w[i], i)*sin(x[s, j])"}
output: {"y[s]": "Sum(a[s, j], j)"}
"""
"""The norm of a row is read at the columns, of which there may be more: nothing is divided by the bracket [j < n]."""


@pytest.mark.parametrize(
    "text", [DIVIDED, GATHERED, DIAGONAL, SUMMED_DIAGONAL, SHORTER, STACKED, WINNER, FIRST_OF_SOFTMAX]
)
def test_the_text_of_a_closed_form_means_the_gradient(text):
    assert judge_text(text) is None


def test_a_sum_over_less_than_an_axis_says_its_limits():
    assert "(i, 0, n - 2)" in printed(SHORTER)["w"]


def test_a_free_index_reads_a_shorter_axis_under_its_condition():
    assert "where(r < c, " in printed(DIAGONAL)["v"]
    assert "x[r, r]" not in printed(DIAGONAL)["v"]


def test_an_argmax_subscript_is_known_to_be_inside():
    assert ">= 0" not in printed(WINNER)["x"]
    assert "< c" not in printed(WINNER)["x"]
