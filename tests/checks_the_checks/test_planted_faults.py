"""Wrong gradients planted in right kernels: each is caught, by the judges named; the right ones never are."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import compare
from symgrad.algebra.terms import get
from symgrad.validate.certificate import Trial, hear
from symgrad.validate.verdict import Judgement
from tests.validate.hand_made import (
    CROSS_ENTROPY_NUMPY,
    CROSS_ENTROPY_TORCH,
    KINKED_NUMPY,
    KINKED_TORCH,
    NORM_NUMPY,
    NORM_TORCH,
    cross_entropy,
    cross_entropy_closed,
    i,
    j,
    kinked,
    norm_layer,
    trial,
)


def cross_entropy_on_trial(numpy: str = CROSS_ENTROPY_NUMPY, torch: str = CROSS_ENTROPY_TORCH) -> Trial:
    p = cross_entropy()
    return trial(p, numpy, torch, (cross_entropy_closed(),), p.facts)


def norm_on_trial(numpy: str = NORM_NUMPY, torch: str = NORM_TORCH) -> Trial:
    return trial(norm_layer(), numpy, torch)


def kinked_on_trial(numpy: str = KINKED_NUMPY, torch: str = KINKED_TORCH) -> Trial:
    from types import SimpleNamespace

    kink = SimpleNamespace(at=compare("==", get("x", (i, j)), get("t", (i, j))), of="Abs")
    return trial(kinked(), numpy, torch, (), (), (kink,))


def heard(on_trial: Trial) -> dict[str, Judgement]:
    judges, _ = hear(on_trial, 0)
    return {v.judge: v for v in judges}


def planted(source: str, right: str, wrong: str) -> str:
    assert source.count(right) >= 1, f"{right!r} is not in the kernel"
    return source.replace(right, wrong)


@pytest.mark.parametrize("make", [cross_entropy_on_trial, norm_on_trial, kinked_on_trial])
def test_right_kernels_pass_every_judge(make):
    verdicts = heard(make())
    assert {n: v.to_json().get("why") for n, v in verdicts.items() if not v.passed} == {}
    assert {"autograd", "differences", "multiprecision", "conduct"} <= set(verdicts)
    assert all(v.points > 0 for v in verdicts.values())


CROSS_ENTROPY_FAULTS = {
    "sign": ("g = y - t", "g = t - y", {"autograd", "differences", "multiprecision"}),
    "factor 2": ("g = y - t", "g = 2 * (y - t)", {"autograd", "differences", "multiprecision"}),
    "missing 1/n": ("g / np.asarray(len(z), z.dtype) if", "g if", {"autograd", "differences", "multiprecision"}),
    "1/c for 1/n": ("np.asarray(len(z), z.dtype)", "np.asarray(z.shape[1], z.dtype)", {"autograd", "multiprecision"}),
    "missing coupling term": ("g = y - t", "g = -t * (1 - y)", {"autograd", "differences", "multiprecision"}),
    "wrong axis of the sum": ("s = e.sum(1, keepdims=True)", "s = e.sum(0, keepdims=True)", {"autograd"}),
    "reduction ignored": ('if reduction == "mean" else g', "", {"autograd", "conduct"}),
    "precision": ("g = y - t", 'g = (y - t).astype("float32").astype(y.dtype)', {"autograd", "multiprecision"}),
    "a relative error of 1e-7": ("g = y - t", "g = (y - t) * 1.0000001", {"autograd", "multiprecision"}),
    "unstable exponential": ("m = z.max(1, keepdims=True)", "m = 0 * z", {"multiprecision"}),
    "an element dropped": ("g = y - t", "g = y - t; g[-1, -1] = 0", {"autograd"}),
    "values apart from gradients": ("v = -(t * l).sum(1)", "v = -(t * l).sum(1) * 1.001", {"autograd", "differences"}),
    "input written to": ("g = y - t", "g = y - t; z *= 1.0000001", {"conduct"}),
    "dtype leak": ("g = y - t", "g = (y - t) * np.float64(1) + np.zeros(1, np.float64)", {"autograd"}),
    "none is the sum": ('"none": lambda a: a', '"none": np.sum', {"conduct"}),
    "good data refused": ("> 1e-6", "> -1", {"conduct"}),
    "bad data accepted": ("> 1e-6", "> 1e9", {"facts"}),
    "it raises": ("g = y - t", "g = y - t.no_such_thing", {"autograd", "multiprecision"}),
}


@pytest.mark.parametrize("fault", CROSS_ENTROPY_FAULTS)
def test_a_fault_in_softmax_cross_entropy_is_caught(fault):
    right, wrong, judges = CROSS_ENTROPY_FAULTS[fault]
    verdicts = heard(cross_entropy_on_trial(planted(CROSS_ENTROPY_NUMPY, right, wrong)))
    assert judges <= {n for n, v in verdicts.items() if not v.passed}


NORM_FAULTS = {
    "mean term missing": ("du - du.mean(1, keepdims=True) - u", "du - u"),
    "variance term missing": (" - u * (du * u).mean(1, keepdims=True)", ""),
    "weight applied twice": ("du = dy * g", "du = dy * g * g"),
    "weight ignored": ("du = dy * g", "du = dy"),
    "upstream ignored": ("da = dh * (a > 0)", "da = (a > 0) * 1.0"),
    "upstream applied twice": ("da = dh * (a > 0)", "da = dh * dh * (a > 0)"),
    "relu forgotten": ("da = dh * (a > 0)", "da = dh"),
    "eps dropped": (" + np.asarray(eps, x.dtype))", ")"),
    "parameter ignored": ("np.asarray(eps, x.dtype)", "np.asarray(0.01, x.dtype)"),
    "transposed weight gradient": ("dW = y.T @ da", "dW = (y.T @ da).T"),
    "reduced over the wrong axis": ("dg = (dy * u).sum(0)", "dg = (dy * u).sum(1)"),
    "biased by n/(n - 1)": (
        "u * (du * u).mean(1, keepdims=True)",
        "u * (du * u).sum(1, keepdims=True) / max(len(g) - 1, 1)",
    ),
    "one gradient for another": ("return Gradients(dx, dg, dW)", "return Gradients(dx, dg * 0 + dg[0], dW)"),
}  # fmt: skip


@pytest.mark.parametrize("fault", NORM_FAULTS)
def test_a_fault_in_a_normalized_layer_is_caught(fault):
    verdicts = heard(norm_on_trial(planted(NORM_NUMPY, *NORM_FAULTS[fault])))
    assert "autograd" in {n for n, v in verdicts.items() if not v.passed}


KINK_FAULTS = {
    "ties not shared": ("top / top.sum(1, keepdims=True)", "top"),
    "first takes all": (
        "top = (x == x.max(1, keepdims=True)).astype(x.dtype)",
        "top = np.eye(x.shape[1], dtype=x.dtype)[x.argmax(1)]",
    ),
    "1 at the kink of the modulus": ("np.sign(x - t)", "np.where(x >= t, np.ones_like(x), -np.ones_like(x))"),
}  # fmt: skip


@pytest.mark.parametrize("fault", KINK_FAULTS)
def test_another_convention_at_a_kink_is_caught(fault):
    verdict = heard(kinked_on_trial(planted(KINKED_NUMPY, *KINK_FAULTS[fault])))["autograd"]
    assert not verdict.passed
    assert any(word in str(verdict.failure) for word in ("kink", "special"))


def test_a_fault_in_the_torch_kernel_alone_is_caught():
    wrong = planted(CROSS_ENTROPY_TORCH, "log_softmax(z, 1)", "log_softmax(z, 1).detach() + z - z.detach()")
    verdicts = heard(cross_entropy_on_trial(torch=wrong))
    assert not verdicts["autograd"].passed
    assert "torch" in str(verdicts["autograd"].failure)


def test_a_wrong_closed_form_is_caught_though_the_kernels_are_right():
    from dataclasses import replace

    right = cross_entropy_on_trial()
    form = replace(cross_entropy_closed(), closed=get("y", (i, j)))
    verdict = heard(Trial(right.program, right.wrt, right.numpy, right.torch, (form,), right.assumed))["multiprecision"]
    assert "closed form" in str(verdict.failure)


def test_a_fact_that_fired_and_is_not_reported_is_caught():
    right = cross_entropy_on_trial()
    silent = Trial(right.program, right.wrt, right.numpy, right.torch, right.closed, ())
    assert "not among the facts assumed" in str(heard(silent)["facts"].failure)


def test_a_failure_says_where():
    wrong = planted(CROSS_ENTROPY_NUMPY, "g = y - t", "g = y - t; g[1, 2] *= 2")
    failure = heard(cross_entropy_on_trial(wrong))["autograd"].to_json()["failure"]
    assert failure["what"] == "numpy gradient of z"
    assert failure["index"] == [1, 2]
    assert failure["got"] == pytest.approx(2 * failure["expected"])
    assert "scale" in failure["point"]
