"""`hvp` and `grad_and_hess` against torch's own second derivatives of losses written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from symgrad.closing.derivation import derive_formula
from symgrad.emit.load import load_module
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_file, read_text
from symgrad.validate.points import normal_points
from symgrad.validate.second.autograd import judge_second_autograd
from symgrad.validate.second.kernels import SecondKernels

FORMULAS = Path(__file__).parents[2] / "formulas"
f = torch.nn.functional


def kernels(path: str) -> ModuleType:
    """The NumPy module of a formula of the catalogue, or of a text."""
    formula = read_file(str(FORMULAS / f"{path}.yaml")) if "\n" not in path else read_text(path)
    package = emit_package(derive_formula(formula, order=2), ("numpy",))
    return load_module(package["numpy_kernels.py"], formula.name)


def data(*shapes: tuple[int, ...]) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal(s) for s in shapes]


def hessian_of(loss: Callable[[torch.Tensor], torch.Tensor], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    h = torch.autograd.functional.hessian(loss, torch.tensor(x))
    return np.asarray(h.reshape(x.size, x.size))


X, T, V = data((3, 4), (3, 4), (3, 4))
P = np.abs(T) / np.abs(T).sum(axis=-1, keepdims=True)
CASES: Mapping[str, tuple[list[Any], Callable[[torch.Tensor], torch.Tensor], tuple[int, ...]]] = {
    "losses/softmax_cross_entropy": ([X, P], lambda z: f.cross_entropy(z, torch.tensor(P)), (3, 4)),
    "losses/bce_with_logits": (
        [X[0], P[0]],
        lambda z: f.binary_cross_entropy_with_logits(z, torch.tensor(P[0])),
        (4,),
    ),
    "losses/huber": ([3 * X[0], T[0]], lambda z: f.huber_loss(z, torch.tensor(T[0])), (4,)),
    "losses/poisson_nll": (
        [X[0], np.exp(T[0])],
        lambda z: f.poisson_nll_loss(z, torch.tensor(np.exp(T[0]))),
        (4,),
    ),
    "losses/log_cosh": ([X[0], T[0]], lambda z: torch.log(torch.cosh(z - torch.tensor(T[0]))).mean(), (4,)),
    "second_order/logsumexp": ([X[0]], lambda z: torch.logsumexp(z, 0), (4,)),
}


@pytest.mark.parametrize("name", CASES)
def test_both_kernels_are_torchs_hessian(name: str) -> None:
    inputs, loss, shape = CASES[name]
    module, v = kernels(name), V.ravel()[: int(np.prod(shape))].reshape(shape)
    h = hessian_of(loss, inputs[0])
    np.testing.assert_allclose(module.hvp(*inputs, v).ravel(), h @ v.ravel(), rtol=1e-12, atol=1e-14)
    gradient, diagonal = module.grad_and_hess(*inputs)
    np.testing.assert_allclose(diagonal.ravel(), np.diag(h), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(gradient, module.grad(*inputs))


def test_the_sum_is_what_boosted_trees_ask_for_and_keeps_its_digits_at_large_scores() -> None:
    module = kernels("losses/bce_with_logits")
    x = np.array([-800.0, -40.0, 0.0, 40.0, 700.0])
    gradient, hessian = module.grad_and_hess(x, np.array([0.0, 1.0, 1.0, 0.0, 1.0]), reduction="sum")
    e = np.exp(-np.abs(x))
    np.testing.assert_allclose(hessian, e / (1 + e) ** 2, rtol=1e-14)
    assert gradient.shape == hessian.shape == (5,)


def test_several_inputs_take_and_give_tuples_with_cross_terms() -> None:
    module = kernels("second_order/mlp_regression")
    x, w, u, t, vw, vu = data((5, 3), (4, 3), (4,), (5,), (4, 3), (4,))

    def loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((torch.tanh(torch.tensor(x) @ a.T) @ b - torch.tensor(t)) ** 2).mean() / 2

    _, expected = torch.autograd.functional.hvp(
        loss, (torch.tensor(w), torch.tensor(u)), (torch.tensor(vw), torch.tensor(vu))
    )
    for v in ((vw, vu), [vw, vu]):
        got = module.hvp(x, w, u, t, v)
        assert got._fields == ("W", "u")
        np.testing.assert_allclose(got.W, expected[0], rtol=1e-12)
        np.testing.assert_allclose(got.u, expected[1], rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "cross_entropy", "label_smoothing"])
def test_no_array_of_the_diagonal_has_more_axes_than_the_logits(name: str) -> None:
    z = np.zeros((200_000, 3))
    t = np.zeros(200_000, int) if name != "softmax_cross_entropy" else np.full((200_000, 3), 1 / 3)
    _, hessian = kernels(f"losses/{name}").grad_and_hess(z, t, reduction="sum")
    np.testing.assert_allclose(hessian, 2 / 9)


def test_wrong_directions_and_reductions_are_refused_by_name() -> None:
    module = kernels("losses/mse")
    x, t = X[0], T[0]
    with pytest.raises(ValueError, match=r"the direction of x must have its shape \[4\], got \[3\]"):
        module.hvp(x, t, x[:3])
    with pytest.raises(TypeError, match="the direction of x must be an array of floating dtype"):
        module.hvp(x, t, np.arange(4))
    for call in (lambda: module.hvp(x, t, x, reduction="none"), lambda: module.grad_and_hess(x, t, reduction="none")):
        with pytest.raises(ValueError, match="reduction"):
            call()
    several = kernels("second_order/mlp_regression")
    with pytest.raises(TypeError, match=r"v must be a tuple \(W, u\)"):
        several.hvp(*data((5, 3), (4, 3), (4,), (5,)), X)


def test_results_have_the_dtype_of_the_inputs() -> None:
    module = kernels("losses/softmax_cross_entropy")
    z, t, v = (a.astype(np.float32) for a in (X, P, V))
    assert module.hvp(z, t, v).dtype == module.grad_and_hess(z, t)[1].dtype == np.float32
    assert module.hvp(z, t, V).dtype == np.float64
    half = [a.astype(np.float16) for a in (X, P, V)]
    assert module.hvp(*half).dtype == np.float16


def test_the_value_of_the_loss_in_its_own_gradient_moves_with_the_inputs() -> None:
    """exp(z - loss) reads the loss by name: its tangent counts."""
    module = kernels("name: lse\ninputs: {z: [c]}\nloss: logsumexp(z[j], j)\n")
    z, v = X[0], V[0]
    y = np.exp(z) / np.exp(z).sum()
    np.testing.assert_allclose(module.hvp(z, v), y * (v - y @ v), rtol=1e-12)


ODD = {
    "an input named v": "name: odd\ninputs: {v: [n], dtype: [n]}\nloss: exp(v[i]*dtype[i]) + v[i]**2\n",
    "a let named v": "name: odd\ninputs: {x: [n]}\nlet: {'v[i]': 'exp(x[i])'}\nloss: v[i]**2\n",
    "batch axes that mix": """
