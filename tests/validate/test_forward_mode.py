"""Forward mode of the generated torch function is judged, and so is what flows back into a scalar loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symgrad
from symgrad.algebra.build import neg
from symgrad.emit.package import emit_package
from symgrad.validate.certificate import certify
from tests.checks_the_checks.faults import faults, judged

pytest.importorskip("torch")


@pytest.mark.parametrize("formula", ["tanh", "hinge", "trace_gram"])
def test_tangents_of_the_wrong_sign_are_refused(formula: str) -> None:
    d = symgrad.derive(formula).derivation
    *others, last = d.tangent
    made = replace(d.machine, tangent=(*others, replace(last, body=neg(last.body))))
    wrong = replace(d, kernels=lambda: made)
    certificate = certify(wrong, emit_package(wrong))
    assert [j.judge for j in certificate.judges if not j.passed] == ["autograd"]
    assert "forward mode" in str(certificate.failure)


@pytest.mark.parametrize("formula", ["trace_gram", "quadratic_form"])
def test_autograd_sees_that_the_upstream_of_a_scalar_loss_is_ignored(formula: str) -> None:
    ignored = [f for f in faults(formula) if f.kind == "upstream" and f.what == "ignored"]
    assert ignored
    for fault in ignored:
        assert "autograd" in {j.judge for j in judged(fault).judges if not j.passed}
