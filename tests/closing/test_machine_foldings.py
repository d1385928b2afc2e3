"""Kernels write no summand as its sum less the others: (1 - z)(s - v) is not s - h, which cancels where z is 1."""

from __future__ import annotations

import numpy as np

import symgrad
from symgrad.algebra.show import show
from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_mapping

GATE = {
    "name": "gate",
    "inputs": {"x": ["n"], "v": ["n"], "s": ["n"]},
    "let": {"z[i]": "sigmoid(x[i])", "h[i]": "(1 - z[i])*v[i] + z[i]*s[i]"},
    "output": {"y[i]": "h[i]"},
}


def test_kernels_and_closed_forms_keep_the_difference_of_what_is_mixed() -> None:
    d = derive_formula(read_mapping(GATE))
    backward = {s.name: s.body for s in d.backward}
    assert "h" not in backward[d.gradient_of["x"]].tensors
    assert show(d.gradient("x").closed) == "dy[i]*z[i]*(s[i] - v[i])*(1 - z[i])"


def test_the_gradient_of_a_saturated_gate_is_no_zero() -> None:
    numpy = symgrad.derive(GATE).numpy
    x, v, s = np.array([50.0, 500.0]), np.array([0.3, 0.1]), np.array([1.2, 0.7])
    _, saved = numpy.forward(x, v, s)
    got = numpy.backward(np.ones(2), saved).x
    np.testing.assert_allclose(got, np.exp(-x) * (s - v), rtol=1e-12)
