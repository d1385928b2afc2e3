"""NumPy kernels of convolutions and poolings against those written by hand; the goal is at most twice their time.

Prints a table and writes benchmarks/results/convolutions.json. One thread, float32.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import numpy as np

import symgrad
from benchmarks.convolutions import by_hand
from benchmarks.interleaved import Ratio, ratio, written


@dataclass(frozen=True)
class Workload:
    """A formula of the catalogue, the shapes of its inputs, its parameters, and the same by hand."""

    formula: str
    shapes: tuple[tuple[int, ...], ...]
    params: dict[str, int]
    forward: Callable[..., Any]
    backward: Callable[..., Any]

    @property
    def title(self) -> str:
        """`conv2d 8×3×32×32, 32×3×5×5, pad 2`"""
        sizes = ["×".join(map(str, s)) for s in self.shapes if len(s) > 1]
        return f"{self.formula} {', '.join([*sizes, *(f'{n} {v}' for n, v in self.params.items())])}"


CONV = by_hand.conv_forward, by_hand.conv_backward
TRANSPOSED = by_hand.transposed_forward, by_hand.transposed_backward
MAX = by_hand.max_forward, by_hand.max_backward
MEAN = by_hand.mean_forward, by_hand.mean_backward
WORKLOADS = [
    Workload("conv2d", ((8, 3, 32, 32), (32, 3, 5, 5), (32,)), {"pad": 2}, *CONV),
    Workload("conv2d", ((8, 32, 16, 16), (32, 32, 5, 5), (32,)), {"pad": 2}, *CONV),
    Workload("conv2d", ((8, 16, 32, 32), (64, 16, 3, 3), (64,)), {"pad": 1}, *CONV),
    Workload("conv_transpose2d", ((8, 32, 8, 8), (32, 16, 4, 4), (16,)), {"s": 2, "pad": 1}, *TRANSPOSED),
    Workload("conv_transpose2d", ((4, 64, 8, 8), (64, 32, 5, 5), (32,)), {"s": 1, "pad": 2}, *TRANSPOSED),
    Workload("conv_transpose2d", ((8, 8, 32, 32), (8, 8, 2, 2), (8,)), {"s": 2, "pad": 0}, *TRANSPOSED),
    *(
        Workload(name, (shape,), {"k": k, "s": s}, *pair)
        for name, pair in (("max_pool2d", MAX), ("avg_pool2d", MEAN))
        for shape, k, s in [((8, 32, 32, 32), 2, 2), ((8, 32, 32, 32), 3, 2), ((8, 16, 32, 32), 3, 1)]
    ),
]


def measured(w: Workload, kernels: ModuleType) -> dict[str, Ratio]:
    """Ratios of the forward pass, of the backward pass, and of both; results are compared first."""
    rng = np.random.default_rng(0)
    x = [rng.standard_normal(shape).astype("f4") for shape in w.shapes]
    y, saved = kernels.forward(*x, **w.params)
    mine, theirs = w.forward(*x, **w.params)
    np.testing.assert_allclose(y, mine, rtol=1e-3, atol=1e-3)
    dy = rng.standard_normal(y.shape).astype("f4")
    for a, b in zip(_listed(kernels.backward(dy, saved)), _listed(w.backward(dy, theirs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-2)
    return {
        "forward": ratio(lambda: kernels.forward(*x, **w.params), lambda: w.forward(*x, **w.params)),
        "backward": ratio(lambda: kernels.backward(dy, saved), lambda: w.backward(dy, theirs)),
        "both": ratio(
            lambda: kernels.backward(dy, kernels.forward(*x, **w.params)[1]),
            lambda: w.backward(dy, w.forward(*x, **w.params)[1]),
        ),
    }


def _listed(gradients: Any) -> list[Any]:
    return list(gradients) if isinstance(gradients, tuple) else [gradients]


def main() -> None:
    """The table and the file of results."""
    results = {}
    kernels = {w.formula: symgrad.derive(w.formula).numpy for w in WORKLOADS}
    for w in WORKLOADS:
        found = measured(w, kernels[w.formula])
        results[w.title] = {part: asdict(r) for part, r in found.items()}
        columns = (f"{part} {r.ratio:.2f} ({r.mine_ms:.1f} / {r.theirs_ms:.1f} ms)" for part, r in found.items())
        sys.stdout.write(f"{w.title:56} {'  '.join(columns)}\n")
    sys.stdout.write(f"{written('convolutions', results)}\n")


if __name__ == "__main__":
    main()
