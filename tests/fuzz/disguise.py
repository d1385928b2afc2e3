"""One formula in another dress: terms and factors in another order, other names."""

from __future__ import annotations

import ast
import copy
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
KEYWORD = re.compile(r"[(,]\s*(\w+)\s*=(?!=)")
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
    if "scan" in document:
        new["scan"] = {k: _steps(v, turn) for k, v in document["scan"].items()}
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
    kept = KEPT | _of_used_formulas(document)
    _mapped(document, lambda text: words.update(dict.fromkeys(w for w in WORD.findall(text) if w not in kept)) or text)
    rng, taken = Random(seed), set(words) | kept
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


def _of_used_formulas(document: Document) -> frozenset[str]:
    """The names of formulas that are used, and of their parameters in calls."""
    used = document.get("use", ())
    texts = [str(v) for key in (*LEFT, "loss") for v in _values(document.get(key, ""))]
    return frozenset((*used, *(map(str, used.values()) if isinstance(used, dict) else ()))) | {
        w for t in texts for w in KEYWORD.findall(t) if used
    }


def _steps(value: Any, on: Callable[[str], str]) -> Any:
    """A recurrence: its first and next value, or one text."""
    return {k: on(str(v)) for k, v in value.items()} if isinstance(value, dict) else on(str(value))


def _values(block: Any) -> list[Any]:
    return list(block.values()) if isinstance(block, dict) else [block]


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
        elif key == "scan":
            out[key] = {on(str(k)): _steps(v, on) for k, v in value.items()}
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


def inlined(document: Document, name: str) -> Disguised | None:
    """The formula with one `let`, in index notation, written out wherever it is read; None where it is no such one."""
    head = next((k for k in document["let"] if k.partition("[")[0] == name), "")
    if "[" not in head or "use" in document or "ranges" in document:
        return None
    left = ast.parse(head, mode="eval").body
    body = ast.parse(str(document["let"][head]), mode="eval").body
    assert isinstance(left, ast.Subscript)
    new: Document = {**document, "let": {k: v for k, v in document["let"].items() if k != head}}
    writer = _WriteOut(name, _subscripts(left), body, _own_names(document))

    def through(text: Any) -> str:
        return ast.unparse(writer.visit(ast.parse(str(text), mode="eval")))

    for key in LEFT:
        if key in new:
            new[key] = {k: through(v) for k, v in new[key].items()}
    if "loss" in new:
        new["loss"] = through(new["loss"])
    if not new["let"]:
        del new["let"]
    return Disguised(new, {}) if writer.done and not writer.captured else None


def _subscripts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def _own_names(document: Document) -> frozenset[str]:
    """Names that are no bound indices: inputs, parameters, sizes, statements."""
    heads = [k.partition("[")[0] for key in LEFT for k in document.get(key, {})]
    shapes = [v.get("shape", []) if isinstance(v, dict) else v for v in document["inputs"].values()]
    sizes = [w for shape in shapes for e in shape for w in WORD.findall(str(e))]
    return frozenset([*document["inputs"], *document.get("parameters", {}), *heads, *sizes]) | KEPT


class _WriteOut(ast.NodeTransformer):
    def __init__(self, name: str, left: list[ast.expr], body: ast.expr, own: frozenset[str]) -> None:
        self.name, self.left, self.body, self.own = name, left, body, own
        self.done = 0
        self.captured = False
        """Whether softmax(x[i, j], j) is read at an index that is not called j: its index is free and bound at once."""
        self.softmax = any(isinstance(n, ast.Name) and n.id in ("softmax", "log_softmax") for n in ast.walk(body))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.value, ast.Name) or node.value.id != self.name:
            return node
        self.done += 1
        same = list(map(ast.dump, self.left)) == list(map(ast.dump, _subscripts(node)))
        self.captured = self.captured or (self.softmax and not same)
        values = dict(zip(map(ast.dump, self.left), _subscripts(node), strict=True))
        return _Bind(values, self.own, f"_{self.done}").visit(copy.deepcopy(self.body))


class _Bind(ast.NodeTransformer):
    """Indices of the left side become the subscripts, those that the body binds get names of their own."""

    def __init__(self, values: Mapping[str, ast.expr], own: frozenset[str], mark: str) -> None:
        self.values, self.own, self.mark = values, own, mark

    def visit_Name(self, node: ast.Name) -> ast.AST:
        found = self.values.get(ast.dump(node))
        if found is not None:
            return copy.deepcopy(found)
        return node if node.id in self.own else ast.Name(f"{node.id}{self.mark}", ast.Load())
