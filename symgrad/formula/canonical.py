"""A mapping with the keys of the YAML -> its canonical YAML: what is hashed, and what messages show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symgrad.errors import FormulaError

_PLAIN = re.compile(r"[A-Za-z0-9(.-][A-Za-z0-9_ ()\[\]+*/.=<>-]*(?<! )")
_PLAIN_IN_LIST = re.compile(r"[A-Za-z0-9_.]+")
_WORDS = frozenset({"null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "-", "---", "...", "."})
DEEPEST = 6


def canonical_yaml(mapping: Mapping[str, Any]) -> str:
    """The text of a mapping, keys in their order."""
    if not isinstance(mapping, Mapping):
        raise FormulaError(f"a formula is a mapping of the keys of its YAML, not {type(mapping).__name__}")
    return "".join(_entry(str(k), v, 0) for k, v in mapping.items())


def _entry(key: str, value: Any, depth: int) -> str:
    if depth > DEEPEST:
        raise FormulaError("the mapping of the formula is nested too deeply")
    head = "  " * depth + _text(key, _PLAIN) + ":"
    if isinstance(value, Mapping) and value:
        return head + "\n" + "".join(_entry(str(k), v, depth + 1) for k, v in value.items())
    if isinstance(value, Mapping):
        return head + " {}\n"
    if _is_list(value):
        return head + " [" + ", ".join(_item(v, depth) for v in value) + "]\n"
    return head + " " + _scalar(value, _PLAIN) + "\n"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _item(value: Any, depth: int) -> str:
    if _is_list(value) and depth <= DEEPEST:
        return "[" + ", ".join(_item(v, depth + 1) for v in value) + "]"
    if value is Ellipsis or value == "...":
        return "..."
    return _scalar(value, _PLAIN_IN_LIST)


def _scalar(value: Any, plain: re.Pattern[str]) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Fraction):
        return str(value) if not isinstance(value, float) else repr(value)
    return _text(str(value), plain)


def _text(value: str, plain: re.Pattern[str]) -> str:
    if plain.fullmatch(value) and value not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
