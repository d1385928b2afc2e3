"""The acceptance run's own reading of the language, where it stands beside this checkout.

It shares no code with symgrad: values of fuzzed programs and printed closed forms are held against it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symgrad.formula.program import Program
from symgrad.validate.points import Point

BESIDE = (Path(__file__).parents[3], Path(__file__).parents[4])
FILE = next((f for p in BESIDE if (f := p / "shared" / "acceptance" / "oracle.py").is_file()), BESIDE[0] / "oracle.py")
TIGHT = 1e-8
FLOOR = 1e-4
UNKNOWN = (
    "two ranges",
    "is not in the language",
    "argmax over more than one",
    "has no range",
    "no output",
    "an index without range",
    "dimension ",
)
"""What the oracle says where it cannot read a formula that the language has."""

UNREAD = (
    "an index without range",  # of a definition that is used under another name alone
    "has two ranges",  # of a definition that is read outside of its axis, where it is 0: the index runs further
)
"""What the oracle says where it cannot read a printed form that means something; symgrad's own reader judges these."""


@cache
def module() -> ModuleType | None:
    """The oracle; None where it is not there."""
    if not FILE.is_file():
        return None
    spec = importlib.util.spec_from_file_location("acceptance_oracle", FILE)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def case_of(text: str, path: Path) -> Any | None:
    """The oracle's reading of a formula; None where there is no oracle or the formula is beyond it."""
    oracle = module()
    if oracle is None or "\nscan:" in text:
        return None
    from ruamel.yaml import YAML

    document = YAML(typ="safe", pure=True).load(text)
    if isinstance(document.get("use"), dict):  # symgrad's own catalogue, whatever the oracle has
        document["use"] = {alias: str(_formula(str(name))) for alias, name in document["use"].items()}
    try:
        return oracle.Case(document, str(path))
    except oracle.OracleError:
        return None


def _formula(name: str) -> Path:
    """The file of a formula of the catalogue."""
    return next((Path(__file__).parents[2] / "formulas").glob(f"*/{name}.yaml"))


def wrong_value(case: Any, program: Program, point: Point, values: Mapping[str, Any]) -> str | None:
    """What is wrong with the values of a program; "" where the oracle cannot say."""
    oracle = module()
    assert oracle is not None
    try:
        got = case.forward(dict(point.inputs), dict(point.parameters))
    except oracle.OracleError as e:
        return "" if any(w in str(e) for w in UNKNOWN) else f"the oracle cannot evaluate it: {e}"
    except (TypeError, ValueError, IndexError, ArithmeticError):
        return ""
    for s in program.outputs:
        mine, other = np.asarray(values[s.name], float), np.asarray(got["none" if program.is_loss else s.name], float)
        if not close(mine, other):
            return f"{s.name} is {mine}, by the oracle {other}"
    return None


def wrong_form(case: Any, text: Mapping[str, Any], point: Point, wanted: np.ndarray[Any, Any]) -> str | None:
    """What is wrong with a printed closed form."""
    oracle = module()
    assert oracle is not None
    what = (text["closed"], text["where"], dict(point.inputs), text["indices"], wanted.shape, dict(point.parameters))
    got: Any = None
    try:
        for precisely in (False, True):
            got = np.asarray(case.evaluate(*what, mp=precisely, more=dict(point.upstream)), float)
            if close(got, wanted):
                return None
    except (oracle.OracleError, TypeError, ValueError, KeyError) as e:
        if any(w in str(e) for w in UNREAD):
            return None
        return f"the oracle cannot evaluate {text['closed']} where {text['where']}: {type(e).__name__}: {e}"
    return f"by the oracle {text['closed']} where {text['where']} is {got}, not {wanted}"


def close(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> bool:
    """Equal relative to the largest element."""
    if got.shape != wanted.shape:
        return False
    size = float(np.max(np.abs(wanted), initial=0.0)) + FLOOR
    return bool(np.all(np.abs(got - wanted) <= TIGHT * size))
