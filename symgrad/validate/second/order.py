"""All judges of the second order on one derivation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.formula.program import Program
from symgrad.validate.points import Point
from symgrad.validate.printed import read_back
from symgrad.validate.second.autograd import judge_second_autograd
from symgrad.validate.second.conduct import judge_second_conduct
from symgrad.validate.second.kernels import SecondKernels, with_directions
from symgrad.validate.second.multiprecision import SecondForms, judge_second_multiprecision
from symgrad.validate.verdict import Failure, Judgement


@dataclass(frozen=True)
class Points:
    """Where the judges look; `precise`: in multiprecision."""

    normal: Sequence[Point]
    moderate: Sequence[Point]
    precise: Sequence[Point]


def hear_second(
    program: Program, wrt: Sequence[str], second: Any, kernels: SecondKernels | None, points: Points, torch: bool,
    seed: int,
) -> list[Judgement]:  # fmt: skip
    """The judgements; `second` as the derivation has it, `torch`: whether it is installed."""
    judges = []
    if kernels is not None and torch:
        judge = judge_second_autograd(program, kernels, [*points.normal, *points.moderate], seed)
        # torch has nan for the second derivative of a norm that is 0 by itself; multiprecision looks there
        judges += [judge] if judge.points or judge.failure else []
    wide = with_directions(program, second.directions)
    products, wrong = read_back(wide, [h.product for h in second.hessians])
    diagonals, also = read_back(wide, [h.diagonal for h in second.hessians])
    forms = SecondForms(wide, second.directions, products, diagonals)
    judges.append(judge_second_multiprecision(kernels, forms, wrt, points.precise, seed))
    if wrong or also:
        judges[-1].fail(Failure(f"second order: {wrong or also}", "every point"))
    if kernels is not None:
        judges.append(judge_second_conduct(kernels, [*points.normal[:2], *points.normal[4:5]], seed))
    return judges
