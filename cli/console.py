"""What the parent of the derivations shows: their text as it comes, a progress line, a table, one JSON document."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

import click

from symgrad.child import Message, Watch
from symgrad.errors import printable
from symgrad.failures import Failure, failure

from .arguments import Item
from .options import Options

if TYPE_CHECKING:
    from rich.progress import Progress

_SPINNER = "|/-\\"
_PATIENCE = 1.0
"""Seconds without a word after which a terminal is told what is going on."""


class _Worker(Protocol):
    def __call__(self, item: Item, options: Options, /) -> object: ...


def say(text: str, options: Options) -> None:
    """Text for people: on standard output, or beside the JSON document; nothing with --quiet."""
    if not options.quiet:
        click.echo(text, err=options.json)


def complain(told: Failure, label: str = "") -> None:
    """An error on standard error."""
    click.echo(f"error: {told.text}" + (f"\n = in {printable(label)}" if label else ""), err=True)


class Single:
    """Hears one derivation: passes its text on at once."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.code = 3
        self.document: object = None
        self._line = _Line(sys.stderr)

    def message(self, key: str, message: Message) -> None:
        """Text for people, a new phase, the document, or a failure."""
        self._line.clear()
        if "phase" in message:
            self._line.what = str(message["phase"])
        for kind in ("text", "note"):
            if kind in message:
                say(str(message[kind]), self.options)
        if "refuted" in message:
            click.echo(f"failed: {message['refuted']}", err=True)
        if "document" in message:
            self.document, self.code = message["document"], int(str(message["code"]))
        if "failure" in message:
            self._fail(_told(message))

    def ended(self, key: str, fault: Failure | None) -> None:
        """The end, well or by a limit."""
        self._line.clear()
        if fault is not None:
            self._fail(fault)

    def tick(self) -> None:
        """Tell a terminal that something goes on."""
        self._line.show()

    def close(self) -> None:
        """Take the line away."""
        self._line.clear()

    def _fail(self, told: Failure) -> None:
        complain(told)
        self.document, self.code = told.document, told.code

    def finish(self) -> int:
        """Print the document where it is asked for; the exit code."""
        if self.options.json:
            click.echo(json.dumps(self.document))
        return self.code


class Many:
    """Hears many derivations: a progress bar on a terminal, a table at the end, one document of all."""

    def __init__(self, items: Sequence[Item], options: Options) -> None:
        self.options = options
        self.labels = {str(k): item.label for k, item in enumerate(items)}
        self.documents: dict[str, object] = {}
        self.codes: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self._progress: Progress | None = None
        if sys.stderr.isatty() and not options.quiet:
            from rich.console import Console
            from rich.progress import Progress

            # drawn by `tick`, not by a thread: children are forked meanwhile
            self._progress = Progress(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._bar = self._progress.add_task("deriving", total=len(items))
            self._progress.start()

    def message(self, key: str, message: Message) -> None:
        """The document or the failure of one formula."""
        if "document" in message:
            self.documents[key], self.codes[key] = message["document"], int(str(message["code"]))
        if "refuted" in message:
            click.echo(f"failed: {message['refuted']}", err=True)
        if "failure" in message:
            self._fail(key, _told(message))

    def ended(self, key: str, fault: Failure | None) -> None:
        """One formula is done."""
        if fault is not None:
            self._fail(key, fault)
        elif key not in self.codes:
            self._fail(key, failure("limit", 3, "the derivation ended without a result"))
        if self._progress is not None:
            self._progress.advance(self._bar)

    def tick(self) -> None:
        """Draw the bar."""
        if self._progress is not None:
            self._progress.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = None

    def _fail(self, key: str, told: Failure) -> None:
        complain(told, self.labels[key])
        self.documents[key], self.codes[key] = told.document, told.code

    def finish(self) -> int:
        """The table, or the document of all; 1 if a verdict is negative, else the largest code."""
        ordered = [self.documents[key] for key in self.labels if key in self.documents]
        if self.options.json:
            click.echo(json.dumps({"formulas": ordered}))
        from .table import table

        say(
            table([(self.labels[k], self.documents[k], self.codes[k]) for k in self.labels if k in self.documents]),
            self.options,
        )
        codes = set(self.codes.values())
        return 1 if 1 in codes else max(codes, default=0)


class _Line:
    """One line on a terminal that says what goes on, and goes away."""

    def __init__(self, stream: TextIO) -> None:
        self.what = "the derivation"
        self._stream = stream
        self._since = time.monotonic()
        self._shown = False
        self._turn = 0

    def show(self) -> None:
        waited = time.monotonic() - self._since
        if waited > _PATIENCE and self._stream.isatty():
            self._turn += 1
            self._stream.write(f"\r{_SPINNER[self._turn % 4]} {self.what}: {waited:.0f} s ")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._shown, self._since = False, time.monotonic()


def _told(message: Message) -> Failure:
    record = message["failure"]
    assert isinstance(record, dict)
    return Failure(int(str(message["code"])), str(message["told"]), record)


__all__ = ["Many", "Single", "Watch", "complain", "say"]
