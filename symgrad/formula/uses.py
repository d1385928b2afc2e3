"""`use`: which formulas a file calls, found in the catalogue or beside the file, and read once each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from symgrad.errors import FormulaError, UnsupportedError, UsageError, nearest
from symgrad.formula.declarations import words
from symgrad.formula.document import Listing, Mapping, Node, Scalar
from symgrad.formula.names import identifier
from symgrad.formula.program import Formula
from symgrad.formula.source import Text
from symgrad.formula.vocabulary import LANGUAGE

DEEPEST = 16
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Library:
    """Reads used formulas. `chain`: the files that are being read, each used by the one before."""

    read: Callable[[str, Library], Formula]
    chain: tuple[str, ...] = ()
    known: dict[str, Formula] = field(default_factory=dict)

    def inside(self, file: str) -> Library:
        """The library for the formulas that a file uses."""
        return replace(self, chain=(*self.chain, os.path.realpath(file)))

    def formula(self, path: str, text: Text) -> Formula:
        """The formula of a file; `text` is where it is named."""
        real = os.path.realpath(path)
        if real in self.chain:
            names = [os.path.basename(p) for p in (*self.chain[self.chain.index(real) :], real)]
            raise text.error(f"formulas use each other in a circle: {' uses '.join(names)}")
        if len(self.chain) > DEEPEST:
            raise text.error(f"formulas use each other more than {DEEPEST} deep", kind=UnsupportedError)
        if real not in self.known:
            try:
                self.known[real] = self.read(path, self)
            except UsageError as e:
                raise text.error(str(e), help="a path is relative to the file that uses it") from None
        return self.known[real]


def read_uses(root: Mapping, file: str, library: Library) -> dict[str, Formula]:
    """Alias -> formula, for a list of catalogue names or `alias: name or relative path`."""
    node, key = root.get("use"), root.key("use")
    if node is None or key is None:
        return {}
    inner = library.inside(file)
    found: dict[str, Formula] = {}
    for alias, reference in _entries(node, key):
        if alias.value in LANGUAGE and alias is reference:
            message = f"{alias.value} is a function of the language: it needs no use"
            raise alias.error(
                message, help=f"for the formula of the catalogue an alias, `my_{alias.value}: {alias.value}`"
            )
        name = identifier(alias, "the name of a used formula")
        if name in found:
            raise alias.error(f"{name} is used twice", help="give one of them another name: `alias: name`")
        found[name] = inner.formula(_path(reference, file), reference)
    return found


def _entries(node: Node, key: Scalar) -> list[tuple[Text, Text]]:
    if isinstance(node, Mapping):
        return [(k.text, words(v, f"use: {k.value}")) for k, v in node.items]
    if isinstance(node, Listing):
        texts = [words(item, "use") for item in node.items]
        return [(text, text) for text in texts]
    raise key.error("use is a list of catalogue names, or `alias: name or relative path`", help="use: [linear, conv2d]")


def _path(text: Text, file: str) -> str:
    shown = text.value.strip()
    if shown.endswith((".yaml", ".yml")):
        if os.path.isabs(shown):
            raise text.error("the path of a used formula is relative to the file that uses it")
        return os.path.join(os.path.dirname(file), shown)
    from symgrad.catalogue import paths

    if _NAME.fullmatch(shown) and shown in paths():
        return str(paths()[shown])
    raise _unknown(text, shown, list(paths()))


def _unknown(text: Text, shown: str, known: list[str]) -> FormulaError:
    name = shown.partition("(")[0].strip()
    close = name if name in known else nearest(name, known)
    if "(" in shown:
        mend = f"write use: [{close or name}], and call it under let"
        wrong = f", and there is no formula {name} in the catalogue" if name not in known else ""
        return text.error(f"use names formulas, and {shown} is a call{wrong}", help=mend)
    mend = (
        f"did you mean {close}?"
        if close
        else "`symgrad list` shows the catalogue; a file needs its ending, ./mine.yaml"
    )
    return text.error(f"no formula {name} in the catalogue", help=mend)
