"""YAML 1.2 -> a tree of texts with places. Nothing but mappings, lists and scalars: no tags, anchors, aliases.

The tree is built from the parser's events with a stack, so that no depth of nesting reaches Python's own limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symgrad.errors import FormulaError, UnsupportedError
from symgrad.formula.arrays.alignment import align
from symgrad.formula.source import Source, Text

if TYPE_CHECKING:
    from ruamel.yaml.events import Event

LARGEST_FILE = 1 << 20
DEEPEST = 8
"""The keys of a formula nest three deep."""

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_UNPRINTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|\r(?!\n)")


@dataclass
class Node:
    """A value of the file."""

    text: Text

    def error(self, message: str, help: str = "", note: str = "") -> FormulaError:
        """An error at this value."""
        return self.text.error(message, help=help, note=note)


@dataclass
class Scalar(Node):
    """A text; `kind` says whether YAML reads it as text, null or bool. Numbers are text here."""

    kind: str = "text"

    @property
    def value(self) -> str:
        """The characters."""
        return self.text.value


@dataclass
class Mapping(Node):
    """Keys and values in order; no key twice."""

    items: list[tuple[Scalar, Node]] = field(default_factory=list)
    flow: bool = False

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return next((v for k, v in self.items if k.value == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, for its place."""
        return next((k for k, _ in self.items if k.value == key), None)


@dataclass
class Listing(Node):
    """Items in order."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False


def decode(data: bytes, file: str) -> Source:
    """The text of the bytes of a file: UTF-8, at most 1 MiB, no control characters."""
    if len(data) > LARGEST_FILE:
        message = f"the file is too large: {len(data) / (1 << 20):.1f} MiB, the limit is {LARGEST_FILE >> 20} MiB"
        raise UnsupportedError(message, Source(file, "").where(0))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        before = Source(file, data[: e.start].decode("utf-8", "replace").replace("\r\n", "\n").removeprefix("\ufeff"))
        place = before.where(len(before.text))
        message = f"the file is not UTF-8 text: byte 0x{data[e.start]:02x} does not belong there"
        raise FormulaError(message, place, "save the file with the encoding UTF-8") from None
    return clean(text, file)


def clean(text: str, file: str) -> Source:
    """The text with line feeds as line ends; control characters are refused."""
    found = _CONTROL.search(text)
    source = Source(file, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if found:
        where = _CONTROL.search(source.text)
        at = where.start() if where else 0
        raise source.error(f"control character U+{ord(found.group()):04X} in the file", at, help="remove it")
    if len(text) > LARGEST_FILE:
        raise UnsupportedError("the text is too large: the limit is 1 MiB", source.where(0))
    return source


def read_document(source: Source) -> Mapping:
    """The tree of the one document of a file; its top level is a mapping."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    from symgrad.formula.mistakes import explain_yaml

    try:
        root = _compose(source)
    except MarkedYAMLError as e:
        raise explain_yaml(source, e) from None
    except (
        YAMLError,
        ValueError,
        RecursionError,
        IndexError,
        AttributeError,
        KeyError,
        TypeError,
        AssertionError,
    ) as e:
        # ruamel's scanner leaves some malformed texts to Python's own exceptions
        raise source.error(f"not valid YAML ({type(e).__name__})", 0) from None
    if root is None or (isinstance(root, Scalar) and root.kind == "null"):
        raise source.error("the formula is empty", 0, help="it needs name, inputs, and loss or output")
    if not isinstance(root, Mapping):
        what = "a list" if isinstance(root, Listing) else "text"
        raise root.error(
            f"expected a mapping of keys (name, inputs, loss), not {what}", "write `name: ...` in the first line"
        )
    return root


def _events(source: Source) -> Iterator[Event]:
    from ruamel.yaml import YAML

    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(source.text)
    return events


def _compose(source: Source) -> Node | None:
    builder = _Builder(source)
    for event in _events(source):
        builder.take(event)
    return builder.root


class _Builder:
    """Events -> nodes, with an explicit stack of open collections and keys that wait for their value."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.open: list[tuple[Mapping | Listing, Scalar | None]] = []
        self.documents = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise self.source.error(
                    "a second document begins here (---); a file holds one formula",
                    start,
                    end,
                    help="put it into a file of its own",
                )
        elif kind == "AliasEvent":
            raise self.source.error(
                f"aliases (*{event.anchor}) are not read",
                start,
                end,
                help="write the value out; text that begins with * needs quotes",
            )
        elif kind == "ScalarEvent":
            self.refuse_marks(event, start)
            self.add(self.scalar(event, start, end))
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.begin(event, kind, start, end)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.finish(end)

    def refuse_marks(self, event: Any, start: int) -> None:
        if event.anchor is not None:
            key = self.open[-1][1] if self.open else None
            of = f"{key.value}: " if key else ""
            raise self.source.error(
                f"{of}anchors (&{event.anchor}) are not read",
                start,
                start + 1,
                help="write the value out; text that begins with & needs quotes",
            )
        tag = event.tag
        if tag is not None and not (tag == "!" and getattr(event, "style", None)):
            raise self.source.error(
                f"tags ({tag}) are not read",
                start,
                start + 1,
                help="a formula is plain text; text that begins with ! needs quotes",
            )

    def scalar(self, event: Any, start: int, end: int) -> Scalar:
        value, style, source = str(event.value), event.style, self.source
        kind = "text"
        if not style and _NULL.fullmatch(value):
            kind = "null"
        elif not style and _BOOL.fullmatch(value):
            kind = "bool"
        text = Text(source, value, start, end, lambda: align(source.text, value, start, end, style))
        found = _UNPRINTED.search(value)
        if found:
            at = found.start()
            raise text.error(f"control character U+{ord(found.group()):04X} in a text", at, at + 1, help="remove it")
        return Scalar(text, kind)

    def begin(self, event: Any, kind: str, start: int, end: int) -> None:
        self.refuse_marks(event, start)
        if len(self.open) >= DEEPEST:
            raise UnsupportedError(
                f"nested more than {DEEPEST} deep: the limit of a formula file",
                self.source.where(start),
                "a formula nests its keys three deep",
            )
        text = Text(
            self.source,
            self.source.text[start:end] or " ",
            start,
            max(end, start + 1),
            lambda: range(start, max(end, start + 1)),
        )
        node: Mapping | Listing = Mapping(text) if kind[0] == "M" else Listing(text)
        node.flow = bool(event.flow_style)
        self.add(node)
        self.open.append((node, None))

    def finish(self, end: int) -> None:
        node, _ = self.open.pop()
        node.text = Text(self.source, node.text.value, node.text.start, end, node.text.locate)

    def add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent, key = self.open[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
        elif key is None:
            self.open[-1] = (parent, self.key(parent, node))
        else:
            if isinstance(node, Scalar) and not node.value and node.text.start == node.text.end:
                node.text = Text(self.source, "", key.text.start, key.text.end)  # what is missing stands nowhere
            parent.items.append((key, node))
            self.open[-1] = (parent, None)

    def key(self, parent: Mapping, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise node.error("a key is text", "text that begins with [ or { needs quotes")
        before = parent.key(node.value)
        if node.value == "<<":
            raise node.error("merge keys (<<) are not read", "write the keys out")
        if before is not None:
            line = before.text.where().line
            raise node.error(f"{node.value} is given twice, first in line {line}", "remove one of the two")
        return node
