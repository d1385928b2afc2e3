"""What a verdict counts as evidence."""

from __future__ import annotations

import numpy as np

from symgrad.validate.points import Point
from symgrad.validate.verdict import Failure, Judgement

POINT = Point("normal", "normal point 0", {"x": np.ones(2)}, {}, {})


def test_a_point_at_which_nothing_was_held_against_anything_is_no_evidence() -> None:
    verdict = Judgement("judge")
    verdict.look(POINT)
    assert verdict.compare("nothing", POINT, np.zeros(0), np.zeros(0))
    verdict.unseen("nothing to compare")
    assert verdict.points == 0
    assert not verdict.passed
    assert verdict.skipped == {"nothing to compare": 1}


def test_a_point_at_which_all_was_equal_is_evidence() -> None:
    verdict = Judgement("judge")
    verdict.look(POINT)
    verdict.compare("x", POINT, np.ones(2), np.ones(2))
    verdict.unseen("nothing to compare")
    assert verdict.passed
    assert (verdict.points, verdict.worst) == (1, 0.0)


def test_a_failure_without_a_comparison_stays() -> None:
    verdict = Judgement("judge")
    verdict.look(POINT)
    verdict.fail(Failure("the kernel raised", POINT.label))
    verdict.unseen("nothing to compare")
    assert verdict.points == 1
    assert not verdict.passed


def test_what_is_added_up_says_how_much_was_compared() -> None:
    total, one = Judgement("judge"), Judgement("judge")
    one.look(POINT)
    one.compare("x", POINT, np.ones(2), np.ones(2))
    total.add(one)
    total.unseen("nothing to compare")
    assert (total.points, total.compared) == (1, 1)
