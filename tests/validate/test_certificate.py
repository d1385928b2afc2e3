"""The certificate: what it says, that it is the same in every run, and what it says is absent."""

from __future__ import annotations

import json

import pytest

from symgrad import limits
from symgrad.closing.derivation import derive_formula
from symgrad.emit.package import emit_package
from symgrad.errors import LimitError
from symgrad.formula.reader import read_text
from symgrad.validate import certificate
from symgrad.validate.certificate import certify

TEXT = """name: certified
inputs: {x: [n, c], t: {shape: [n, c], given: true}}
loss: Sum(relu(x[i, j] - t[i, j])**2 + Abs(x[i, j]), j)
"""


@pytest.fixture(scope="module")
def derivation():
    return derive_formula(read_text(TEXT, "certified.yaml"))


@pytest.fixture(scope="module")
def package(derivation):
    return emit_package(derivation)


def test_it_counts_points_by_kind_for_each_judge(derivation, package):
    document = certify(derivation, package).to_json()
    judges = {j["judge"]: j for j in document["judges"]}
    assert document["passed"] is True
    assert {"autograd", "differences", "multiprecision", "conduct"} <= set(judges)
    assert all(sum(j["kinds"].values()) == j["points"] > 0 for j in judges.values())
    assert judges["autograd"]["kinds"]["kink"] >= 1
    assert judges["autograd"]["kinds"]["normal"] + judges["autograd"]["kinds"]["unit axes"] == 10
    assert all(0 <= j["worst"] <= j["tolerance"] for j in judges.values())
    assert document["formula_sha256"] == derivation.formula.sha256
    assert {"python", "numpy", "mpmath", "torch"} <= set(document["versions"])


def test_it_is_the_same_in_every_run_and_another_for_another_seed(derivation, package):
    first, again, other = (json.dumps(certify(derivation, package, seed).to_json()) for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert json.loads(first)["seed"] == 3


def test_without_torch_the_judge_autograd_is_absent_with_the_reason(derivation, package, monkeypatch):
    monkeypatch.setattr(certificate, "has_torch", lambda: False)
    document = certify(derivation, package).to_json()
    assert document["passed"] is True
    assert "autograd" not in [j["judge"] for j in document["judges"]]
    assert document["absent"] == [{"judge": "autograd", "why": "torch is not installed"}]


def test_a_package_without_numpy_kernels_is_judged_by_what_is_left(derivation, package):
    document = certify(derivation, {"torch_kernels.py": package["torch_kernels.py"]}).to_json()
    assert document["passed"] is True
    assert "differences" in [a["judge"] for a in document["absent"]]


def test_the_time_for_validation_is_limited(derivation, package, monkeypatch):
    monkeypatch.setattr(certificate, "SECONDS", 0.0)
    with pytest.raises(LimitError, match="validation"):
        certify(derivation, package)
    limits.check()


def test_a_failure_is_said_in_words(derivation, package):
    wrong = package["numpy_kernels.py"] + "\n_g = grad\ndef grad(*a, **k):\n    return 2 * _g(*a, **k)\n"
    got = certify(derivation, {**package, "numpy_kernels.py": wrong})
    assert not got.passed
    assert "numpy gradient alone" in str(got.failure)
    (judge,) = [j for j in got.to_json()["judges"] if not j["passed"]]
    assert judge["judge"] == "conduct"
    assert set(judge["failure"]) == {"what", "point", "index", "got", "expected"}


def test_where_two_kinks_meet_the_convention_decides_and_no_slope():
    text = """name: met
inputs: {x: [n, m], y: [m]}
output: {"z[i, j]": "Max(x[i, j], y[j]) + where(x[i, j] > y[j], x[i, j]*y[j], Min(x[i, j], 1/2))"}
"""
    d = derive_formula(read_text(text, "met.yaml"))
    got = certify(d, emit_package(d))
    assert got.passed, got.failure
    judge = next(j for j in got.judges if j.judge == "multiprecision")
    assert judge.skipped["kinks"] > 0
