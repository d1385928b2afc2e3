"""Torch's own test suite against formulas: samples of `op_db`, values and gradients, by both kernels.

By default a portion; `pytest -m slow tests/oracles` takes every sample, `python -m tests.oracles.counts` prints counts.
"""

from __future__ import annotations

import pytest

from tests.oracles.calls import CALLS
from tests.oracles.samples import operations, tally

pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch's own test suite needs it")

PORTION = (
    "amax",
    "nn.functional.gelu",
    "nn.functional.huber_loss",
    "nn.functional.layer_norm",
    "nn.functional.prelu",
    "softmax",
    "xlogy",
)
MOST = 6


def test_a_portion_of_torchs_samples() -> None:
    """One test, so that one process alone imports torch's test suite."""
    tallies = [tally(name, MOST) for name in PORTION]
    assert {t.name: t.wrong for t in tallies if t.wrong} == {}
    assert all(t.compared for t in tallies)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_every_sample_of_an_operation(name: str) -> None:
    result = tally(name)
    print(f"{name}: {result.compared} compared, worst {result.worst:.1e}, skipped {dict(result.skipped)}")
    assert result.wrong == []
    assert result.compared > 0


def test_the_table_names_operations_of_torch() -> None:
    assert len(CALLS) >= 100
    assert set(CALLS) <= set(operations())
