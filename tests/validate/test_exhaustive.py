"""The sweep over float32: what it finds in right kernels, in wrong ones, and what it is not for."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad
from symgrad.errors import UsageError, VerdictError
from symgrad.validate.exhaustive import Found, _compare

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


class _Moves:
    """An input's half ulp moves every element by 1e-9."""

    center = (np.ones(3), np.ones(3))

    def of(self, which: int, at: np.ndarray) -> np.ndarray:
        return np.full(at.shape, 1e-9)


def test_a_zero_is_wrong_where_no_rounding_of_the_input_explains_it() -> None:
    """At the float32 number beside a root the truth is tiny; 0 is what the number beside that would give."""
    found = Found()
    x = np.float32([1, 2, 3])
    _compare(found, x, np.float32([0, 0, 1]), np.array([5e-10, 2e-9, 1]), _Moves(), 1)
    assert (found.zeros, [at for _, at in found.suspects]) == (1, [2.0, 1.0])
