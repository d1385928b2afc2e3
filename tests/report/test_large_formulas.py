"""Of a large formula every report says how far the judges went, and which parts were judged alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from symgrad.report.contents import is_large, judge_rows
from symgrad.report.terminal import verdict_text

JUDGES = [{"judge": "autograd", "passed": True, "points": 20, "worst": 1e-15}]
JUDGES += [{"judge": "multiprecision", "passed": True, "points": 2, "worst": 1e-14}]
SMALL: dict[str, Any] = {"judges": JUDGES, "absent": [], "reach": "about 50 scalar operations at the judged sizes"}
REACH = "about 90000 scalar operations; multiprecision at 2 of 16 points; the parts conv2d each alone"
LARGE = {**SMALL, "reach": REACH, "parts": [{"formula": "conv2d", "passed": True, "points": 44}]}


def text(document: dict[str, Any]) -> str:
    certificate: Any = SimpleNamespace(to_json=lambda: document, passed=True)
    return verdict_text(certificate)


def test_rows_of_a_large_formula_name_parts_and_points() -> None:
    rows = {r.judge: r for r in judge_rows(LARGE)}
    assert rows["multiprecision"].why == REACH
    assert (rows["conv2d"].passed, rows["conv2d"].points) == (True, 44)
    assert "alone" in rows["conv2d"].why


def test_a_terminal_says_the_reach_of_a_large_formula_alone() -> None:
    assert is_large(LARGE)
    assert not is_large(SMALL)
    assert REACH in " ".join(text(LARGE).split())
    assert "conv2d" in text(LARGE)
    assert "scalar operations" not in text(SMALL)
    assert [r.why for r in judge_rows(SMALL)] == ["", ""]
