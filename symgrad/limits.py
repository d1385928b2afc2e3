"""Limits of time and memory: looked at between rewrites, so that every derivation ends."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from symgrad.errors import LimitError

SECONDS = 60.0
GROWTH = 2 << 30


@dataclass
class Budget:
    """Seconds of wall time and bytes of growth in resident memory from now on; `what` is named when one is used up."""

    seconds: float = SECONDS
    growth: int = GROWTH
    what: str = "the derivation"
    start: float = field(default_factory=time.monotonic)
    before: int = field(default_factory=lambda: _peak())
    calls: int = 0

    def check(self) -> None:
        """Raise LimitError once the time or the memory is used up."""
        self.calls += 1
        if self.calls & 15:
            return
        if time.monotonic() - self.start > self.seconds:
            raise LimitError(f"{self.what} was stopped at the time limit of {self.seconds:g} s (--time-limit)")
        if not self.calls & 1023 and _peak() - self.before > self.growth:
            raise LimitError(f"{self.what} was stopped at the memory limit of {self.growth >> 20} MiB (--memory-limit)")


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


_budgets: list[Budget] = [Budget(seconds=float("inf"), growth=1 << 62)]


def check() -> None:
    """Look at the budget in force; called between rewrites."""
    _budgets[-1].check()


@contextmanager
def within(seconds: float = SECONDS, growth: int = GROWTH, what: str = "the derivation") -> Iterator[Budget]:
    """A budget for the block."""
    budget = Budget(seconds, growth, what)
    _budgets.append(budget)
    try:
        yield budget
    finally:
        _budgets.remove(budget)
