"""Kernels of recurrences: one step, many steps, strides, and everything that torch asks of a function."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad
from symgrad.closing.derivation import derive_formula
from symgrad.emit.load import load_module
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_text

RNN = """
name: simple
inputs: {x: [..., T, n], U: [n, n], h0: [..., n]}
scan:
  h[..., t, j]: {first: "h0[..., j]", next: "tanh(Sum(U[j, k]*h[..., t - 1, k], k) + x[..., t, j])"}
output:
  y[..., t, j]: h[..., t, j]
"""
LOSS = """
name: simple
inputs: {x: [T, n], U: [n, n]}
scan:
  h[t, j]: {first: "x[0, j]", next: "tanh(Sum(U[j, k]*h[t - 1, k], k) + x[t, j])/(1 + h[t - 1, j]**2)"}
loss: Sum(h[T - 1, j]**2, j)
"""


def kernels(text: str, target: str):
    """A generated module."""
    files = emit_package(derive_formula(read_text(text)))
    return load_module(files[f"{target}_kernels.py"], f"{target}_kernels")


def by_hand(x, U, h0):
    states = [h0]
    for t in range(1, x.shape[-2]):
        states.append(np.tanh(states[-1] @ U.T + x[..., t, :]))
    return np.stack(states, -2)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_a_loop_makes_every_step_behind_any_batch(steps: int, batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, U, h0 = rng.normal(size=(*batch, steps, 4)), rng.normal(size=(4, 4)), rng.normal(size=(*batch, 4))
    y, saved = kernels(RNN, "numpy").forward(x, U, h0)
    assert np.allclose(y, by_hand(x, U, h0), rtol=1e-14, atol=1e-14)
    grads = kernels(RNN, "numpy").backward(np.ones_like(y), saved)
    assert grads.x.shape == x.shape
    assert np.all(grads.x[..., 0, :] == 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_can_do_everything_with_a_recurrence() -> None:
    torch = pytest.importorskip("torch")
    module = kernels(RNN, "torch")
    torch.manual_seed(0)
    x, U, h0 = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((2, 3, 2), (2, 2), (2, 2)))
    assert torch.autograd.gradcheck(module.simple, (x, U, h0))
    assert torch.autograd.gradgradcheck(module.simple, (x, U, h0))
    plain = [a.detach() for a in (x, U, h0)]
    whole = torch.func.jacrev(module.simple, argnums=1)(*plain)
    assert torch.allclose(whole, torch.func.jacfwd(module.simple, argnums=1)(*plain))
    each = torch.func.vmap(module.simple, in_dims=(0, None, 0))(*plain)
    assert torch.allclose(each, module.simple(*plain))


def test_a_loss_over_the_last_step_has_the_gradient_of_autograd() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    x, U = rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    a, b = (torch.tensor(v, requires_grad=True) for v in (x, U))
    h = a[0]
    for t in range(1, 5):
        h = torch.tanh(b @ h + a[t]) / (1 + h**2)
    (h**2).sum().backward()
    grad = kernels(LOSS, "numpy").grad(x, U)
    assert np.allclose(grad.x, a.grad.numpy(), rtol=1e-12, atol=1e-14)
    assert np.allclose(grad.U, b.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_backpropagation_through_time_is_printed_as_in_a_textbook() -> None:
    d = symgrad.derive({**symgrad_mapping(), "name": "textbook"})
    where = {str(k): v for k, v in d.gradients["U"].where.items()}
    assert any("dh[t + 1" in str(v) and "1 - h[t + 1" in str(v) for v in where.values())


def symgrad_mapping() -> dict[str, object]:
    """A formula as a mapping."""
    following = "tanh(Sum(U[j, k]*h[t - 1, k], k) + x[t, j])"
    return {
        "inputs": {"x": ["T", "n"], "U": ["n", "n"]},
        "scan": {"h[t, j]": {"first": "x[0, j]", "next": following}},
        "output": {"y[t, j]": "h[t, j]"},
    }
