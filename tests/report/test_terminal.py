"""What `derive` prints: complete, within the width, in any encoding."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from symgrad.closing.derivation import Derivation
from symgrad.report.contents import derivation_notation
from symgrad.report.terminal import Style, derivation_text, step_text, verdict_text


def test_softmax_cross_entropy_as_people_read_it(softmax: Derivation) -> None:
    assert derivation_text(softmax).splitlines() == [
        "softmax_cross_entropy",
        "          Cross-entropy of softmax(z) against a target distribution t.",
        "",
        "let       yᵢⱼ = softmaxⱼ(zᵢⱼ)",
        "loss      −Σⱼ tᵢⱼ·log yᵢⱼ   (mean over i)",
        "",
        "gradient  ∂L/∂zᵢⱼ = (yᵢⱼ − tᵢⱼ)/n",
        "matrix    ∂L/∂z = (y - t)/n",
        "",
        f"assumed   Σⱼ tᵢⱼ = 1   ({softmax.assumed[0].source})",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_output_that_lacks_the_signs_shows_the_formula_language(softmax: Derivation, encoding: str) -> None:
    text = derivation_text(softmax, Style(encoding=encoding))
    text.encode(encoding)
    assert "dL/dz[i, j] = (y[i, j] - t[i, j])/n" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit_the_terminal(layer_norm: Derivation, width: int) -> None:
    for line in derivation_text(layer_norm, Style(width)).splitlines():
        longest_word = max(map(len, line.split()), default=0)
        assert len(line) <= max(width, 12 + longest_word)


def test_control_characters_of_users_never_reach_the_terminal(softmax: Derivation) -> None:
    formula = replace(softmax.formula, summary="\x1b]0;owned\x07 \u202e")
    text = derivation_text(replace(softmax, formula=formula, hints=("\x1b[2J",)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "<U+001B>" in text


def test_step_shows_the_rule_and_both_sides(softmax: Derivation) -> None:
    step = next(s for s in softmax.steps if s.rule.name.startswith("fact/"))
    text = step_text(step, derivation_notation(softmax), number=7)
    head, before, after = text.splitlines()
    assert head.startswith(f"  7. {step.rule.name}, in ")
    assert before.strip() == "Σⱼ tᵢⱼ"
    assert after.strip() == "→ 1"


def test_explained_step_in_ascii(softmax: Derivation) -> None:
    for step in softmax.steps:
        step_text(step, derivation_notation(softmax), Style(encoding="ascii")).encode("ascii")


def _certificate(passed: bool, worst: Any = 2.2e-16) -> Any:
    judges = [{"judge": "autograd", "passed": passed, "worst": worst, "points": 96}]
    document = {
        "passed": passed,
        "judges": judges,
        "absent": [{"judge": "multiprecision", "why": "mpmath is not there"}],
    }
    return SimpleNamespace(passed=passed, to_json=lambda: document)


def test_verdict_is_a_line_a_judge() -> None:
    assert verdict_text(_certificate(True)).splitlines() == [
        "agrees    autograd            96 points   worst error 2.2e-16",
        "absent    multiprecision: mpmath is not there",
        "verdict   passed",
    ]


def test_negative_verdict_is_plain_to_see() -> None:
    text = verdict_text(_certificate(False, "inf"))
    assert text.startswith("DISAGREES ")
    assert "verdict   FAILED" in text


def test_no_verdict_is_said() -> None:
    assert verdict_text(None) == "verdict   not validated\n"
