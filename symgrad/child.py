"""Work in child processes under limits: the parent survives whatever the work does, and nothing outlives the parent.

    Watch(handler).run([(key, work), ...], jobs=2)

Each `work(send)` runs in a fork of this process, made before anything heavy is imported, in a process group of its own.
What it sends are JSON objects, passed to `handler.message(key, ...)`; `{"phase": ..., "seconds": ...}` starts the clock
anew. A child past its clock, or one that ends without a word, is a Failure passed to `handler.ended`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn, Protocol

from symgrad import limits
from symgrad.failures import Failure, describe, failure
from symgrad.interrupts import Interrupted

Message = dict[str, object]
Send = Callable[[Message], None]
Work = Callable[[Send], None]
GRACE = 1.0
"""Seconds beyond its limit in which a child may still say so itself."""
_TICK = 0.2
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Handler(Protocol):
    """Who hears what children say."""

    def message(self, key: str, message: Message) -> None:
        """A child said something."""

    def ended(self, key: str, fault: Failure | None) -> None:
        """A child ended: well, or as `fault` says."""

    def tick(self) -> None:
        """Called a few times a second."""


@dataclass
class _Child:
    key: str
    pid: int
    pipe: int
    lifeline: int
    what: str
    seconds: float
    deadline: float
    buffer: bytearray = field(default_factory=bytearray)
    failed: bool = False


class Watch:
    """Runs work in children, at most `jobs` at once, and passes on what they say."""

    def __init__(self, handler: Handler, seconds: float = limits.SECONDS, what: str = "the derivation") -> None:
        self.handler, self.seconds, self.what = handler, seconds, what
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()

    def run(self, works: Sequence[tuple[str, Work]], jobs: int = 1) -> None:
        """Run all; on Ctrl-C, SIGTERM or SIGHUP end every child and raise Interrupted."""
        waiting = list(reversed(works))
        with _signals_raise():
            try:
                while waiting or self._children:
                    while waiting and len(self._children) < jobs:
                        self._start(*waiting.pop())
                    for ready, _ in self._selector.select(_TICK):
                        self._read(self._children[ready.fd])
                    self._look_at_clocks()
                    self.handler.tick()
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
                for child in list(self._children.values()):
                    self._end(child)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _start(self, key: str, work: Work) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pipe, into = os.pipe()
        held, lifeline = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(pipe)
                os.close(lifeline)
                _serve(work, into, held, self.what, self.seconds)
            with contextlib.suppress(OSError):  # the child does the same; whoever is first
                os.setpgid(pid, pid)
            deadline = time.monotonic() + self.seconds + GRACE
            self._children[pipe] = _Child(key, pid, pipe, lifeline, self.what, self.seconds, deadline)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(into)
        os.close(held)
        self._selector.register(pipe, selectors.EVENT_READ)

    def _read(self, child: _Child) -> None:
        data = os.read(child.pipe, 1 << 16)
        child.buffer += data
        *lines, rest = bytes(child.buffer).split(b"\n") if b"\n" in data else (bytes(child.buffer),)
        child.buffer = bytearray(rest)
        for line in lines:
            self._hear(child, json.loads(line))
        if not data:
            self._finish(child)

    def _hear(self, child: _Child, message: Message) -> None:
        if "phase" in message:
            child.what, child.seconds = str(message["phase"]), float(str(message["seconds"]))
            child.deadline = time.monotonic() + child.seconds + GRACE
        child.failed = child.failed or "failure" in message
        self.handler.message(child.key, message)

    def _finish(self, child: _Child) -> None:
        status = self._end(child, patience=2.0)
        well = child.failed or os.waitstatus_to_exitcode(status) == 0
        self.handler.ended(child.key, None if well else _why(child, os.waitstatus_to_exitcode(status)))

    def _look_at_clocks(self) -> None:
        for child in [c for c in self._children.values() if time.monotonic() > c.deadline]:
            self._end(child)
            self.handler.ended(child.key, describe(limits.out_of_time(child.what, child.seconds)))

    def _end(self, child: _Child, patience: float = 0.0) -> int:
        """Kill what is left of the child's group, reap it, forget it: the status that it ended with."""
        _wait(child.pid, patience)
        with contextlib.suppress(ProcessLookupError, PermissionError):  # an empty group
            os.killpg(child.pid, signal.SIGKILL)
        status = os.waitpid(child.pid, 0)[1]
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
        os.close(child.lifeline)
        del self._children[child.pipe]
        return status


def _wait(pid: int, patience: float) -> None:
    """Let a process end by itself (its pipe closes a moment before it does)."""
    until = time.monotonic() + patience
    while time.monotonic() < until and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)


def _why(child: _Child, code: int) -> Failure:
    if code == -signal.SIGXCPU:
        return describe(limits.out_of_time(child.what, child.seconds))
    if code == -signal.SIGKILL:
        return failure("limit", 3, f"{child.what} was killed by the system, most likely for want of memory")
    if code < 0:
        name = signal.Signals(-code).name
        return failure("limit", 3, f"{child.what} crashed ({name}), most likely out of stack or memory")
    return failure("limit", 3, f"{child.what} ended without a result")


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(work: Work, into: int, held: int, what: str, seconds: float) -> NoReturn:
    """The child: does the work, says what came of it, and ends without unwinding the parent's stack."""
    code = 70
    try:
        _settle(held, seconds)
        with os.fdopen(into, "w", encoding="utf-8", errors="backslashreplace") as pipe:

            def send(message: Message) -> None:
                pipe.write(json.dumps(message) + "\n")
                pipe.flush()

            try:
                work(send)
            except BaseException as error:  # noqa: BLE001  the boundary: whatever it is, the parent tells the user
                told = describe(error)
                send({"failure": told.record, "code": told.code, "told": told.text})
        code = 0
    finally:
        os._exit(code)


def _settle(held: int, seconds: float) -> None:
    """A group of its own, no standard input, nothing on standard output, and an end when the parent ends."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    limits.bound_processor_time(seconds + limits.VALIDATION_SECONDS + 60)
    threading.Thread(target=_end_with_parent, args=(held,), daemon=True).start()


def _end_with_parent(held: int) -> None:
    os.read(held, 1)
    os.killpg(0, signal.SIGKILL)
