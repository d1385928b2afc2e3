"""Layer norm in float32 where rows are far from 0: the variance is a small difference of what is read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch.nn import functional as F  # noqa: N812

from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.measure import Score, measure
from benchmarks.accuracy.points import Data

OFFSETS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
DTYPE = "float32"
SIZES = {"c": 8}
ONE_PASS = {
    "name": "layer_norm_in_one_pass",
    "inputs": {"x": ["...", "c"], "g": ["c"], "b": ["c"]},
    "let": {"m[...]": "mean(x[..., k], k)", "v[...]": "mean(x[..., k]**2, k) - m[...]**2"},
    "output": {"y[..., j]": "g[j]*(x[..., j] - m[...])/sqrt(v[...] + 1/100000) + b[j]"},
}
CASES = (
    Case(
        "layer_norm", "layer_norm", lambda a: F.layer_norm(a["x"], a["x"].shape[-1:], a["g"], a["b"], 1e-5), sizes=SIZES
    ),
    Case(
        "mean(x**2) - mean(x)**2",
        ONE_PASS,
        lambda a: F.layer_norm(a["x"], a["x"].shape[-1:], a["g"], a["b"], 1e-5),
        sizes=SIZES,
    ),
)


def at_offsets(rows: int = 6, seed: int = 0) -> dict[str, dict[float, Mapping[str, Score]]]:
    """Case -> offset -> peer -> its score, for rows of standard normal numbers beside the offset."""
    peers = ("numpy", "torch", "autograd", "built-in")
    found: dict[str, dict[float, Mapping[str, Score]]] = {}
    for case in CASES:
        found[case.name] = {}
        for offset in OFFSETS:
            rng = np.random.default_rng((seed, int(offset)))

            def moved(inputs: Data, offset: float = offset, rng: np.random.Generator = rng) -> Data:
                x = np.asarray(offset + rng.standard_normal(inputs["x"].shape), np.float32)
                return {**inputs, "x": x.astype(float)}

            found[case.name][offset] = measure(case, rows, seed, peers, moved).scores[DTYPE]
    return found
