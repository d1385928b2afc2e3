"""The numeric probe: how many bits a form of a statement loses, in doubles against multiprecision.

A statement is evaluated at one element, axes of three, names unfolded to inputs. Points are drawn in two ways: uniform
over bit patterns, and from the working range. Those that choose a form are not those that judge it. Forgiven is what
half an ulp in the inputs would do. Draws follow from the statement alone: the same in every process.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.algebra.terms import Term
from symgrad.closing.arithmetic import Here, Leaves, UnmeasuredError
from symgrad.closing.doubles import Doubles
from symgrad.closing.exactly import MORE_DIGITS, Exactly
from symgrad.formula.program import Program, Statement

POINTS = 12
BITS = 53
MOST_TERMS = 240
"""Terms above which a statement is not measured."""
ULP = 2.0 ** (1 - BITS)
NO_VALUE = (ArithmeticError, ValueError, TypeError)
"""What multiprecision raises where a formula has no real value: a division by 0, a complex number that is compared."""


@dataclass(frozen=True)
class Loss:
    """Bits lost: at worst and on average, over the points where the truth is finite and normal."""

    worst: float
    mean: float
    points: int

    def __str__(self) -> str:
        return f"{self.worst:.0f} bits lost at worst, {self.mean:.1f} on average"


@dataclass(frozen=True)
class Probe:
    """Evaluates terms of a program; `definitions`: what names stand for."""

    program: Program
    definitions: Mapping[str, Statement]

    def losses(self, forms: Sequence[Term], s: Statement, draw: int) -> list[Loss] | None:
        """What each form loses at the points of a draw; None where that cannot be measured."""
        if sum(f.size for f in forms) > MOST_TERMS:
            return None
        lost: list[list[float]] = [[] for _ in forms]
        for k in range(POINTS):
            rng = random.Random(f"{s.name} {draw} {k} {s.body.digest.hex()}")
            leaves = Leaves(self.program, rng, k % 2 == 0)
            try:
                self._at(forms, s, leaves, lost)
            except UnmeasuredError:
                return None
            except NO_VALUE:
                continue
        if not lost[0]:
            return None
        return [Loss(max(x), sum(x) / len(x), len(x)) for x in lost]

    def _at(self, forms: Sequence[Term], s: Statement, leaves: Leaves, lost: list[list[float]]) -> None:
        here = dict.fromkeys(s.indices, 0)
        exact, again = Exactly(self.definitions, leaves), Exactly(self.definitions, leaves, digits=MORE_DIGITS)
        true = again.value(s.body, here)
        if not _is_normal(true) or abs(exact.value(s.body, here) - true) > ULP / 1024 * abs(true):
            return
        slack: Any = None
        for form, found in zip(forms, lost, strict=True):
            try:
                got = Doubles(self.definitions, leaves).value(form, here)
                error = abs(again.context.mpf(got) - true) if math.isfinite(got) and got != 0 else None
            except NO_VALUE:
                error = None
            unit = abs(true) * ULP
            if error is not None and error > unit:
                slack = self._forgiven(s, leaves, here, true) if slack is None else slack
                unit += slack
            found.append(float(BITS) if error is None else min(float(BITS), math.log2(max(1.0, float(error / unit)))))

    def _forgiven(self, s: Statement, leaves: Leaves, here: Here, center: Any) -> Any:
        """The sum over inputs of |x df/dx|, times an ulp; `center`: the value itself."""
        total: Any = 0
        for key in list(leaves.numbers):
            moved = Exactly(self.definitions, leaves, key, MORE_DIGITS)
            total += abs(moved.value(s.body, here) - center) / moved.step
        return total * ULP


def _is_normal(x: Any) -> bool:
    return bool(getattr(x, "imag", 0) == 0 and 2.0**-1000 < abs(x) < 2.0**1000)
