"""One formula in another dress: terms and factors in another order, other names."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ruamel.yaml import YAML

from symgrad.formula.vocabulary import LANGUAGE

Document = dict[str, Any]
LEFT = ("let", "output")
WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
DOMAINS = frozenset(
    "real positive nonnegative unit_interval interval greater_than integer boolean simplex one_hot sphere symmetric "
    "positive_definite lower_triangular orthogonal".split()
)
KEPT = LANGUAGE | DOMAINS | {"ties", "first", "axis", "T", "and", "or", "not"}
LETTERS = "bcdfghjklmnpqrstvwxyz"


@dataclass(frozen=True)
class Disguised:
    """A formula as a mapping, and what its names were called before."""

    document: Document
    before: Mapping[str, str]


def load(text: str) -> Document:
    """A formula as plain values, without what a derivation does not need."""
    document = {str(k): v for k, v in YAML(typ="safe", pure=True).load(text).items()}
    return {k: v for k, v in document.items() if k not in ("expect", "reference", "summary")}


def shuffled(document: Document, seed: int) -> Disguised:
    """Summands, factors and sides of comparisons in another order; inputs and names stand where they stood."""
    rng = Random(seed)

    def turn(value: Any) -> Any:
        return ast.unparse(_Shuffle(rng).visit(ast.parse(str(value), mode="eval")))

    new = {k: {name: turn(v) for name, v in document[k].items()} for k in LEFT if k in document}
    new |= {"loss": turn(document["loss"])} if "loss" in document else {}
    return Disguised({**document, **new}, {})


class _Shuffle(ast.NodeTransformer):
    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if not isinstance(node.op, ast.Add | ast.Mult):
            return self.generic_visit(node)
        parts = self.parts(node, type(node.op))
        parts = [self.visit(p) for p in parts]
        self.rng.shuffle(parts)
        out = parts[0]
        for p in parts[1:]:
            out = ast.BinOp(out, node.op, p)
        return out

    def parts(self, node: ast.expr, op: type[ast.operator]) -> list[ast.expr]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, op):
            return [*self.parts(node.left, op), *self.parts(node.right, op)]
        return [node]

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        turned = {
            ast.Lt: ast.Gt,
            ast.Gt: ast.Lt,
            ast.LtE: ast.GtE,
            ast.GtE: ast.LtE,
            ast.Eq: ast.Eq,
            ast.NotEq: ast.NotEq,
        }
        if len(node.ops) == 1 and self.rng.random() < 0.5:
            return ast.Compare(node.comparators[0], [turned[type(node.ops[0])]()], [node.left])
        return node


def renamed(document: Document, seed: int, length: int = 2) -> Disguised:
    """Every name of an input, a parameter, a dimension, a `let`, an output and an index is another one."""
    words: dict[str, None] = {}
    _mapped(document, lambda text: words.update(dict.fromkeys(w for w in WORD.findall(text) if w not in KEPT)) or text)
    rng, taken = Random(seed), set(words) | KEPT
    after: dict[str, str] = {}
    for w in words:
        size = length or max(len(w), 2)
        while (new := "".join(rng.choice(LETTERS) for _ in range(size))) in taken or new in (
            "if",
            "is",
            "as",
            "in",
            "np",
        ):
            pass
        after[w] = new
        taken.add(new)
    return dressed(document, after)


def dressed(document: Document, after: Mapping[str, str]) -> Disguised:
    """The formula with these names for its own."""
    new = _mapped(document, lambda text: WORD.sub(lambda m: after.get(m.group(), m.group()), text))
    return Disguised(new, {v: k for k, v in after.items()})


def _mapped(document: Document, on: Callable[[str], str]) -> Document:
    """The document with a function on all text in which names of the formula stand."""
    out: Document = {"name": document["name"]}
    for key, value in document.items():
        if key in ("inputs", "parameters"):
            out[key] = {on(str(k)): _declared(v, on) for k, v in value.items()}
        elif isinstance(value, dict):
            out[key] = {on(str(k)): on(str(v)) for k, v in value.items()}
        elif isinstance(value, list):
            out[key] = [on(str(v)) for v in value]
        elif key != "name":
            out[key] = on(str(value))
    return out


def _declared(value: Any, on: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [on(str(v)) for v in value]
    if isinstance(value, dict):
        shape = {"shape": [on(str(v)) for v in value["shape"]]} if "shape" in value else {}
        domain = {"domain": on(str(value["domain"]))} if "domain" in value else {}
        return {k: v for k, v in value.items() if k != "summary"} | shape | domain
    return value
