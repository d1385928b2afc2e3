"""What a hand-written function prints: passed on to standard error up to a limit, and dropped beyond it."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from typing import TextIO

MOST = 64 << 10
"""Bytes that are passed on."""
LEFT_OUT = f"\n[what the function prints beyond {MOST >> 10} KiB is left out]\n"
_CHUNK = 1 << 16


class Bounded(io.TextIOBase):
    """Standard output and error as the function sees them: what is beyond the limit is dropped on the spot."""

    def __init__(self, to: TextIO) -> None:
        self.to, self.left = to, MOST

    def write(self, text: str) -> int:
        """As a file does."""
        if self.left > 0:
            self.left -= len(text)
            self.to.write(text if self.left > 0 else text[: self.left or None] + LEFT_OUT)
            self.to.flush()
        return len(text)

    def writable(self) -> bool:
        """Yes."""
        return True


class Printed:
    """A pipe to print into (`into`), and the thread that reads it."""

    def __init__(self, to: int = 2) -> None:
        self.to = to
        self.reading, self.into = os.pipe()
        self.thread = threading.Thread(target=self._pass_on, daemon=True)
        self.thread.start()

    def _pass_on(self) -> None:
        left = MOST
        with contextlib.suppress(OSError):  # nobody reads standard error
            while data := os.read(self.reading, _CHUNK):
                if left > 0:
                    os.write(self.to, data[:left])
                    left -= len(data)
                    if left <= 0:
                        os.write(
                            self.to, f"\n[what the function prints beyond {MOST >> 10} KiB is left out]\n".encode()
                        )

    def started(self) -> None:
        """The process that prints has its end of the pipe."""
        os.close(self.into)

    def ended(self) -> None:
        """That process is gone: pass on the rest."""
        self.thread.join(1.0)
        if not self.thread.is_alive():
            os.close(self.reading)
