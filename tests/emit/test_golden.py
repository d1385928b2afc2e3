"""Emitted kernels as files, for people to read and for diffs; `pytest --snapshot-update` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emit.cases import CASES, kernels

FOLDER = Path(__file__).parent.parent / "golden"
CHOSEN = ("softmax_ce", "cross_entropy", "linear", "layer_norm", "attention", "conv2d", "embedding", "focal", "mlp")


@pytest.mark.parametrize("target", ["numpy", "torch"])
@pytest.mark.parametrize("name", CHOSEN)
def test_kernels_are_those_of_the_golden_files(name, target, request):
    text = kernels(CASES[name].text).files[f"{target}_kernels.py"]
    golden = FOLDER / f"{name}_{target}.py"
    if request.config.getoption("--snapshot-update", False):
        golden.write_text(text)
    assert golden.read_text().splitlines() == text.splitlines()
