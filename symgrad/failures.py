"""Any exception as what the user is told: an exit code, a message without a traceback, and its record for `--json`."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass

from symgrad.errors import FormulaError, LimitError, SymgradError, printable
from symgrad.settings import PREFIX

_LONGEST = 8000
_HELP = "\n = help: "
Record = dict[str, str | int | None]


@dataclass(frozen=True)
class Failure:
    """What went wrong: `text` is the whole message as a terminal shows it, `record` the same for programs."""

    code: int
    text: str
    record: Record

    @property
    def document(self) -> dict[str, Record]:
        """The JSON document of exit codes 2 and 3."""
        return {"error": self.record}


def failure(kind: str, code: int, message: str, help: str = "") -> Failure:
    """A failure without a place."""
    shown = "\n".join(printable(line) for line in message.split("\n"))[:_LONGEST]
    text = shown + (f"{_HELP}{printable(help)}" if help else "")
    return Failure(code, text, _record(kind, shown, help))


def describe(error: BaseException) -> Failure:
    """The failure that an exception means."""
    if isinstance(error, FormulaError):
        where = error.where
        record = _record(error.kind, printable(error.message)[:_LONGEST], printable(error.help))
        if where is not None:
            record |= {"file": printable(where.file), "line": where.line, "column": where.column}
        return Failure(error.code, str(error)[:_LONGEST], record)
    if isinstance(error, SymgradError):
        message, _, help = str(error).partition(_HELP)
        return failure(error.kind, error.code, message, help)
    if isinstance(error, MemoryError):
        return failure("limit", LimitError.code, "memory ran out (--memory-limit)")
    if isinstance(error, RecursionError):
        return failure("limit", LimitError.code, "the formula nests too deeply")
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if error.filename else ""
        return failure("system", 2, f"{named}{error.strerror}")
    return _fault(error)


def _record(kind: str, message: str, help: str) -> Record:
    return {"kind": kind, "message": message, "file": None, "line": None, "column": None, "help": help or None}


def _fault(error: BaseException) -> Failure:
    """A fault of symgrad itself: where it stands, and how to see more."""
    if os.environ.get(PREFIX + "TRACEBACK", "0") not in ("", "0"):
        return failure("fault", 3, "".join(traceback.format_exception(error)))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    said = str(error).split("\n", 1)[0][:200]
    return failure(
        "fault",
        3,
        f"symgrad itself failed on this formula ({type(error).__name__}{place}: {said})",
        f"please report it with the formula; {PREFIX}TRACEBACK=1 shows where",
    )
