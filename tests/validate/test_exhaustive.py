"""The sweep over float32: what it finds in right kernels, in wrong ones, and what it is not for."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad
from symgrad.errors import UsageError, VerdictError

FEW = (1 << 20) + 7
"""A stride that leaves some four thousand numbers of every magnitude."""


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "softplus", "elu", "softsign"])
def test_an_activation_keeps_the_promise_on_a_sample_of_all_float32_numbers(name: str) -> None:
    result = symgrad.derive(name, targets=["numpy"])
    result.exhaust(FEW)
    assert result.certificate is not None
    found = result.certificate.to_json()["exhaustive"]
    assert found["passed"], found
    assert 4000 < found["inputs"] < 4200
    assert result.certificate.passed


def test_a_cancelling_kernel_is_caught_with_the_input_where_it_is_worst() -> None:
    result = symgrad.derive("sigmoid", targets=["numpy"])
    text = result.package["numpy_kernels.py"]
    planted = text.replace("_sigmoid(-x)", "(1 - _sigmoid(x))")
    assert planted != text
    result.__dict__["package"] = {**result.package, "numpy_kernels.py": planted}
    with np.errstate(all="ignore"):
        result.exhaust(FEW)
    assert result.certificate is not None
    sweep = result.certificate.sweep
    assert sweep is not None
    assert not sweep.passed
    assert sweep.gradient.zeros > 4
    assert sweep.value.zeros == 0
    with pytest.raises(VerdictError, match="wrong zeros"):
        result.check_verdict()


def test_what_is_not_elementwise_in_one_input_is_refused() -> None:
    with pytest.raises(UsageError, match="every float32"):
        symgrad.derive("mse", targets=["numpy"]).exhaust(FEW)
