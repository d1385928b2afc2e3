"""Formulas that nobody tuned symgrad for: closed forms and kernels against torch references, length of the forms.

A few of them run by default; `pytest -m slow tests/cases` runs them all, with float32 at extreme scales.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.cases.running import NAMES, Case, error

pytest.importorskip("torch")

FAST = (
    "charbonnier",
    "focal_classes",
    "info_nce_pairs",
    "vae_kl",
    "elu_alpha",
    "batch_norm_nchw",
    "rbf_layer",
    "running_sum",
)
CLOSED, KERNELS, SINGLE = 1e-8, 1e-9, 1e-4


def selected(names: list[str]) -> list[object]:
    """Parameters of a test; all but the fast ones are slow."""
    return [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.fixture(scope="module")
def derived() -> dict[str, Case]:
    """Cases that a test of this module has derived already."""
    return {}


@pytest.fixture
def case(request: pytest.FixtureRequest, derived: dict[str, Case]) -> Case:
    """The case of that name, derived once a module."""
    return derived.setdefault(request.param, Case(request.param))


@pytest.mark.parametrize("case", selected(NAMES), indirect=True)
def test_the_closed_form_is_the_references_gradient(case: Case) -> None:
    for point in case.points[:2]:
        for name in case.wrt:
            value = case.closed(case.derivation.gradient(name), point)
            worst = error(value, point.gradients[name])
            assert worst <= CLOSED, f"{name} at {point.label}: {case.printed(name)['closed']}"


@pytest.mark.parametrize("case", selected(NAMES), indirect=True)
def test_the_closed_form_is_not_longer_than_a_textbooks(case: Case) -> None:
    for name in case.wrt:
        most = case.longest(name)
        assert most is None or case.length(name) <= most, case.printed(name)


@pytest.mark.parametrize("case", selected(NAMES), indirect=True)
def test_the_kernels_give_the_references_values_and_gradients(case: Case) -> None:
    tolerance = getattr(case.module, "TOL", KERNELS)
    for point in case.points:
        for target, (values, gradients) in (("numpy", case.numpy(point.inputs, point)), ("torch", case.torch(point))):
            for got, expected in zip(values, point.values, strict=True):
                assert error(got, expected) <= tolerance, f"{target} value at {point.label}"
            for name in case.wrt:
                worst = error(gradients[name], point.gradients[name])
                assert worst <= tolerance, f"{target} gradient of {name} at {point.label}"


@pytest.mark.parametrize("case", selected(NAMES), indirect=True)
def test_float32_keeps_its_digits_at_extreme_scales(case: Case) -> None:
    tolerance = getattr(case.module, "EXTREME_TOL", SINGLE)
    for point in case.extremes():
        single = {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in point.inputs.items()}
        values, gradients = case.numpy(single, point)
        for got, expected in zip(values, point.values, strict=True):
            assert error(got, expected) <= tolerance, f"value at {point.label}"
        for name in case.wrt:
            assert error(gradients[name], point.gradients[name]) <= tolerance, f"gradient of {name} at {point.label}"


@pytest.mark.parametrize("case", selected(NAMES), indirect=True)
def test_good_data_are_accepted(case: Case) -> None:
    case.result.numpy.check_inputs(*case.points[0].inputs.values())
