"""Limits of time and memory: looked at between rewrites, so that every derivation ends.

The Python interface relies on `check` alone. The command derives in a child process (`symgrad.child`), which bounds the
address space too, and whose parent ends it where it does not look.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from symgrad.errors import LimitError

SECONDS = 60.0
"""Reading and deriving, unless said otherwise."""
GROWTH = 2 << 30
"""Bytes of memory that reading and deriving may add."""
VALIDATION_SECONDS = 120.0
"""What validation has beyond that."""


def out_of_time(what: str, seconds: float) -> LimitError:
    """The error for a time limit."""
    return LimitError(f"{what} was stopped at the time limit of {seconds:g} s (--time-limit)")


def out_of_memory(what: str, growth: int) -> LimitError:
    """The error for a memory limit."""
    amount = f"{growth >> 20} MiB" if growth >> 20 else f"{growth >> 10} KiB"
    return LimitError(f"{what} was stopped at the memory limit of {amount} (--memory-limit)")


def resident() -> int:
    """Bytes of memory that this process holds (where /proc is missing: has held at most)."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@dataclass
class Budget:
    """Seconds of wall time and bytes of growth in resident memory from now on; `what` is named when one is used up."""

    seconds: float = SECONDS
    growth: int = GROWTH
    what: str = "the derivation"
    start: float = field(default_factory=time.monotonic)
    before: int = field(default_factory=resident)
    calls: int = 0

    def check(self) -> None:
        """Raise LimitError once the time or the memory is used up; cheap enough for every rewrite."""
        self.calls += 1
        if self.calls & 7:
            return
        if time.monotonic() - self.start > self.seconds:
            raise out_of_time(self.what, self.seconds)
        if not self.calls & 1023 and resident() - self.before > self.growth:
            raise out_of_memory(self.what, self.growth)


def address_space() -> int:
    """Bytes of address space that this process has mapped; 0 where /proc is missing."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def check() -> None:
    """Look at the budget in force; called between rewrites."""
    budget = _current.get()
    if budget is not None:
        budget.check()


def left() -> float:
    """Seconds that the budget in force still has."""
    budget = _current.get()
    return float("inf") if budget is None else max(0.0, budget.start + budget.seconds - time.monotonic())


def spent() -> float:
    """The share of its time that the budget in force has used."""
    budget = _current.get()
    return 0.0 if budget is None else (time.monotonic() - budget.start) / budget.seconds


@contextmanager
def within(seconds: float = SECONDS, growth: int = GROWTH, what: str = "the derivation") -> Iterator[Budget]:
    """A budget for the block; running out of memory or of stack inside is a LimitError too."""
    budget = Budget(seconds, growth, what)
    token = _current.set(budget)
    try:
        yield budget
    except MemoryError:
        raise out_of_memory(what, growth) from None
    except RecursionError:
        raise LimitError(f"{what} was stopped: the formula nests too deeply") from None
    finally:
        _current.reset(token)


@contextmanager
def bounded_address_space(growth: int) -> Iterator[None]:
    """Let this process map at most `growth` bytes more inside the block: a single huge allocation fails at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = address_space()
    most = now + growth if now else resource.RLIM_INFINITY
    for limit in (soft, hard):
        if limit != resource.RLIM_INFINITY:
            most = min(most, limit) if most != resource.RLIM_INFINITY else limit
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def bound_processor_time(seconds: float) -> None:
    """End this process after so much processor time, even where it never looks and nobody watches it."""
    most = int(seconds * (os.cpu_count() or 1)) + 5
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
