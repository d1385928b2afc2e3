"""The other side of `worker`: starts it, calls the hand-written function through it, and ends it at its limits."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from symgrad.errors import UsageError
from symgrad.handwritten.printed import Printed
from symgrad.handwritten.worker import Work, accepted, quiet, raised

START_SECONDS = 60.0
CALL_SECONDS = 20.0
MEMORY = 4 << 30


class TheirError(Exception):
    """The hand-written function raised, hung or crashed; the text is what the user is shown."""

    def __init__(self, text: str, kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind


class Process:
    """A running worker with the function loaded. `accepted`: the known names that the function has as arguments."""

    def __init__(
        self,
        target: str,
        framework: str,
        known: Sequence[str],
        seconds: float = CALL_SECONDS,
        memory: int = MEMORY,
    ) -> None:
        self.target, self.seconds = target, seconds
        ours, theirs = socket.socketpair()
        held, self.lifeline = os.pipe()
        self.printed = Printed()
        with theirs:
            self.popen = _started(theirs.fileno(), held, self.printed.into)
        os.close(held)
        self.printed.started()
        self.pipe = Connection(ours.detach())
        self.pipe.send({"target": target, "framework": framework, "known": list(known), "memory": memory})
        self.kind = self.framework = ""
        self.accepted: list[str] = []

    def ready(self) -> None:
        """Wait until the function is loaded; UsageError where it cannot be."""
        said = self._receive(START_SECONDS, "loading it")
        if "unloadable" in said:
            self.close()
            raise UsageError(f"{self.target} cannot be loaded\n{_indented(said['unloadable'])}\n = help: {_mend(said)}")
        self.kind, self.framework = said["kind"], said["framework"]
        self.accepted = said["accepted"]

    def call(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the function returned; TheirError for what it raised."""
        with contextlib.suppress(OSError):  # a dead worker is noticed below
            self.pipe.send(request)
        said = self._receive(self.seconds, "one call")
        if "raised" in said:
            raise TheirError(str(said["raised"]), str(said["type"]))
        return said

    def _receive(self, seconds: float, what: str) -> Mapping[str, Any]:
        try:
            if not self.pipe.poll(seconds):
                self.close()
                raise TheirError(f"{what} took more than {seconds:g} s", "Timeout")
            said: Mapping[str, Any] = self.pipe.recv()
        except (EOFError, OSError):
            code = self._ended()
            name = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise TheirError(f"the function ended the process in which it ran ({name})", "Crash") from None
        return said

    def _ended(self) -> int:
        """The exit code of a worker that said nothing more."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it closed the pipe and goes on
            self.popen.wait(5)
        self.close()
        return self.popen.returncode

    def close(self) -> None:
        """End the worker and whatever it started."""
        if self.pipe.closed:
            return
        self.pipe.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # an empty group
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.printed.ended()
        os.close(self.lifeline)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started(pipe: int, held: int, into: int) -> subprocess.Popen[bytes]:
    """A worker in a process group of its own. It ends with us: `held` is a pipe that only we can write to."""
    return subprocess.Popen(
        [sys.executable, "-m", "symgrad.handwritten.worker", str(pipe), str(held)],
        stdin=subprocess.DEVNULL,
        stdout=into,
        stderr=into,
        pass_fds=[pipe, held],
        process_group=0,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *filter(None, sys.path)])},
    )


class Here:
    """The same face for a function of this process, as the Python interface takes one."""

    def __init__(self, found: object, framework: str, known: Sequence[str]) -> None:
        self.work = Work(found, framework)
        self.kind, self.framework = self.work.kind, self.work.framework
        self.accepted: Sequence[str] = accepted(found, known)

    def call(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the function returned; TheirError for what it raised."""
        try:
            with quiet():
                return self.work.call(request)
        except Exception as error:
            raise TheirError(raised(error), type(error).__name__) from error


def _mend(said: Mapping[str, Any]) -> str:
    if said["type"] == "AttributeError":
        return "--against takes module:function or file.py:function; look at the function's name"
    if said["type"] in ("ModuleNotFoundError", "FileNotFoundError"):
        return "--against takes module:function, looked up from here, or file.py:function"
    return "it must be importable before it can be checked"


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())
