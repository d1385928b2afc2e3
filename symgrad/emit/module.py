"""One generated module: its functions, the names and helpers that they use, its imports."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping, Sequence

from symgrad.algebra.build import add
from symgrad.algebra.terms import num
from symgrad.closing.derivation import Derivation
from symgrad.closing.second.order import statements_of
from symgrad.emit.dialect import Dialect
from symgrad.emit.expressions import Printer
from symgrad.emit.layout import lay_out
from symgrad.emit.naming import Namespace
from symgrad.emit.shapes import Sources
from symgrad.lower.arrays import Assign, Item, Loop, Stored
from symgrad.lower.scope import Names

IMPORTS = {
    "builtins": "import builtins",
    "math": "import math",
    "target np": "import numpy as {name}",
    "target torch": "import torch",
    "scipy.special": "from scipy import special",
    "functools": "import functools",
    "NamedTuple": "from typing import NamedTuple",
}
PLAIN = {
    "builtins": "builtins",
    "math": "math",
    "target np": "np",
    "target torch": "torch",
    "scipy.special": "special",
    "functools": "functools",
}
PLAIN |= {"NamedTuple": "NamedTuple"}
ORDER = tuple(IMPORTS)
STANDARD = ("builtins", "math", "functools", "NamedTuple")
OWN = "\x01"
"""Stands before a call of the formula's own function, until the module is written."""


class Module:
    """Collects the text of a module. Names of the formula are kept; `np`, `math` and others give way to them."""

    def __init__(self, kept: Sequence[str], target: str, dialect: Dialect, helpers: Mapping[str, str]) -> None:
        self.names = Namespace(kept)
        self.target, self.dialect, self.helpers = target, dialect, helpers
        self.used_helpers: dict[str, None] = {}
        self.imported: dict[str, str] = {}
        self.blocks: list[str] = []

    def reserve(self, d: Derivation) -> None:
        """Identifiers for every name of the derivation, so that no part of a function ever takes one."""
        for s in (*d.forward, *d.backward, *d.tangent, *statements_of(d.second)):
            self.names.bind(s.name)
        for name in (*d.cotangents.values(), *d.tangent_of.values()):
            self.names.bind(name)

    def module(self, name: str) -> str:
        """The alias of an imported module or name."""
        key = f"target {self.target}" if name == "target" else name
        if key not in self.imported:
            self.imported[key] = self.names.fresh(PLAIN[key])
        return self.imported[key]

    def helper(self, name: str) -> str:
        """A helper function, with those that it uses."""
        if name not in self.used_helpers:
            self.used_helpers[name] = None
            for other in re.findall(r"\b_[a-z_]+(?=\()", self.helpers[name]):
                if other in self.helpers:
                    self.helper(other)
            for key, word in PLAIN.items():
                if key != f"target {self.target}" and re.search(rf"\b{word}\.", self.helpers[name]):
                    self.module(key)
            self.module("target")
        return name

    def parts(self) -> Names:
        """Names for parts of one function: no identifier of the module, no name of the derivation, live or not."""
        return Names(self.names.taken | set(self.names.names))

    def source(self, docstring: str) -> str:
        """The whole module."""
        helpers = [self._aliased(self.helpers[n]).strip() for n in self.helpers if n in self.used_helpers]
        blocks = [self._unshadowed(text) for text in (*self.blocks, *helpers)]
        first = [k for k in ORDER if k in self.imported and k in STANDARD]
        third = [k for k in ORDER if k in self.imported and k not in first]
        groups = [
            self._imports(g) for g in (sorted(first, key=self._import_key), sorted(third, key=self._import_key)) if g
        ]
        head = "\n\n".join([docstring, *groups])
        return "\n\n\n".join([head, *blocks]) + "\n"

    def _unshadowed(self, text: str) -> str:
        """Calls of a builtin whose name the formula has, through `builtins`; OWN marks calls of the formula's own."""
        shadowed = [n for n in sorted(self.names.taken) if hasattr(builtins, n)]
        if shadowed:
            call = rf"(?<![\w.{OWN}])(?<!def )(?<!class )({'|'.join(shadowed)})(?=\()"
            pieces = re.split(r'(""".*?"""|"[^"\n]*")', text, flags=re.DOTALL)
            for k in range(0, len(pieces), 2):
                if re.search(call, pieces[k]):
                    pieces[k] = re.sub(call, rf"{self.module('builtins')}.\1", pieces[k])
            text = "".join(pieces)
        return text.replace(OWN, "")

    @staticmethod
    def _import_key(key: str) -> tuple[bool, str]:
        return IMPORTS[key].startswith("from"), IMPORTS[key]

    def _imports(self, keys: Sequence[str]) -> str:
        lines = []
        for key in keys:
            line, alias = IMPORTS[key].format(name=self.imported[key]), self.imported[key]
            plain = "{name}" in IMPORTS[key] or alias == PLAIN[key]
            lines.append(line if plain else f"{line} as {alias}")
        return "\n".join(lines)

    def _aliased(self, text: str) -> str:
        for key, word in PLAIN.items():
            if self.imported.get(key, word) != word:
                text = re.sub(rf"\b{word}\.", f"{self.imported[key]}.", text)
        return text


