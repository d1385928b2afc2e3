"""How far the judges go: everything of a small formula; of a large one the parts alone, and the certificate says so."""

from __future__ import annotations

import json

import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.document import verdict
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_text
from symgrad.validate import reach
from symgrad.validate.certificate import certify

WHOLE = """name: whole
use: [linear, softmax_cross_entropy]
inputs:
  x: [n, d]
  W: [c, d]
  b: [c]
  t: {shape: [n, c], domain: simplex, given: true}
let:
  z: linear(x, W, b)
loss: softmax_cross_entropy(z, t)
"""
WRONG = """
_right = backward
def backward(*a):
    got = _right(*a)
    return got._replace(b=0 * got.b)
"""


@pytest.fixture(scope="module")
def derivation():
    return derive_formula(read_text(WHOLE, "whole.yaml"))


def test_a_small_formula_is_judged_as_one_and_every_point_stands_in_the_certificate(derivation):
    got = certify(derivation, emit_package(derivation)).to_json()
    assert got["passed"] is True
    assert "parts" not in got
    assert "every judge at all of its points" in got["reach"]
    for judge in got["judges"]:
        at = [p for p in got["looked_at"] if judge["judge"] in p["judges"]]
        assert len(at) == judge["points"]
        assert {p["kind"] for p in at} == set(judge["kinds"])
        assert judge["where"] or judge["worst"] == 0
    assert all(set(p["shapes"]) == {"x", "W", "b", "t"} for p in got["looked_at"])


def test_of_a_large_formula_each_part_is_judged_alone_and_the_whole_at_few_points(derivation, monkeypatch):
    monkeypatch.setattr(reach, "LARGE", 100)
    got = certify(derivation, emit_package(derivation))
    said = got.to_json()
    assert [p["formula"] for p in said["parts"]] == ["linear", "softmax_cross_entropy"]
    assert all(p["passed"] and p["points"] > 30 for p in said["parts"])
    precise = next(j for j in said["judges"] if j["judge"] == "multiprecision")
    assert precise["points"] == reach.OF_A_WHOLE
    assert "multiprecision at 2 of" in said["reach"]
    assert "the parts linear, softmax_cross_entropy each alone" in said["reach"]
    assert verdict(got, {})["parts"] == said["parts"]
    assert json.dumps(said)


def test_a_part_that_is_wrong_fails_the_whole(derivation, monkeypatch):
    from symgrad.emit import package

    monkeypatch.setattr(reach, "LARGE", 100)
    emit = package.emit_package

    def wrong(d, targets=("numpy", "torch")):
        files = emit(d, targets)
        if d.formula.name == "linear":
            files["numpy_kernels.py"] += (
                "\n_b = backward\ndef backward(*a):\n    return _b(*a)._replace(b=0 * _b(*a).b)\n"
            )
        return files

    whole = emit(derivation)
    monkeypatch.setattr(package, "emit_package", wrong)
    got = certify(derivation, whole)
    assert [p.passed for p in got.parts] == [False, True]
    assert not got.passed
    assert "gradient of b" in str(got.failure)
    assert all(j.passed for j in got.judges)
