"""`python -m tests.robustness.hostile --minutes 30 --seed 1`: hostile formulas through reader, derivation and kernels.

Each is refused by an error that symgrad means, or derived; never a traceback, never more than the limit, never code of
the formula run (an audit hook listens, and a canary file is looked for). `--whole 20` runs every 20th by the command.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from symgrad import limits, pipeline
from symgrad.errors import SymgradError
from tests.robustness.mutations import CANARY, hostile

SECONDS = 10.0
GRACE = 10.0
"""CPU seconds beyond the limit after which a formula hangs."""


class HangError(BaseException):
    """More CPU time than the limit: nothing looked at the clock."""


class Listener:
    """Audit events that no formula may cause: programs started, files written, code compiled from it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.on = False
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """One event."""
        if not self.on:
            return
        if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "os.remove"):
            self.heard.append(f"{event} {args!r}"[:200])
        elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            self.heard.append(f"open {args!r}"[:200])
        elif event == "exec" and isinstance(args[0], CodeType) and not _is_import():
            self.heard.append(f"exec of {args[0].co_filename} {args[0].co_names!r}"[:200])

    def take(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


def _is_import() -> bool:
    """Whether a module is being imported: modules of Python run code of their own, such as that of named tuples."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """HangError after so much CPU time."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise HangError(f"{seconds} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def taken(text: str, path: str = "hostile.yaml", seconds: float = SECONDS) -> str:
    """How a text is taken: "derived", or the name of the error that refuses it. Whatever else happens is raised."""
    from symgrad.formula.reader import read_text

    try:
        with limits.within(seconds):
            formula = read_text(text, path)
            result = pipeline.derive(formula, time_limit=seconds, check=False)
            result.document()
            result.files(("tex", "html"))
    except SymgradError as e:
        if not str(e).strip():
            raise AssertionError("an error without a word") from e
        return type(e).__name__
    return "derived"


def judge(seed: int, listener: Listener | None = None) -> tuple[str, str | None]:
    """How the text of a seed is taken, and what is wrong with that."""
    wrong: str | None = None
    if listener is not None:
        listener.on = True
    try:
        with watched(2 * SECONDS + GRACE):
            said = taken(hostile(seed))
    except HangError as e:
        said, wrong = "hang", f"{e}: {_place(e)}"
    except Exception as e:  # noqa: BLE001  whatever comes out is the finding
        said, wrong = "traceback", f"{type(e).__name__}: {str(e)[:300]}: {_place(e)}"
    finally:
        if listener is not None:
            listener.on = False
    heard = listener.take() if listener is not None else []
    if heard or os.path.exists(CANARY):
        said, wrong = "code", "; ".join(heard[:5]) or "the canary is there"
    return said, wrong


def _place(e: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(e.__traceback__) if "symgrad" in f.filename]
    return ", ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} in {f.name}" for f in frames[-3:])


def by_command(seed: int) -> tuple[str, str | None]:
    """The same by the command, as a user has it: exit codes 0 to 3, no traceback, an end within the limits."""
    words = [sys.executable, "-m", "symgrad", "derive", "-", "--no-validate", "--report", "none", "--time-limit", "10"]
    start = time.monotonic()
    try:
        done = subprocess.run(
            words, input=hostile(seed).encode("utf-8", "surrogatepass"), capture_output=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        return "command hang", f"{time.monotonic() - start:.0f} s"
    said = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1, 2, 3) or "Traceback" in said or "fault of symgrad" in said:
        return "command traceback", f"code {done.returncode}: {said[-500:]}"
    if done.returncode in (2, 3) and not said.startswith("error:"):
        return "command message", said[:300]
    return f"command {done.returncode}", None


def warm() -> None:
    """Import what is imported late, before anything listens."""
    for text in (
        "name: w\ninputs: {x: [n, n]}\nloss: Sum(erf(x[i, j]), i, j)\n",
        "name: w\ninputs: {A: [n, n]}\nloss: logdet(A)\n",
        "name: w\ninputs: {A: [n, n], t: {shape: [n], dtype: int}}\nuse: [linear]\noutput: {y: A @ A}\n",
    ):
        taken(text, seconds=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--programs", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", type=int, default=0, help="every so many also by the command")
    chosen = parser.parse_args()
    warm()
    listener, counts, wrong = Listener(), Counter[str](), 0
    start, cpu = time.monotonic(), time.process_time()

    def note(seed: int, judged: Callable[[], tuple[str, str | None]]) -> int:
        said, why = judged()
        counts[said] += 1
        if why is not None:
            print(f"--- seed {seed}: {said}: {why}", flush=True)
        return why is not None

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        seed = chosen.seed
        while seed < chosen.seed + chosen.programs and time.monotonic() < start + 60 * chosen.minutes:
            wrong += note(seed, lambda: judge(seed, listener))  # noqa: B023  called at once
            if chosen.whole and seed % chosen.whole == 0:
                wrong += note(seed, lambda: by_command(seed))  # noqa: B023
            if (seed - chosen.seed) % 500 == 499:
                print(f"{seed}: {dict(sorted(counts.items()))}", flush=True)
            seed += 1
        os.chdir(Path("/"))
    wall, used = time.monotonic() - start, time.process_time() - cpu
    print(f"seeds {chosen.seed} to {seed - 1} in {wall:.0f} s ({used:.0f} s CPU): {dict(sorted(counts.items()))}")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
