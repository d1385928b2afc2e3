"""Losses written in one line, without names: the closed forms are those of the textbook, as with names.

What the textbook names (sigmoid, softmax, norms) is restored; a name is made only where it shortens the form.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from symgrad.algebra.show import show
from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_mapping
from symgrad.report.notation import notation_of

LOSSES = YAML(typ="safe").load(Path(__file__).with_name("one_liners.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", LOSSES)
def test_a_one_liner_has_the_gradient_that_the_textbook_prints(name: str) -> None:
    case = LOSSES[name]
    formula = read_mapping({"name": "one_liner", **{k: v for k, v in case.items() if k != "closed"}})
    d = derive_formula(formula)
    names = notation_of(d.program, index_names=formula.index_names).names
    found = {}
    for g in d.gradients:
        made = [f"{w.name} = {show(w.body, names)}" for w in g.where if w.introduced]
        found[g.input] = "; ".join([show(g.closed, names), *made])
    assert found == case["closed"]