name: odd
inputs: {x: [..., d], w: [d]}
let:
  m[k]: mean(x[..., k], ...)
  u[..., k]: x[..., k] - m[k]
loss: Sum(w[k]*u[..., k]**4, ..., k)
""",
    "weights under batch axes": """
name: odd
inputs: {x: [..., d], W: [c, d], t: {shape: [...], dtype: int}}
let:
  z[..., j]: Sum(W[j, k]*x[..., k], k)
  y[..., j]: softmax(z[..., j], j)
loss: -log(y[..., t[...]])
""",
    "a strided convolution": """
name: odd
inputs: {x: {shape: [n, l], outside: 0}, w: [r]}
parameters: {s: {value: 2, dtype: int}}
ranges: {p: (l - r)//s + 1}
let:
  y[i, p]: Sum(x[i, s*p + u - 1]*w[u], u)
loss: Sum(tanh(y[i, p])**2, p)
""",
    "gathers": """
name: odd
inputs: {M: [q, d], t: {shape: [n], dtype: int}, w: [d]}
loss: exp(Sum(M[t[i], k]*w[k], k)) + Sum(M[t[i], k]**3, k)
""",
    "extremes, products and norms": """
name: odd
inputs: {x: [n, c], y: [n, c]}
loss: amax(x[i, j]**2*y[i, j], j) + Product(x[i, j] + 3, j) + norm(y[i, j], j) + Max(x[i, 0], y[i, 0])**2
""",
    "a softmax under weights": """
name: odd
inputs: {z: [n, c], w: {shape: [c], given: true}}
loss: log(Sum(w[j]**2*softmax(z[i, j], j), j))
""",
    "an inverse": """
name: odd
inputs: {x: [d], y: [d], A: {shape: [d, d], domain: positive_definite}}
loss: Sum(x[i]*inv(A)[i, j]*y[j], i, j)
""",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_autograd_of_the_independent_evaluation_agrees(text: str) -> None:
    judged(read_text(text))


def judged(formula: Any) -> None:
    d = derive_formula(formula, order=2)
    package = emit_package(d, ("numpy",))
    module = load_module(package["numpy_kernels.py"], formula.name)
    points = list(normal_points(d.program, 0, 5))
    verdict = judge_second_autograd(d.program, SecondKernels(module, d.program, d.program.wrt), points, 0)
    assert verdict.failure is None
    assert verdict.points


LOSSES = sorted(p for p in FORMULAS.glob("losses/*.yaml") if "\nscan:" not in p.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("path", LOSSES, ids=lambda p: p.stem)
def test_every_loss_of_the_catalogue_has_its_second_order(path: Path) -> None:
    judged(read_file(str(path)))
