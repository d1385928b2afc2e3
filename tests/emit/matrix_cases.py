"""Formulas with inverses and determinants, and their references in torch."""

from __future__ import annotations

import torch

from tests.emit.cases import Case

MATRIX_CASES: dict[str, Case] = {}

MATRIX_CASES["solve_batched"] = Case(
    """
name: solve_batched
inputs: {A: [..., n, n], b: [..., n]}
let: {"K[..., i, j]": "A[..., i, j] + where(i == j, 4, 0)"}
output: {y: "solve(K, b)"}
""",
    lambda A, b: torch.linalg.solve(A + 4 * torch.eye(A.shape[-1], dtype=A.dtype), b[..., None])[..., 0],
    {"A": (2, 3, 4, 4), "b": (2, 3, 4)},
)
MATRIX_CASES["solve_transposed"] = Case(
    """
name: solve_transposed
inputs: {A: [n, n], X: [b, n]}
output: {y: X @ inv(A)}
""",
    lambda A, X: torch.linalg.solve(A.mT, X.mT).mT,
    {"A": (4, 4), "X": (5, 4)},
)
MATRIX_CASES["inverse_elements"] = Case(
    """
name: inverse_elements
inputs: {A: [b, n, n], w: [n]}
output:
  y[i, j]: inv(A)[i, j, 0]*w[j]**2 + Sum(inv(A)[i, k, k], k)
""",
    lambda A, w: torch.linalg.inv(A)[..., 0] * w**2 + torch.linalg.inv(A).diagonal(dim1=-2, dim2=-1).sum(-1)[..., None],
    {"A": (3, 4, 4), "w": (4,)},
)
MATRIX_CASES["determinants"] = Case(
    """
name: determinants
inputs: {Z: [..., n, n], x: [..., n]}
output:
  y[..., i]: det(Z)[...]*x[..., i]**2
  v[...]: log(Abs(det(Z)[...]))
""",
    lambda Z, x: (torch.linalg.det(Z)[..., None] * x**2, torch.linalg.slogdet(Z)[1]),
    {"Z": (2, 3, 3), "x": (2, 3)},
)
MATRIX_CASES["gaussian"] = Case(
    """
name: gaussian
inputs: {x: [b, d], mu: [d], L: [d, d]}
let:
  S[i, j]: Sum(L[i, k]*L[j, k], k) + where(i == j, 1, 0)
loss: logdet(S)/2 + Sum((x[i, j] - mu[j])*inv(S)[j, k]*(x[i, k] - mu[k]), j, k)/2
""",
    lambda x, mu, L: _gaussian(x - mu, L @ L.mT + torch.eye(L.shape[-1], dtype=L.dtype)),
    {"x": (5, 3), "mu": (3,), "L": (3, 3)},
)


def _gaussian(r: torch.Tensor, S: torch.Tensor) -> torch.Tensor:
    return torch.logdet(S) / 2 + (r * torch.linalg.solve(S, r.mT).mT).sum(-1) / 2
