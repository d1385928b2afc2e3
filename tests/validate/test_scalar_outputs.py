"""Outputs without axes: values, gradients and noise are scalars in every judge."""

from __future__ import annotations

import pytest

import symgrad


@pytest.mark.parametrize("output", ["amax(x[i, j], i, j)", "norm(x[i, j], i, j)", "Sum(x[i, j]**3, i, j)"])
def test_a_scalar_output_is_judged_at_every_point(output: str) -> None:
    pytest.importorskip("torch")
    certificate = symgrad.derive({"name": "s", "inputs": {"x": ["n", "c"]}, "output": {"y": output}}).validate()
    assert certificate.passed
