"""Where a derivative does not exist, kernels and printed closed forms say what the installed torch says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from symgrad.validate.evaluate import Evaluation
from tests.oracles.held import Held, ask, error
from tests.oracles.kinks import ROWS, Row

pytest.importorskip("torch")
FAST = 3
"""Every so many rows the certificate of the row is asked for by default; the others are slow."""


def name_of(k: int) -> str:
    """The name of a row."""
    return ROWS[k].name


@cache
def derived(k: int) -> Held:
    """The formula of a row, derived once."""
    return Held(ROWS[k].formula)


def by_appearance(kink: tuple[str, str, str]) -> tuple[str, str, str]:
    """The kink with its indices numbered: what bound ones are called is not the table's business."""
    letters = dict.fromkeys(re.findall(r"\b[ijklmpu]\b", kink[0]))
    numbers = {letter: f"i{n}" for n, letter in enumerate(letters)}
    return re.sub(r"\b[ijklmpu]\b", lambda found: numbers[found.group()], kink[0]), *kink[1:]


def torchs(row: Row, held: Held) -> tuple[list[Any], Any]:
    """Cotangents, and torch's answers with them."""
    data = held.in_order(row.data)
    upstream = held.upstream(ask(row.torch, data, held.wrt, None).values)
    return upstream, ask(row.torch, data, held.wrt, upstream)


def test_the_table_has_sixty_rows_with_a_kink_and_some_without() -> None:
    assert sum(bool(r.kinks) for r in ROWS) >= 60
    assert sum(not r.kinks for r in ROWS) >= 10
    assert len({r.name for r in ROWS}) == len(ROWS)


@pytest.mark.parametrize("k", range(len(ROWS)), ids=name_of)
def test_kernels_and_closed_form_take_torchs_derivative(k: int) -> None:
    row, held = ROWS[k], derived(k)
    upstream, expected = torchs(row, held)
    for who in (held.numpy, held.torch):
        got = who(row.data, {}, upstream)
        for a, b in zip(got.values, expected.values, strict=True):
            assert error(np.reshape(a, np.shape(b)), b) <= row.tolerance, f"value by {who.__name__}"
        for name in held.wrt:
            assert error(got.gradients[name], expected.gradients[name]) <= row.tolerance, f"d{name} by {who.__name__}"
    forms = held.closed(row.data, {}, upstream)
    worst = max(error(forms[n], expected.gradients[n]) for n in held.wrt)
    assert (worst <= row.tolerance) == row.prints, f"printed closed form: {worst}"


@pytest.mark.parametrize("k", range(len(ROWS)), ids=name_of)
def test_every_kink_is_listed_with_its_convention_and_no_other(k: int) -> None:
    listed = derived(k).result.document()["kinks"]
    got = [(x["at"], x["of"], x["convention"]) for x in listed]
    assert sorted(map(by_appearance, got)) == sorted(map(by_appearance, ROWS[k].kinks)), got


@pytest.mark.parametrize("k", [k for k, r in enumerate(ROWS) if r.kinks], ids=name_of)
def test_the_points_of_a_row_lie_on_one_of_its_kinks(k: int) -> None:
    held = derived(k)
    work = Evaluation(held.program, ROWS[k].data, {}, strict=False)
    work.run(held.program.statements)
    gaps = [
        work.apply(lambda a, b: a - b, *(work.value(t, ()) for t in kink.at.args)).array
        for kink in held.result.derivation.kinks
    ]
    assert any(np.any(g == 0) for g in gaps)


@pytest.mark.parametrize(
    "k", [pytest.param(k, marks=[] if k % FAST == 0 else pytest.mark.slow) for k in range(len(ROWS))], ids=name_of
)
def test_the_judges_know_the_kinks_too(k: int) -> None:
    held = derived(k)
    certificate = held.result.validate()
    assert certificate.passed, certificate.failure
    kinds = {kind for j in certificate.judges for kind in j.to_json().get("kinds", {})}
    assert not ROWS[k].kinks or {"kink", "special"} & kinds, kinds
