"""What `check` says of the mistakes in `faults.py`: a few always, all of them where slow tests run."""

import pytest

from symgrad import check
from symgrad.handwritten.checked import Checked

from .faults import CASES, Case

ALL = [(name, fault) for name, case in CASES.items() for fault in case.faults]
SOME = [
    ("softmax_cross_entropy", "coupling missing"),
    ("softmax_cross_entropy", "softmax over the wrong axis"),
    ("huber", "delta missing outside"),
    ("pseudo_huber", "sign of the gradient"),
    ("squared_log_error", "the factor (1+p)/(1+y)"),
    ("sigmoid", "upstream twice"),
    ("sigmoid", "digits lost"),
    ("rms_norm", "weight twice"),
    ("amax", "ties not shared"),
]
QUICK = ("mse", "sigmoid")


def checked(case: Case, fault: str | None = None) -> Checked:
    function = case.right() if fault is None else case.wrong(fault)
    return check(case.formula, function, order=case.order, reduction=case.reduction)


def assert_named(name: str, fault: str) -> None:
    case = CASES[name]
    result = checked(case, fault)
    assert result.cause is not None
    assert result.cause.kind in case.faults[fault][2], result.text()
    assert result.passed == (result.cause.kind == "precision" and fault == "digits lost")
    assert result.text().startswith("right " if result.passed else f"wrong     {result.cause.kind}")


@pytest.mark.parametrize(("name", "fault"), SOME)
def test_the_cause_of_a_known_mistake_is_named(name: str, fault: str) -> None:
    assert_named(name, fault)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fault"), [pair for pair in ALL if pair not in SOME])
def test_the_cause_of_every_planted_mistake_is_named(name: str, fault: str) -> None:
    assert_named(name, fault)


@pytest.mark.parametrize("name", QUICK)
def test_a_right_gradient_passes(name: str) -> None:
    result = checked(CASES[name])
    assert result.passed, result.text()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name not in QUICK])
def test_every_right_gradient_passes(name: str) -> None:
    result = checked(CASES[name])
    assert result.passed, result.text()
