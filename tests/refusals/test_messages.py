"""Each error of the reader with its exact message; messages.txt holds formulas and what is said of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("rewrite", Path(__file__).with_name("rewrite.py"))
assert _spec is not None
assert _spec.loader is not None
rewrite = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rewrite)
CASES = rewrite.cases()


@pytest.mark.parametrize(("title", "text", "message"), CASES, ids=[c[0] for c in CASES])
def test_a_wrong_formula_is_refused_with_its_place_and_how_to_mend_it(title: str, text: str, message: str) -> None:
    assert rewrite.answer(text) == message


def test_every_message_points_to_a_line_with_a_caret() -> None:
    for title, _, message in CASES:
        assert message.startswith(("exit 2\n", "exit 3\n")), title
        assert "--> f.yaml:" in message, title
        assert "^" in message, title


def test_titles_are_not_repeated() -> None:
    assert len({title for title, _, _ in CASES}) == len(CASES) > 120
