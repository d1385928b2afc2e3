"""The catalogue with other names and shuffled summands and factors: the same closed forms, up to the names."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula import vocabulary
from symgrad.formula.reader import read_mapping
from symgrad.report.notation import notation_of

ROOT = Path(__file__).parents[2] / "formulas"
FORMULAS = sorted(
    str(p.relative_to(ROOT).with_suffix(""))
    for kind in ("losses", "activations")
    for p in (ROOT / kind).glob("*.yaml")
    if "\nscan:" not in p.read_text(encoding="utf-8")  # the keys of an entry are no names
)
WORD = re.compile(r"[A-Za-z_]\w*")
KEPT = {"shape", "domain", "dtype", "given", "outside", "value", "int", "bool", "real"} | {
    *"boolean simplex one_hot unit_interval positive nonnegative interval integer greater_than ties first axis".split()
}


@cache
def document(name: str) -> Any:
    text = YAML(typ="safe").load((ROOT / f"{name}.yaml").read_text(encoding="utf-8"))
    return {k: v for k, v in text.items() if k not in ("summary", "reference", "expect")}


def names_in(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        return set().union(*(names_in(k) | names_in(v) for k, v in tree.items() if k != "summary"))
    if isinstance(tree, list):
        return set().union(*map(names_in, tree)) if tree else set()
    return set(WORD.findall(tree)) if isinstance(tree, str) else set()


def new_names(name: str) -> dict[str, str]:
    """Every name of the formula -> one that sorts the other way round."""
    body = {k: v for k, v in document(name).items() if k != "name"}
    keys = {"inputs", "parameters", "ranges", "let", "loss", "output"}
    known = KEPT | keys | set(vocabulary.FUNCTIONS) | set(vocabulary.REDUCTIONS)
    own = sorted(w for w in names_in(body) if w not in known and w not in WORDS)
    return {w: f"v{len(own) - k:02d}" for k, w in enumerate(own)}


WORDS = frozenset("And Or Not Piecewise True False pi E oo where Sum Product mean var".split())


def renamed(tree: Any, names: dict[str, str]) -> Any:
    if isinstance(tree, dict):
        return {
            (k if k in KEPT else renamed(k, names)): (v if k == "summary" else renamed(v, names))
            for k, v in tree.items()
        }
    if isinstance(tree, list):
        return [renamed(x, names) for x in tree]
    return WORD.sub(lambda m: names.get(m.group(), m.group()), tree) if isinstance(tree, str) else tree


class _Shuffled(ast.NodeTransformer):
    """a + b as b + a, a*b as b*a, a - b as -b + a."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Mult):
            return ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Sub):
            return ast.BinOp(ast.UnaryOp(ast.USub(), node.right), ast.Add(), node.left)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return node


def shuffled(text: str) -> str:
    return ast.unparse(_Shuffled().visit(ast.parse(text.strip(), mode="eval")))


def variant(name: str) -> dict[str, Any]:
    tree, names = document(name), new_names(name)
    new = {k: renamed(v, names) for k, v in tree.items() if k not in ("name", "let", "loss", "output")}
    new["name"] = "renamed"
    for part in ("let", "output"):
        if part in tree:
            new[part] = {renamed(k, names): shuffled(renamed(v, names)) for k, v in tree[part].items()}
    if "loss" in tree:
        new["loss"] = shuffled(renamed(tree["loss"], names))
    return new


def texts(d: Derivation) -> dict[str, tuple[str, dict[str, str]]]:
    names = notation_of(d.program, index_names=d.formula.index_names).names
    return {
        g.input: (show(g.closed, names), {w.name: show(w.body, names) for w in g.where if w.introduced})
        for g in d.gradients
    }


def letters(text: str, names: dict[str, str], indices: set[str]) -> list[str]:
    """The characters of a text in the old names, in no order, indices left out: order and bound indices may differ."""
    old = {v: k for k, v in names.items()} | {f"d{v}": f"d{k}" for k, v in names.items()}
    words = WORD.sub(lambda m: old.get(m.group(), m.group()), text)
    return sorted(re.sub(r"\b[a-z]\b", lambda m: "" if m.group() in indices else m.group(), words).replace(" ", ""))


def index_letters(name: str) -> set[str]:
    """Letters that stand for no tensor, parameter or dimension of the formula."""
    program = read_mapping(document(name)).program
    taken = {i.name for i in program.inputs} | {p.name for p in program.parameters}
    taken |= {s.name for s in program.statements} | {str(d.data) for i in program.inputs for d in i.shape}
    return set("abcdefghijklmnopqrstuvwxyz") - taken


@pytest.mark.parametrize("name", FORMULAS)
def test_names_and_order_make_no_difference(name: str) -> None:
    names = new_names(name)
    indices = index_letters(name)
    original = texts(derive_formula(read_mapping(document(name))))
    other = texts(derive_formula(read_mapping(variant(name))))
    for of, (closed, where) in original.items():
        got, introduced = other[names[of]]
        assert len(introduced) == len(where), (closed, got)
        assert letters(got, names, indices) == letters(closed, {}, indices), (closed, got)
