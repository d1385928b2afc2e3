"""Functions of matrices in emitted kernels: solve rather than inverse, and what happens at singular matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.emit.cases import kernels
from tests.emit.matrix_cases import MATRIX_CASES

DETERMINANT = "name: volume\ninputs: {X: [..., n, n]}\noutput: {y: det(X)}\n"
SOLUTION = "name: solution\ninputs: {A: [..., n, n], b: [..., n]}\noutput: {y: 'solve(A, b)'}\n"


@pytest.mark.parametrize("name", ["solve_batched", "solve_transposed"])
def test_an_inverse_that_only_multiplies_is_a_system_to_solve(name: str) -> None:
    k = kernels(MATRIX_CASES[name].text)
    for file in ("numpy_kernels.py", "torch_kernels.py"):
        body = k.files[file].partition("def _solve(")[0]
        assert "_solve(" in body
        assert "_inverse(" not in body


def cofactors(a: np.ndarray) -> np.ndarray:
    """The gradient of the determinant by its definition."""
    n = len(a)
    rest = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array(
        [[(-1) ** (i + j) * (np.linalg.det(rest[i][j]) if n > 1 else 1.0) for j in range(n)] for i in range(n)]
    )


def singular(n: int, kind: str) -> np.ndarray:
    a = np.random.default_rng(n).standard_normal((n, n))
    if kind == "repeated row" and n > 1:
        a[-1] = a[0]
    if kind == "rank one":
        a = np.outer(a[0], a[:, 0])
    return a * 0 if kind == "zero" else np.eye(n, k=1) if kind == "nilpotent" else a


@pytest.mark.parametrize("kind", ["regular", "repeated row", "rank one", "zero", "nilpotent"])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_gradient_of_a_determinant_is_the_adjugate_at_every_matrix(n: int, kind: str) -> None:
    k, a = kernels(DETERMINANT), singular(n, kind)
    expected = cofactors(a)
    _, saved = k.numpy.forward(a)
    got = k.numpy.backward(np.ones(()), saved)
    x = torch.tensor(a, requires_grad=True)
    k.function(x).backward()
    assert np.max(np.abs(got - expected)) <= 1e-12
    assert np.max(np.abs(x.grad.numpy() - expected)) <= 1e-12


def test_a_singular_matrix_of_a_batch_leaves_the_others_alone() -> None:
    k = kernels(SOLUTION)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 4, 4)), rng.standard_normal((3, 4))
    a[1, 2] = a[1, 0]
    expected = np.linalg.solve(a[[0, 2]], b[[0, 2], :, None])[..., 0]
    for y in (k.numpy.forward(a, b)[0], k.function(torch.tensor(a), torch.tensor(b)).numpy()):
        assert np.allclose(y[[0, 2]], expected)
        assert np.all(np.isnan(y[1]))


def test_no_kernel_raises_at_a_singular_or_infinite_matrix() -> None:
    k = kernels(MATRIX_CASES["gaussian"].text)
    x, mu = np.zeros((2, 3)), np.zeros(3)
    for bad in (np.full((3, 3), np.inf), np.full((3, 3), np.nan)):
        assert not np.isfinite(k.numpy.loss(x, mu, bad))
        k.numpy.grad(x, mu, bad)


def test_a_batch_without_elements_is_no_error() -> None:
    k = kernels(SOLUTION)
    assert k.numpy.forward(np.zeros((0, 3, 3)), np.zeros((0, 3)))[0].shape == (0, 3)
    assert k.function(torch.zeros(0, 3, 3), torch.zeros(0, 3)).shape == (0, 3)


def test_half_precision_is_computed_in_float32() -> None:
    k = kernels(SOLUTION)
    a, b = np.eye(3, dtype=np.float16) * 2, np.ones(3, np.float16)
    y = k.numpy.forward(a, b)[0]
    assert y.dtype == np.float16
    assert np.all(y == np.float16(0.5))
    assert k.function(torch.tensor(a), torch.tensor(b)).dtype == torch.float16
