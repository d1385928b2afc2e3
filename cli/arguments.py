"""What a user names on the command line as formulas: files, folders, catalogue names, standard input."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from symgrad import catalogue, staging
from symgrad.errors import UsageError, nearest
from symgrad.pipeline import is_path

ENDINGS = (".yaml", ".yml")
MOST_BYTES = 1 << 20
"""Standard input beyond this is no formula; the reader says so."""
_NAME = re.compile(rb"^[ \t{]*[\"']?name[\"']?[ \t]*:[ \t]*[\"']?([a-z][a-z0-9_]*)", re.M)


@dataclass(frozen=True)
class Item:
    """One formula to derive: `label` is how the user knows it; `text` is there where it came through standard input."""

    label: str
    path: Path | None = None
    text: bytes | None = None


def items(arguments: Sequence[str]) -> tuple[Item, ...]:
    """Every formula that the arguments name; UsageError for what is none, and for two formulas of one name."""
    found = tuple(item for argument in arguments for item in _expand(argument))
    _refuse_namesakes(found)
    return found


def is_many(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for a table: a folder, or more than one argument."""
    return len(arguments) > 1 or any(is_path(a) and os.path.isdir(a) for a in arguments)


def _expand(argument: str) -> Iterator[Item]:
    if argument == "-":
        yield Item("<stdin>", text=sys.stdin.buffer.read(MOST_BYTES + 1))
    elif not is_path(argument):
        yield Item(argument, catalogue.find(argument))
    elif os.path.isdir(argument):
        yield from _below(Path(argument))
    else:
        _refuse_missing(argument)
        yield Item(argument, Path(argument))


def _below(top: Path) -> Iterator[Item]:
    """The formula files under a folder; hidden folders and those that symgrad wrote are skipped."""
    found = 0
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(
            f for f in folders if not f.startswith((".", "__")) and staging.written_before(Path(folder) / f) is None
        )
        for file in sorted(f for f in files if f.endswith(ENDINGS) and not f.startswith(".")):
            found += 1
            yield Item(str(Path(folder) / file), Path(folder) / file)
    if not found:
        raise UsageError(
            f"no formula file under {top}\n = help: formula files end in .yaml; `symgrad new NAME` writes one"
        )


def _refuse_missing(argument: str) -> None:
    if os.path.exists(argument):
        return
    folder = os.path.dirname(argument) or "."
    beside = [f for f in os.listdir(folder) if f.endswith(ENDINGS)] if os.path.isdir(folder) else []
    close = nearest(os.path.basename(argument), beside)
    stem = os.path.basename(argument).rpartition(".")[0]
    if close:
        help = f"did you mean {os.path.join(os.path.dirname(argument), close)}?"
    elif stem in catalogue.paths():
        help = f"without its ending {stem} is a formula of the catalogue"
    else:
        help = f"`symgrad new {stem}` writes a template" if re.fullmatch(r"[a-z]\w*", stem) else "look at the path"
    raise UsageError(f"no file {argument}\n = help: {help}")


def _refuse_namesakes(found: Sequence[Item]) -> None:
    seen: dict[str, str] = {}
    for item in found if len(found) > 1 else ():
        name = _written_name(item)
        if name is not None and name in seen:
            raise UsageError(
                f"two formulas are named {name}: {seen[name]} and {item.label}\n = help: give each a name of its own, "
                "as it names the folder that is written"
            )
        if name is not None:
            seen[name] = item.label


def _written_name(item: Item) -> str | None:
    """The name in a formula file, by its first line that looks like one (reading it safely is the child's work)."""
    head = item.text
    if item.path is not None and stat.S_ISREG(item.path.stat().st_mode):
        with item.path.open("rb") as file:
            head = file.read(1 << 16)
    match = _NAME.search(head or b"")
    return match[1].decode() if match else None
