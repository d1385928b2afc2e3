"""Digits that a form or a function of the target would lose: each test is a class of formulas."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad

torch = pytest.importorskip("torch")


def layer(output: str, **more):  # type: ignore[no-untyped-def]
    return symgrad.derive({"name": "f", "inputs": {"x": ["..."]}, "output": {"y[...]": output}, **more})


def test_a_sigmoid_in_torch_is_computed_down_to_the_smallest_numbers() -> None:
    x = torch.tensor([-95.0, -100.0, -103.0], requires_grad=True)
    y = layer("1e30*sigmoid(x[...])").torch.f(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    true = 1e30 * np.exp(x.detach().numpy().astype(float))
    for got in (y.detach().numpy(), slope.numpy()):
        np.testing.assert_allclose(got, true, rtol=0.4)  # two bits of a subnormal number are left
    assert (y > 0).all()


def test_derivatives_of_that_sigmoid_are_right_at_0_and_at_infinity() -> None:
    x = torch.tensor([0.0, -0.0, 1.0, -745.5, -torch.inf, torch.inf], dtype=torch.float64, requires_grad=True)
    y, plain = layer("softplus(x[...])").torch.f(x), torch.nn.functional.softplus(x, threshold=1000)
    for _ in range(4):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        (plain,) = torch.autograd.grad(plain.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.detach()[:3], plain.detach()[:3], atol=1e-16)
        assert torch.isfinite(y).all()


@pytest.mark.parametrize("scale", [2.0**-300, 1.0, 2.0**40, 2.0**250])
def test_a_determinant_far_from_1_keeps_its_digits_in_numpy(scale: float) -> None:
    a = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 5.0]])
    module = symgrad.derive("determinant").numpy
    np.testing.assert_allclose(module.loss(a * scale), 23.0 * scale**3, rtol=4e-16)
    cofactors = np.array([[14.0, -5.0, 1.0], [-5.0, 10.0, -2.0], [1.0, -2.0, 5.0]])
    np.testing.assert_allclose(module.grad(a * scale), cofactors * scale**2, rtol=2e-15)


def test_a_singular_determinant_is_0_and_has_its_gradient() -> None:
    module = symgrad.derive("determinant").numpy
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert module.loss(a) == 0
    np.testing.assert_allclose(module.grad(a), [[4, -2], [-2, 1]], atol=1e-14)


LARGE = ("1e30*x[...]", "x[...]/1e30", "x[...] + 1e30", "3e25*x[...]**2/7", "Max(x[...], -1e30)")


@pytest.mark.parametrize("output", [*LARGE, "where(x[...] > 1e25, x[...], 2e19)"])
def test_numbers_beyond_the_integers_of_torch_are_floats(output: str) -> None:
    result, x = layer(output), np.array([1.5, -2.0])
    y, _ = result.numpy.forward(x)
    t = torch.tensor(x, requires_grad=True)
    theirs = result.torch.f(t)
    theirs.sum().backward()
    np.testing.assert_allclose(theirs.detach().numpy(), y, rtol=1e-15)
    assert torch.isfinite(t.grad).all()
