"""The numeric probe: how many bits forms of a statement lose, as kernels compute them against multiprecision.

A statement is evaluated at one element, axes of three, names unfolded to inputs. Points are drawn in two ways: uniform
over bit patterns, and from the working range; in each way some in float64 and some in float32, some with numbers near
to each other. Those that choose a form are not those that judge it. Forgiven is what half an ulp in the inputs would
do. Draws follow from the statement alone: the same in every process.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad.algebra.terms import Term
from symgrad.closing.arithmetic import Draw, Here, Leaves, UnmeasuredError
from symgrad.closing.doubles import Doubles, Singles
from symgrad.closing.exactly import MORE_DIGITS, Exactly
from symgrad.formula.program import Program, Statement

DRAWS = tuple(Draw(k % 2 == 0, k // 2 % 2 == 1, k // 4 % 3 == 2) for k in range(24))
"""How the points of one draw are drawn."""
BITS, SINGLE_BITS = 53, 24
MOST_TERMS = 240
"""Terms above which a statement is not measured."""
REACH, SINGLE_REACH = 1000, 124
"""Exponents beyond which a truth is not asked for."""
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
    """Evaluates terms of a program; `definitions`: what names stand for, `made`: those as kernels compute them."""

    program: Program
    definitions: Mapping[str, Statement]
    made: Mapping[str, Statement] = field(default_factory=dict)

    def losses(self, forms: Sequence[Term], s: Statement, draw: int) -> list[Loss] | None:
        """What each form loses at the points of a draw; None where that cannot be measured."""
        if sum(f.size for f in forms) > MOST_TERMS:
            return None
        lost: list[list[float]] = [[] for _ in forms]
        for k, how in enumerate(DRAWS):
            rng = random.Random(f"{s.name} {draw} {k} {s.body.digest.hex()}")
            leaves = Leaves(self.program, rng, how)
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
        true, single = again.value(s.body, here), leaves.how.in_single
        bits, reach = (SINGLE_BITS, SINGLE_REACH) if single else (BITS, REACH)
        ulp = 2.0 ** (1 - bits)
        if not _is_normal(true, reach) or abs(exact.value(s.body, here) - true) > ulp / 1024 * abs(true):
            return
        slack: Any = None
        for form, found in zip(forms, lost, strict=True):
            try:
                got = (Singles if single else Doubles)({**self.definitions, **self.made}, leaves).value(form, here)
                error = abs(again.context.mpf(got) - true) if math.isfinite(got) and got != 0 else None
            except NO_VALUE:
                error = None
            unit = abs(true) * ulp
            if error is not None and error > unit:
                slack = self._forgiven(s, leaves, here, true) * ulp if slack is None else slack
                unit += slack
            found.append(float(bits) if error is None else min(float(bits), math.log2(max(1.0, float(error / unit)))))

    def _forgiven(self, s: Statement, leaves: Leaves, here: Here, center: Any) -> Any:
        """The sum over inputs of |x df/dx|; `center`: the value itself."""
        total: Any = 0
        for key in list(leaves.numbers):
            moved = Exactly(self.definitions, leaves, key, MORE_DIGITS)
            total += abs(moved.value(s.body, here) - center) / moved.step
        return total


def _is_normal(x: Any, reach: int) -> bool:
    return bool(getattr(x, "imag", 0) == 0 and 2.0**-reach < abs(x) < 2.0**reach)
