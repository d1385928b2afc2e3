"""Faults planted by systematic mutation of generated programs and sources: the certificate refuses all that differ.

By default a few; `pytest -m slow tests/checks_the_checks` plants all, `python -m tests.checks_the_checks.planted`
prints the table.
"""

from __future__ import annotations

from itertools import islice

import pytest

from tests.checks_the_checks.faults import EQUIVALENT, FORMULAS, MISSED, MUTATIONS, SOURCE, Fault, faults, judged

pytest.importorskip("torch")
FEW = ("l1", "softmax")
A_FEW = 4


def judge(fault: Fault) -> None:
    """Refused, unless the table says why it is no fault."""
    certificate = judged(fault)
    if fault.key in EQUIVALENT or fault.key in MISSED:
        assert certificate.passed, f"{fault.key} is said to pass: {certificate.failure}"
    else:
        assert not certificate.passed, fault.key


@pytest.mark.parametrize("formula", FEW)
def test_a_few_systematic_faults_are_refused(formula: str) -> None:
    planted = list(islice(faults(formula), A_FEW))
    assert len(planted) == A_FEW
    for fault in planted:
        judge(fault)


@pytest.mark.slow
@pytest.mark.parametrize("formula", FORMULAS)
def test_every_systematic_fault_is_refused(formula: str) -> None:
    planted = list(faults(formula))
    assert len(planted) >= 5
    for fault in planted:
        judge(fault)


def test_the_mutations_are_many_and_of_every_class() -> None:
    assert len(FORMULAS) >= 25
    kinds = set(MUTATIONS) | {kind for kind, *_ in SOURCE}
    assert {"sign", "factor", "axis", "transposition", "missing term", "convention", "region"} <= kinds
    assert {"precision", "reduction", "upstream", "range"} <= kinds
    planted = [f for name in ("l1", "softmax", "quadratic_form", "prelu") for f in faults(name)]
    assert len({f.key for f in planted}) == len(planted) >= 60
    right = {f.formula: dict(f.package) for f in planted}
    assert all(f.package != right for f in planted)
