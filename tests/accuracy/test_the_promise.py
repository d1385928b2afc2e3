"""Kernels keep the promise of docs/accuracy.md at adversarial points: no nan, no wrong zero, few mixed ulp."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.cases import CASES
from benchmarks.accuracy.measure import DTYPES, measure
from benchmarks.accuracy.table import is_clean

CLASSES = {
    "a confident softmax": ["softmax_cross_entropy", "cross_entropy", "softmax", "log_softmax"],
    "a saturated sigmoid": ["bce_with_logits", "focal_binary", "sigmoid", "tanh"],
    "what is left of 1": ["bce", "elu", "versine"],
}


@pytest.mark.parametrize("name", [n for names in CLASSES.values() for n in names])
def test_no_nan_no_wrong_zero_and_few_ulp(name: str) -> None:
    case = next(c for c in CASES if c.name == name)
    outcome = measure(case, 12, 5, ("numpy", "torch"))
    for dtype in DTYPES:
        for peer, score in outcome.scores[dtype].items():
            assert is_clean(outcome, dtype, score), f"{peer} {dtype}: {score.where}"
