"""Settings from the environment: one frozen record, read from SYMGRAD_*.

A name that is nearly one of these is refused, as it is most likely misspelt. Other SYMGRAD_* names are left alone: they
belong to tools around symgrad (a test harness, a build), and must not stop a derivation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from symgrad.errors import UsageError, nearest

PREFIX = "SYMGRAD_"
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """What the environment says; every field is a switch, SYMGRAD_<NAME IN CAPITALS>=1."""

    verify: bool = False
    """Compare numbers after every pass of the derivation, and name the pass that changed them."""
    traceback: bool = False
    """Show the traceback of a fault inside symgrad (for who mends symgrad)."""


def read(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment holds; UsageError for a misspelt name or a value that is no switch."""
    known = {PREFIX + f.name.upper(): f.name for f in fields(Settings)}
    for name in sorted(environment):
        close = nearest(name, known) if name.startswith(PREFIX) and name not in known else None
        if close and abs(len(close) - len(name)) <= 2 and sum(a != b for a, b in zip(name, close, strict=False)) <= 3:
            raise UsageError(f"unknown setting {name} in the environment\n = help: did you mean {close}?")
    return Settings(**{field: _switch(name, environment[name]) for name, field in known.items() if name in environment})


def _switch(name: str, value: str) -> bool:
    if value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise UsageError(f"{name}={value!r} is no switch\n = help: write {name}=1 or {name}=0")


def current() -> Settings:
    """The settings of this process."""
    return read(os.environ)
