"""Names of generated code: the formula's names stay, everything else gives way."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable


def identifier(name: str) -> str:
    """A Python identifier for a name of the derivation."""
    text = re.sub(r"\W", "_", name)
    return f"{text}_" if keyword.iskeyword(text) or not text.isidentifier() else text


def camel(name: str) -> str:
    """softmax_cross_entropy -> SoftmaxCrossEntropy."""
    return "".join(part.capitalize() for part in name.split("_")) or "Formula"


class Namespace:
    """Names of one module: `kept` are the formula's, arguments first; others are numbered where they collide."""

    def __init__(self, kept: Iterable[str]) -> None:
        self.names: dict[str, str] = {}
        self.taken: set[str] = set()
        for name in kept:
            self.names[name] = identifier(name)
            self.taken.add(self.names[name])

    def fresh(self, wish: str) -> str:
        """An identifier that no other name of the module has."""
        name = identifier(wish)
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def free(self, wish: str) -> str:
        """An identifier for a local name; other functions may use it too."""
        name = identifier(wish)
        while name in self.taken:
            name += "_"
        return name

    def bind(self, name: str) -> str:
        """The identifier of a name of the derivation, made on first use."""
        if name not in self.names:
            self.names[name] = self.fresh(name)
        return self.names[name]
