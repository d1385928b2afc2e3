"""Which names a formula may use, and for what each one stands."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from dataclasses import dataclass, field

from symgrad.errors import FormulaError
from symgrad.formula.source import Text
from symgrad.formula.vocabulary import LANGUAGE

LONGEST = 64
_FORMULA_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN_PACKAGES = frozenset("numpy torch scipy symgrad symgrad_cli".split()) | (sys.stdlib_module_names - {"test"})
_TAKEN_FUNCTIONS = frozenset(
    "loss grad value_and_grad grad_and_hess hvp check_inputs forward backward numpy_kernels torch_kernels".split()
)
ARGUMENT_WORDS = {"reduction": "how the batch of a loss is reduced", "saved": "what a layer keeps for its backward"}


def formula_name(text: Text) -> str:
    """The name of the formula: a lower-case identifier that its package and functions can bear."""
    name = text.value
    if not name:
        raise text.error("name is empty", help="a lower-case identifier: softmax_cross_entropy")
    if keyword.iskeyword(name):
        raise text.error(
            f"name: {name} is a keyword of Python", help="the generated package bears this name: choose another"
        )
    if not _FORMULA_NAME.fullmatch(name):
        wrong = f"{name[:40]!r} is not a lower-case identifier"
        raise text.error(
            f"name: {wrong}",
            help="letters a to z, digits and _, beginning with a letter, at most 64: softmax_cross_entropy",
        )
    if name in _TAKEN_PACKAGES:
        raise text.error(
            f"name: {name} is a module that the generated package would hide", help=f"another name, such as {name}_loss"
        )
    if name in _TAKEN_FUNCTIONS:
        raise text.error(
            f"name: {name} is a function of every generated package", help=f"another name, such as my_{name}"
        )
    return name


def identifier(text: Text, what: str, start: int = 0, end: int | None = None) -> str:
    """The NFKC-normalized name that a text holds; `what` it names is said in the error."""
    end = len(text.value) if end is None else end
    raw = text.value[start:end]
    name = unicodedata.normalize("NFKC", raw)
    reason = _fault(name)
    if reason:
        shown = raw if len(raw) <= 40 else raw[:37] + "..."
        other = name.lstrip("_") if name.startswith("_") else f"{name}_"
        plain = other.isidentifier() and len(other) <= LONGEST
        mend = f"another name, such as {other}" if plain else "letters, digits and _, at most 64, a letter first"
        raise text.error(f"{what} {shown!r}: {reason}", start, end, help=mend)
    return name


def _fault(name: str) -> str:
    if not name:
        return "the name is empty"
    if not name.isidentifier():
        return "not an identifier"
    if keyword.iskeyword(name):
        return "a keyword of Python cannot be a name"
    if name.startswith("_"):
        return "a name may not begin with _"
    if name in LANGUAGE:
        return "reserved, a word of the formula language"
    if len(name) > LONGEST:
        return f"longer than {LONGEST} characters"
    return ""


@dataclass
class Register:
    """Every declared name and what it is; none stands for two things."""

    kinds: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    cotangents: dict[str, str] = field(default_factory=dict)

    def declare(self, name: str, kind: str, text: Text, start: int = 0, end: int | None = None) -> None:
        """Note a name; FormulaError if it already stands for something."""
        place = text.where(start, end)
        if name in self.kinds:
            before = f"{self.kinds[name]} of line {self.lines[name]}"
            raise self._clash(f"{name} is defined twice: it is already {before}", text, start, end)
        if kind in ("an input", "a parameter") and name in ARGUMENT_WORDS:
            message = (
                f"{name} cannot be used as a name of {kind}: generated functions use it for {ARGUMENT_WORDS[name]}"
            )
            raise text.error(message, start, end, help=f"another name, such as {name}_")
        if name in self.cotangents:
            message = f"{name} cannot be used as a name: it is the cotangent of the output {self.cotangents[name]}"
            raise text.error(message, start, end, help="rename one of the two")
        self.kinds[name], self.lines[name] = kind, place.line

    @staticmethod
    def _clash(message: str, text: Text, start: int, end: int | None) -> FormulaError:
        return text.error(message, start, end, help="give one of the two another name")
