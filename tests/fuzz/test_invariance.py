"""The closed form does not depend on the order of terms, nor on names: formulas in another dress.

`python -m tests.fuzz.invariance FILES` shows more of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.disguise import load, renamed, shuffled
from tests.fuzz.invariance import derived, different
from tests.fuzz.programs import program

ROOT = Path(__file__).parents[2]
CATALOGUE = sorted((ROOT / "formulas").glob("losses/*.yaml"))[::2] + sorted(
    (ROOT / "formulas").glob("layers/[a-d]*.yaml")
)


@pytest.mark.parametrize("file", CATALOGUE, ids=lambda f: f.stem)
def test_a_shuffled_formula_of_the_catalogue_has_the_same_closed_form(file):
    document = load(file.read_text(encoding="utf-8"))
    assert different(derived(document), shuffled(document, 3)) == []


@pytest.mark.parametrize("file", CATALOGUE, ids=lambda f: f.stem)
def test_a_renamed_formula_of_the_catalogue_has_the_same_closed_form(file):
    document = load(file.read_text(encoding="utf-8"))
    assert different(derived(document), renamed(document, 3)) == []


@pytest.mark.parametrize("seed", range(12))
def test_a_shuffled_random_formula_has_the_same_closed_form(seed):
    document = load(program(seed, depth=2))
    assert different(derived(document), shuffled(document, seed)) == []
