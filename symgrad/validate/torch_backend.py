"""torch's answer to the evaluator: differentiable, with torch's own conventions at kinks.

The autograd judge differentiates this forward, so each function here is torch's own where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.validate.backends import COMPARISONS, Array, EvaluationError, Function, first_extremum


class TorchBackend:
    """torch tensors of one floating dtype on the CPU."""

    def __init__(self, dtype: Any = None) -> None:
        import torch

        self.torch = torch
        self.dtype = dtype or torch.float64
        self.name = f"torch {self.dtype}"
        self.functions = _functions(torch)

    def working(self) -> AbstractContextManager[Any]:
        """In this block nothing warns."""
        return np.errstate(all="ignore")

    def real(self, data: Array) -> Array:
        """Data as a real array."""
        if isinstance(data, self.torch.Tensor):
            return data.to(self.dtype)
        return self.torch.as_tensor(np.array(data), dtype=self.dtype)

    def number(self, value: Fraction) -> Array:
        """An exact number, rounded once."""
        return self.torch.tensor(value.numerator / value.denominator, dtype=self.dtype)

    def constant(self, name: str) -> Array:
        """pi, E or oo."""
        return self.torch.tensor({"pi": np.pi, "E": np.e, "oo": np.inf}[name], dtype=self.dtype)

    def plain(self, a: Array) -> np.ndarray[Any, Any]:
        """The values as a NumPy array."""
        return np.asarray(a.detach().numpy())

    def permute(self, a: Array, order: tuple[int, ...]) -> Array:
        """Axes in another order."""
        return a.permute(order)

    def expand(self, a: Array, shape: tuple[int, ...]) -> Array:
        """Broadcast to a shape."""
        return a.expand(shape)

    def where(self, c: np.ndarray[Any, Any], a: Array, b: Array) -> Array:
        """a where c holds, else b."""
        return self.torch.where(self.torch.as_tensor(np.array(c)), a, b)

    def compare(self, op: str, a: Array, b: Array) -> np.ndarray[Any, Any]:
        """a op b as a NumPy array of booleans."""
        return np.asarray(COMPARISONS[op](self.plain(a), self.plain(b)))

    def function(self, name: str) -> Function:
        """A scalar function, elementwise."""
        if name not in self.functions:
            raise EvaluationError(f"function {name} is not known to the evaluator")
        return self.functions[name]

    def power(self, base: Array, exponent: Array, exact: Fraction | None) -> Array:
        """base**exponent."""
        if exact == Fraction(1, 2):
            return self.torch.sqrt(base)
        if exact is not None:
            plain = int(exact) if exact.denominator == 1 else float(exact)
            return self.torch.pow(base, plain)
        return self.torch.pow(base, exponent)

    def reduce(self, kind: str, a: Array) -> Array:
        """A reduction of the last axis."""
        if kind in ("max_first", "min_first"):
            at = self.torch.as_tensor(first_extremum(kind, self.plain(a)))
            return a.gather(-1, at[..., None])[..., 0]
        if kind == "argmax":
            return self.real(first_extremum(kind, self.plain(a)))
        return _reductions(self.torch)[kind](a)

    def matrix(self, function: str, a: Array) -> Array:
        """inv, det, logdet, logabsdet or adj of the matrices in the last two axes; nan where it has no value."""
        linalg = self.torch.linalg
        if function in ("inv", "adj"):
            inverse, singular = linalg.inv_ex(a)
            found = self.torch.where((singular == 0)[..., None, None], inverse, np.nan)
            return found if function == "inv" else linalg.det(a)[..., None, None] * found
        if function == "det":
            return linalg.det(a) if a.shape[-1] > MOST_EXPANDED else _expanded_determinant(a)
        return self.torch.logdet(a) if function == "logdet" else linalg.slogdet(a)[1]


MOST_EXPANDED = 9


def _expanded_determinant(a: Array) -> Array:
    """Laplace's expansion: torch's own determinant has a gradient of 0 where a pivot is exactly 0."""
    n = a.shape[-1]
    minors = {0: a.new_ones(a.shape[:-2])}  # of the first rows, by the set of columns
    for row in range(n):
        found: dict[int, Array] = {}
        for columns, minor in minors.items():
            for k in (k for k in range(n) if not columns >> k & 1):
                sign = -1 if (columns >> k).bit_count() % 2 else 1
                term = sign * a[..., row, k] * minor
                new = columns | 1 << k
                found[new] = found[new] + term if new in found else term
        minors = found
    return minors[(1 << n) - 1]


def _reductions(torch: Any) -> Mapping[str, Function]:
    return {
        "sum": lambda a: a.sum(-1),
        "prod": lambda a: a.prod(-1),
        "max": lambda a: a.amax(-1),
        "min": lambda a: a.amin(-1),
        "lse": lambda a: torch.logsumexp(a, -1),
        "norm": lambda a: torch.linalg.vector_norm(a, dim=-1),
    }


def _functions(torch: Any) -> Mapping[str, Function]:
    # by name where torch has the name
    names = "exp log sign sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 erf erfc digamma floor"
    f = torch.nn.functional
    table: dict[str, Function] = {n: getattr(torch, n) for n in f"{names} sigmoid expm1 log1p relu logit".split()}
    table.update(
        Abs=torch.abs,
        ceiling=torch.ceil,
        Max=torch.maximum,
        Min=torch.minimum,
        loggamma=torch.lgamma,
        polygamma=lambda n, x: torch.polygamma(int(n.reshape(-1)[0]), x),
        Heaviside=lambda x, h: torch.where(x == 0, h, (x > 0).to(x.dtype)),
        clip=lambda x, a, b: torch.where(x < a, a, torch.where(x > b, b, x)),
        # torch's own softplus is cut off at 20
        softplus=lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        silu=f.silu,
        gelu=f.gelu,
        normal_cdf=torch.special.ndtr,
        floordiv=torch.floor_divide,
        mod=torch.remainder,
        log_sigmoid=f.logsigmoid,
        logcosh=lambda x: torch.logaddexp(x, -x) - np.log(2.0),
        sech2=lambda x: 4 * torch.sigmoid(2 * x) * torch.sigmoid(-2 * x),
        normal_pdf=lambda x: torch.exp(-x * x / 2) / np.sqrt(2 * np.pi),
        complement=lambda x: 1 - x,
        ratio=torch.divide,
        hypot=torch.hypot,
        exp_rest=lambda x: torch.expm1(x) - x,
        log1psq=lambda x: torch.log1p(x * x),
        log1mexp=lambda x: torch.log(-torch.expm1(x)),
        series=lambda u, r, s, n, *rest: sum(rest[int(n) :]),
        logmeanexp=lambda x: torch.logaddexp(x, torch.zeros_like(x)) - np.log(2.0),
    )
    return table
