"""The closed form does not depend on the order of terms, nor on names: formulas in another dress.

`python -m tests.fuzz.invariance FILES` shows more of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.disguise import inlined, load, renamed, shuffled
from tests.fuzz.invariance import LONGER, SLACK, derived, different, grown, plainly_named, written_out
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


WITH_LETS = [ROOT / "formulas" / f"{name}.yaml" for name in (
    "losses/focal_binary", "losses/triplet_margin", "losses/dice", "losses/info_nce", "losses/tversky",
    "layers/layer_norm", "layers/swiglu", "layers/cosine_similarity",
)]  # fmt: skip
OF_PARTS = [ROOT / "formulas" / f"{name}.yaml" for name in ("networks/mlp", "layers/rnn", "layers/moving_average")]


@pytest.mark.parametrize("file", WITH_LETS, ids=lambda f: f.stem)
def test_a_formula_without_one_of_its_names_has_a_closed_form_as_short_and_of_the_same_value(file):
    document = load(file.read_text(encoding="utf-8"))
    d = derived(document)
    dresses = list(written_out(document))
    assert dresses
    for head, dress in dresses:
        for name, before, after, equal in grown(d, derived(dress.document)):
            assert equal, (head, name)
            assert after <= LONGER * before + SLACK, (head, name, before, after)


@pytest.mark.parametrize("file", OF_PARTS, ids=lambda f: f.stem)
def test_a_formula_of_parts_or_steps_has_the_same_closed_form_renamed_and_shuffled(file):
    document = plainly_named(load(file.read_text(encoding="utf-8")))
    d = derived(document)
    assert different(d, renamed(document, 3)) == []
    assert different(d, shuffled(document, 3)) == []


def test_a_let_is_written_out_without_capture():
    document = load("{name: f, inputs: {x: [n, n]}, let: {'s[i]': 'Sum(x[i, k], k)'}, loss: 'Sum(s[k]*x[k, 0], k)'}")
    dress = inlined(document, "s")
    assert dress.document["loss"] == "Sum(Sum(x[k, k_1], k_1) * x[k, 0], k)"
    softmax = load("{name: f, inputs: {x: [n, n]}, let: {'p[i, j]': 'softmax(x[i, j], j)'}, loss: 'log(p[i, i])'}")
    assert inlined(softmax, "p") is None
