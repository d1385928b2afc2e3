"""Far out, where one factor has vanished and another is infinite, and where squares nearly cancel."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symgrad

FAR = {
    "x[...]*exp(-x[...]**2)": 0.0,
    "x[...]**3*exp(-x[...]**2/2)": 0.0,
    "(1 + x[...]**2)*exp(-x[...]**2)": 0.0,
    "(x[...]**2 + x[...])*sech2": 0.0,
    "x[...]*tanh(exp(x[...]))": 1.0,
    "q[...]*exp(-q[...])": 0.0,
}


def layer(output: str):  # type: ignore[no-untyped-def]
    output = output.replace("sech2", "(1 - tanh(x[...])**2)")
    let = {"q[...]": "x[...]**2"} if "q[" in output else {}
    return symgrad.derive({"name": "f", "inputs": {"x": ["..."]}, "let": let, "output": {"y[...]": output}})


def both(result, x):  # type: ignore[no-untyped-def]
    """The gradient by the NumPy and by the torch kernel."""
    torch = pytest.importorskip("torch")
    _, saved = result.numpy.forward(x)
    t = torch.tensor(x, requires_grad=True)
    result.torch.f(t).sum().backward()
    return result.numpy.backward(np.ones_like(x), saved), t.grad.numpy()


def test_an_exponential_of_an_exponential_wins_over_that_exponential() -> None:
    for got in both(layer("exp(-exp(-x[...]))"), np.array([-1e3, -1e30, 0.0])):
        np.testing.assert_allclose(got, [0, 0, math.exp(-1)], rtol=1e-15)


@pytest.mark.parametrize("output", FAR)
@pytest.mark.parametrize(("dtype", "far"), [("float32", 1e30), ("float64", 1e200)])
def test_what_has_vanished_wins_over_what_is_infinite(output: str, dtype: str, far: float) -> None:
    for got in both(layer(output), np.array([far], dtype)):
        assert got == FAR[output]


def test_nan_still_passes_where_a_factor_has_vanished() -> None:
    result = layer("x[...]*exp(-x[...]**2)")
    _, saved = result.numpy.forward(np.array([1e200, np.nan, 1.0]))
    assert np.isnan(result.numpy.backward(np.array([np.nan, 1.0, np.nan]), saved)).all()


def test_a_bounded_factor_is_divided_before_the_product_overflows() -> None:
    result = symgrad.derive("hard_swish")
    y, _ = result.numpy.forward(np.array([3e38, -3e38], np.float32))
    np.testing.assert_array_equal(y, np.array([3e38, 0], np.float32))


@pytest.mark.parametrize(
    "output", ["(exp(x[...]) - exp(-x[...]))/(exp(x[...]) + exp(-x[...]))", "(exp(2*x[...]) - 1)/(exp(2*x[...]) + 1)"]
)
def test_a_tanh_that_is_written_out_is_one(output: str) -> None:
    x = np.array([1e-9, 0.5, 20.0, -300.0, 1e5])
    y, _ = layer(output).numpy.forward(x)
    np.testing.assert_allclose(y, np.tanh(x), rtol=1e-15)
    for got in both(layer(output), x):
        np.testing.assert_allclose(got[:4], 1 / np.cosh(x[:4]) ** 2, rtol=1e-14)


def test_a_share_of_two_exponentials_is_a_sigmoid() -> None:
    text = {"name": "f", "inputs": {"x": ["n"], "a": ["n"]}, "output": {"y[i]": "exp(x[i])/(exp(x[i]) + exp(a[i]))"}}
    numpy = symgrad.derive(text).numpy
    y, saved = numpy.forward(np.array([1000.0, 0.0]), np.array([999.0, 1000.0]))
    np.testing.assert_allclose(y, [1 / (1 + math.exp(-1)), 0], rtol=1e-15)
    assert np.isfinite(numpy.backward(np.ones(2), saved).x).all()


SPREADS = {
    "mean(x[i, j]**2, j) - mean(x[i, j], j)**2": 1.0,
    "Sum(x[i, j]**2, j)/c - (Sum(x[i, j], j)/c)**2": 1.0,
    "(Sum(x[i, j]**2, j) - Sum(x[i, j], j)**2/c)/(c - 1)": 8 / 7,
    "Sum(x[i, j]**2, j)/c - m[i]**2": 1.0,
}


@pytest.mark.parametrize("output", SPREADS)
def test_mean_squares_less_squared_means_are_centered(output: str) -> None:
    let = {"m[i]": "mean(x[i, j], j)"} if "m[i]" in output else {}
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n", "c"]}, "let": let, "output": {"y[i]": output}})
    x = (np.random.default_rng(3).normal(size=(5, 8)) + 1e4).astype(np.float32)
    y, _ = result.numpy.forward(x)
    np.testing.assert_allclose(y, SPREADS[output] * x.astype(float).var(axis=1), rtol=1e-4)


def test_a_covariance_written_in_one_pass_is_centered() -> None:
    covariance = "Sum(x[i]*z[i], i)/n - Sum(x[i], i)*Sum(z[i], i)/n**2"
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n"], "z": ["n"]}, "output": {"y": covariance}})
    rng = np.random.default_rng(4)
    x, z = (rng.normal(size=9) + 1e8 for _ in range(2))
    y, _ = result.numpy.forward(x, z)
    np.testing.assert_allclose(y, np.mean((x - 1e8 - (x - 1e8).mean()) * (z - 1e8)), rtol=1e-9)


def test_a_root_less_its_leg_does_not_cancel() -> None:
    result = layer("(x[...] + sqrt(x[...]**2 + 4))/2")
    x = np.array([-1e6, -3.0, 0.0, 2.0])
    y, _ = result.numpy.forward(x)
    exact = np.array([1e-6 * (1 - 1e-12), (-3 + math.sqrt(13)) / 2, 1.0, (2 + math.sqrt(8)) / 2])
    np.testing.assert_allclose(y, exact, rtol=1e-14)
    for got in both(result, x):
        np.testing.assert_allclose(got[:1], [1e-12], rtol=1e-11)


@pytest.mark.parametrize("kernel", ["numpy", "torch"])
def test_a_share_is_divided_before_the_product_overflows(kernel: str) -> None:
    torch = pytest.importorskip("torch")
    share = {
        "name": "f",
        "inputs": {"x": ["n"], "w": ["n"]},
        "output": {"y[i]": "w[i]*(1 + x[i]**2)**3/(1 + (1 + x[i]**2)**3)"},
    }
    x, w = np.array([1e5], np.float32), np.array([1e15], np.float32)
    result = symgrad.derive(share)
    y = result.numpy.forward(x, w)[0] if kernel == "numpy" else result.torch.f(torch.tensor(x), torch.tensor(w)).numpy()
    np.testing.assert_allclose(y, w, rtol=1e-6)
