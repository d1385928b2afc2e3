"""Right gradients are never accused: the generated kernels of the catalogue, called as hand-written functions are."""

import pytest

from symgrad import check

from .catalogue import right_gradient

SAMPLE = (
    "huber", "gaussian_nll", "kl_divergence", "hinge", "log_cosh", "smooth_l1", "squared_hinge", "poisson_nll",
    "focal_binary", "elu", "gelu", "hard_swish", "mish", "softplus", "tanh", "rms_norm", "linear", "log_softmax",
    "embedding", "swiglu", "trace_quadratic", "quadratic_form", "trace_inverse", "log_determinant", "least_squares",
)  # fmt: skip


@pytest.mark.parametrize("name", ["huber", "elu", "trace_quadratic"])
def test_the_generated_kernel_of_a_formula_passes(name: str) -> None:
    result = check(name, right_gradient(name))
    assert result.passed, result.text()


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_no_generated_kernel_of_a_sample_of_the_catalogue_is_accused(name: str) -> None:
    result = check(name, right_gradient(name))
    assert result.passed, result.text()
