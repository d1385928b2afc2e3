"""The formulas that come with symgrad: one YAML file each, found by name."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from symgrad.errors import UsageError, nearest


def folder() -> Path:
    """The folder of the catalogue: inside the installed package, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "formulas"
    return installed if installed.is_dir() else here.parent / "formulas"


@cache
def paths() -> dict[str, Path]:
    """Name -> file of every formula of the catalogue, in order of the folders and names."""
    found = sorted(Path(top) / f for top, _, files in os.walk(folder()) for f in files if f.endswith(".yaml"))
    return {path.stem: path for path in found}


def find(name: str) -> Path:
    """The file of a catalogue name; UsageError names the nearest, or `./name` where that is a file or folder."""
    known = paths()
    if name in known:
        return known[name]
    if os.path.exists(name):
        raise UsageError(
            f"{name!r} is no formula of the catalogue\n = help: for the file or folder of that name write ./{name}"
        )
    close = nearest(name, known)
    help = (
        f"did you mean {close}?" if close else "`symgrad list` shows the catalogue; a file needs its ending, loss.yaml"
    )
    raise UsageError(f"no formula {name!r} in the catalogue\n = help: {help}")


def summary(path: Path) -> str:
    """The `summary` line of a catalogue file, without reading the rest of it."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("summary:"):
                return line.removeprefix("summary:").strip().strip("\"'")
    return ""