class Body:
    """The statements of one function: arrays, and in front of them the dimensions that they use."""

    def __init__(self, module: Module, sources: Sources, like: str) -> None:
        self.module, self.sources = module, sources
        self.dims: dict[str, None] = {}
        self.parameters: dict[str, None] = {}
        self.lines: list[str] = []
        self.names = Lookup(module.names)
        self.printer = Printer(module.dialect, self.names, self.note, like)

    def note(self, request: str) -> str:
        """Answers what an expression asks for: a dimension, a module or a helper."""
        kind, _, name = request.partition(" ")
        if kind == "dim":
            self.dims[name] = None
            return self.sources.variable(name)
        if kind == "parameter":
            self.parameters[name] = None
            return self.names[name]
        return self.module.helper(name) if kind == "helper" else self.module.module(name)

    def assign(self, program: Sequence[Item]) -> None:
        """The array program as assignments and loops."""
        for a in program:
            if isinstance(a, Loop):
                self.loop(a)
            else:
                self.lines.append(self.line(a))

    def line(self, a: Assign) -> str:
        """One assignment."""
        if a.kind == "part":
            self.names[a.name] = a.name
        if isinstance(a.expr, Stored):
            place = self.printer.place(self.names[a.name], a.expr)
            return f"{place} = {self.printer.text(a.expr.operand)}"
        text = self.printer.text(a.expr)
        return f"{self.names[a.name]} = {text}"

    def loop(self, loop: Loop) -> None:
        """A recurrence: arrays to fill, the first step, then a `for`."""
        dialect, printer = self.module.dialect, self.printer
        count = printer.scalars.text(loop.count)
        for m in loop.made:
            self.lines.append(f"{self.names[m.name]} = {dialect.unmade(printer, m, count)}")
        self.lines += [self.line(a) for a in loop.first]
        self.names[loop.counter] = loop.counter
        others = f"{printer.scalars.text(add(loop.count, num(-2)))}, -1, -1" if loop.backward else f"1, {count}"
        self.lines.append(f"for {loop.counter} in range({others}):")
        self.lines += [f"    {self.line(a)}" for a in loop.steps]
        for m in loop.made:
            self.lines += dialect.joined(printer, self.names[m.name], m)

    def prelude(self) -> list[str]:
        """Assignments of the dimensions that the statements use."""
        return self.sources.lines(list(self.dims))


class Lookup(dict[str, str]):
    """Identifiers of one function: parts are local, tensors and parameters are those of the module."""

    def __init__(self, names: Namespace) -> None:
        super().__init__()
        self.names = names

    def __missing__(self, key: str) -> str:
        return self.names.bind(key)


def function(head: str, docstring: str, lines: Sequence[str], decorator: str = "", depth: int = 0) -> str:
    """A function definition, its lines broken as ruff does."""
    out = [f"{'    ' * depth}@{decorator}"] if decorator else []
    out += lay_out(head, depth)
    if docstring:
        out += [("    " * (depth + 1) + line).rstrip() for line in docstring.split("\n")]
    for line in lines:
        stripped = line.lstrip(" ")
        more = (len(line) - len(stripped)) // 4
        out += lay_out(stripped, depth + 1 + more) if stripped else [""]
    return "\n".join(out)
