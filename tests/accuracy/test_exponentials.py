"""Exponentials that meet, and differences of exponentials and lines."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad

RESTS = {
    "exp(x[i]) - x[i] - 1": 1.0,
    "(exp(2*(x[i] - z[i])) - 1)/2 - x[i] + z[i]": 2.0,
    "exp(x[i])*exp(-z[i]) - x[i] + z[i] - 1": 1.0,
}


def two(output: str):  # type: ignore[no-untyped-def]
    return symgrad.derive({"name": "f", "inputs": {"x": ["n"], "z": ["n"]}, "output": {"y[i]": output}})


@pytest.mark.parametrize("output", RESTS)
@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_an_exponential_less_its_line_does_not_cancel(output: str, target: str) -> None:
    result, z = two(output), np.array([3.0, -1.0, 0.5])
    x = z + np.array([2.0**-40, -(2.0**-30), 0])
    y = result.numpy.forward(x, z)[0]
    if target == "torch":
        torch = pytest.importorskip("torch")
        y = result.torch.f(torch.tensor(x), torch.tensor(z)).numpy()
    d = x - z if "z" in output else x
    exact = RESTS[output] * d**2 / 2 if "z" in output else np.expm1(x) - x
    np.testing.assert_allclose(y, exact, rtol=1e-8)


DIVERGENCE = "z[i] - x[i] + (exp(x[i]) + m[i]**2)*exp(-z[i]) - 1"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_divergence_of_two_normals_has_values_wherever_they_are_numbers(dtype: type) -> None:
    inputs = {"x": ["n"], "z": {"shape": ["n"], "given": True}, "m": ["n"]}
    numpy = symgrad.derive({"name": "f", "inputs": inputs, "output": {"y[i]": DIVERGENCE}}).numpy
    x, z, m = np.array([1e4, 1e4, 3.0], dtype), np.array([1e4, 9999, 100.0], dtype), np.array([1, 1, 1e20], dtype)
    y, saved = numpy.forward(x, z, m)
    np.testing.assert_allclose(y, [0, np.exp(1) - 2, 96 + 1e40 * np.exp(-100.0)], rtol=1e-6)
    grads = numpy.backward(np.ones(3, dtype), saved)
    np.testing.assert_allclose(grads.x, [0, np.expm1(1), np.expm1(-97.0)], rtol=1e-6)
    np.testing.assert_allclose(grads.m[2], 2e20 * np.exp(-100.0), rtol=1e-5)
