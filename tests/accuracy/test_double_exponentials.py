"""Exponentials of exponentials: multiprecision of as many bits as the exponent has would never end."""

from __future__ import annotations

import numpy as np

import symgrad
from symgrad.closing.exactly import Exactly

GOMPERTZ = {
    "name": "gompertz",
    "inputs": {"x": ["n"], "s": ["n"]},
    "loss": "-log(sigmoid(exp(x[i])) - sigmoid(-exp(s[i])))",
}
LOGISTIC = {
    "name": "discretized",
    "inputs": {"m": ["n"], "s": ["n"], "x": {"shape": ["n"], "given": True}},
    "loss": "-log(sigmoid((x[i] + 1/2 - m[i])*exp(-s[i])) - sigmoid((x[i] - 1/2 - m[i])*exp(-s[i])))",
}


def test_the_truth_of_the_probe_is_asked_for_where_it_can_be_had() -> None:
    exactly = Exactly({}, None)  # type: ignore[arg-type]
    c = exactly.context
    for name in ("exp", "sin", "cosh", "sigmoid", "softplus"):
        assert c.isnan(exactly.functions[name](c.mpf(10) ** (10**50)))
    assert exactly.functions["exp"](c.mpf(-1)) < 1


def test_kernels_of_double_exponentials_are_made() -> None:
    assert symgrad.derive(GOMPERTZ, targets=["numpy"]).package


def test_the_likelihood_of_a_logistic_bin_keeps_its_digits_far_out() -> None:
    """Both sigmoids are 1 there, as numbers."""
    grad = symgrad.derive(LOGISTIC, targets=["numpy"]).numpy.grad
    got = grad(np.array([-60.0]), np.array([0.0]), np.array([0.0]))
    np.testing.assert_allclose(got.m, [-np.tanh(30.0)], rtol=1e-12)
    single = grad(np.float32([-60.0]), np.float32([0.0]), np.float32([0.0]))
    np.testing.assert_allclose(single.s, got.s, rtol=1e-6)
