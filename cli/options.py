"""The options of `derive`, and what their values mean."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import click

from symgrad import limits
from symgrad.errors import UsageError
from symgrad.pipeline import REPORTS, TARGETS, chosen

_UNITS = {"": 20, "k": 10, "m": 20, "g": 30}


def words(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Words with commas between, each once: `z,W`."""
    if value is None:
        return None
    found = tuple(dict.fromkeys(w.strip() for w in value.split(",") if w.strip()))
    if not found:
        raise click.BadParameter("is empty")
    return found


def seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """A positive number of seconds."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e7:
        raise click.BadParameter(f"{value!r} is no positive number of seconds")
    return number


def memory(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Bytes of an amount of memory: 512MiB, 2GiB; a bare number counts MiB."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?) ?([kmg]?)(?:i?b)?", value.lower())
    if match is None or float(match[1]) <= 0:
        raise click.BadParameter(f"{value!r} is no amount of memory, such as 512MiB or 2GiB")
    return int(float(match[1]) * (1 << _UNITS[match[2]]))


@dataclass(frozen=True)
class Options:
    """What the user asked of `derive`. `width` and `encoding` are those of the terminal."""

    wrt: tuple[str, ...] | None = None
    target: tuple[str, ...] = TARGETS
    report: tuple[str, ...] = REPORTS
    force: bool = False
    order: int = 1
    inline: bool = False
    validate: bool = True
    seed: int = 0
    exhaustive: bool = False
    explain: bool = False
    json: bool = False
    quiet: bool = False
    out: Path = Path()
    keep_failed: Path | None = None
    time_limit: float = limits.SECONDS
    memory_limit: int = limits.GROWTH
    jobs: int = 1
    width: int = 80
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        if self.order not in (1, 2):
            raise UsageError(f"--order {self.order} is not known\n = help: 1 gives gradients, 2 the Hessian too")
        if self.exhaustive and not self.validate:
            raise UsageError("--exhaustive is a part of the validation\n = help: leave --no-validate out")
        report = () if self.report == ("none",) else chosen("report", self.report, REPORTS)
        object.__setattr__(self, "report", report)
        object.__setattr__(self, "target", chosen("target", self.target, TARGETS))


def page_width() -> int:
    """Columns of the terminal, within reason."""
    return min(max(shutil.get_terminal_size().columns, 60), 120)
