"""Gradients through vectors of length 1 and through softmaxes, where one place holds nearly everything."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import symgrad

NORMALIZED = {
    "x[i, j]/norm(x[i, k], k)": (1, 0),
    "x[i, j]/sqrt(Sum(x[i, k]**2, k))": (1, 0),
    "x[i, j]/sqrt(Sum(x[i, k]**2, k) + 1/1024)": (1, Fraction(1, 1024)),
    "x[i, j]/sqrt(mean(x[i, k]**2, k) + 1/1024)": (4, Fraction(1, 1024)),
}
ROWS = np.array([[1000.0, 0, 0, 0], [50, 1e-3, 0, 2e-3], [1, 2, 3, -4], [3e-4, -1e4, 2e-2, 0]])


def slopes(x, upstream, count, eps):  # type: ignore[no-untyped-def]
    """The gradient of sum(upstream*x)/sqrt(sum(x**2)/count + eps), its sums exact."""
    x, upstream = ([Fraction(float(v)) for v in a] for a in (x, upstream))
    size = sum(v * v for v in x) / count + eps
    dot = sum(a * b for a, b in zip(x, upstream, strict=True)) / count
    return [float(u * size - v * dot) / float(size) ** 1.5 for u, v in zip(upstream, x, strict=True)]


@pytest.mark.parametrize("output", NORMALIZED)
@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_gradient_through_a_normalized_vector_keeps_its_digits_at_a_dominant_element(
    output: str, target: str
) -> None:
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n", "c"]}, "output": {"y[i, j]": output}})
    upstream = np.array([[0.3, -1.7, 0.9, 1.1]] * len(ROWS))
    if target == "numpy":
        _, saved = result.numpy.forward(ROWS)
        got = result.numpy.backward(upstream, saved)
    else:
        torch = pytest.importorskip("torch")
        x = torch.tensor(ROWS, requires_grad=True)
        result.torch.f(x).backward(torch.tensor(upstream))
        got = x.grad.numpy()
    exact = [slopes(x, u, *NORMALIZED[output]) for x, u in zip(ROWS, upstream, strict=True)]
    np.testing.assert_allclose(got, exact, rtol=1e-13)


POWERS = {"Sum(y[i, j]**2, j)": 2, "Sum(y[i, j]**3, j)": 3, "Sum(sqrt(y[i, j]), j)": 0.5}


@pytest.mark.parametrize("loss", POWERS)
def test_a_gradient_through_a_confident_softmax_keeps_its_digits(loss: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    text = {"name": "f", "inputs": {"z": ["n", "c"]}, "let": {"y[i, j]": "softmax(z[i, j], j)"}, "loss": loss}
    z, p = [60.0, 0.0, -3.0, 20.0], POWERS[loss]
    with mpmath.workdps(80):
        e = [mpmath.exp(v) for v in z]
        y = [v / sum(e) for v in e]
        exact = [float(p * (v**p - v * sum(w**p for w in y))) for v in y]
    np.testing.assert_allclose(symgrad.derive(text).numpy.grad(np.array([z]))[0], exact, rtol=1e-12)


def test_an_entropy_has_a_gradient_where_all_are_nearly_alike() -> None:
    text = {"name": "f", "inputs": {"z": ["n", "c"]}, "let": {"y[i, j]": "softmax(z[i, j], j)"}}
    numpy = symgrad.derive({**text, "loss": "-Sum(y[i, j]*log(y[i, j]), j)"}).numpy
    z = np.array([1.0, -2.0, 4.0, -1.0]) * 1e-12
    np.testing.assert_allclose(numpy.grad(z[None])[0], -(z - z.mean()) / 4, rtol=1e-11)
    np.testing.assert_allclose(numpy.grad(z[None] + 2.0**-10)[0], -(z - z.mean()) / 4, rtol=1e-3)
