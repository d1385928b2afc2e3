"""The judge autograd where something goes wrong on the way: kernels that raise, references without a value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symgrad.validate import autograd
from symgrad.validate.autograd import judge_autograd
from symgrad.validate.backends import EvaluationError
from symgrad.validate.points import normal_points
from tests.validate.hand_made import CROSS_ENTROPY_NUMPY, CROSS_ENTROPY_TORCH, cross_entropy, trial

SINGLE = 'if z.dtype == np.float32 and reduction == "mean":\n        '


def verdict_of(numpy: str = CROSS_ENTROPY_NUMPY):
    t = trial(cross_entropy(), numpy, CROSS_ENTROPY_TORCH)
    return judge_autograd(t.program, t.wrt, t.kernels, list(normal_points(t.program, 0, 4)))


def with_single(statement: str) -> str:
    """The right kernel, and a statement before its return that float32 alone comes to."""
    right = '    return g / np.asarray(len(z), z.dtype) if reduction == "mean" else g\n'
    assert right in CROSS_ENTROPY_NUMPY
    return CROSS_ENTROPY_NUMPY.replace(right, f"    {SINGLE}{statement}\n{right}")


def test_right_kernels_pass():
    assert verdict_of().to_json()["passed"] is True


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("g = g * np.float32(1.01)", "float32"),
        ("raise ValueError('no such dtype')", "raised ValueError: no such dtype"),
        ("return (g / len(z)).astype(np.float64)", "has dtype float64"),
        ("g = g + np.float32(np.inf)", "is inf"),
    ],
)
def test_a_kernel_that_is_wrong_in_float32_alone_fails(statement, said):
    got = verdict_of(with_single(statement))
    assert not got.passed
    assert said in str(got.failure)


def test_where_float64_is_wrong_float32_is_not_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(autograd, "_judge_single", lambda *a: asked.append(a))
    wrong = CROSS_ENTROPY_NUMPY.replace("g = y - t", "g = y + t")
    assert not verdict_of(wrong).passed
    assert asked == []
    assert verdict_of().passed
    assert asked != []


def test_a_reference_that_raises_at_the_rounded_inputs_is_a_verdict(monkeypatch):
    first = autograd.truth

    def truth(program, wrt, call):
        if all(np.array_equal(a, a.astype(np.float32)) for a in call.inputs.values()):
            raise EvaluationError("z[i, j] reads outside of z")
        return first(program, wrt, call)

    monkeypatch.setattr(autograd, "truth", truth)
    got = verdict_of()
    assert not got.passed
    assert "reads outside of z" in str(got.failure)


def test_where_autograd_itself_is_off_by_rounding_exact_differences_decide(monkeypatch):
    first = autograd.truth

    def truth(program, wrt, call):
        got = first(program, wrt, call)
        off = {n: g * (1 + 1e-7) for n, g in got.outcome.gradients.items()}
        return replace(got, outcome=replace(got.outcome, gradients=off))

    monkeypatch.setattr(autograd, "truth", truth)
    right = verdict_of()
    assert right.passed
    assert any("exact differences" in note for note in right.notes)
    assert not verdict_of(CROSS_ENTROPY_NUMPY.replace("g = y - t", "g = (y - t)*(1 + 1e-6)")).passed
