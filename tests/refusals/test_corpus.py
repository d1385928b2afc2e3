"""The corpus of bad inputs, read directly: the line that the error points to, and nothing but symgrad's own errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from symgrad.errors import FormulaError, SymgradError
from symgrad.formula.reader import read_bytes

FOLDER = Path(__file__).parents[3] / "shared" / "bad_inputs"
INDEX = YAML(typ="safe", pure=True).load((FOLDER / "index.yaml").read_text(encoding="utf-8")) if FOLDER.is_dir() else {}
FILES = sorted(key for key, case in INDEX.items() if "generate" not in case and "args" not in case)


def codes(case: dict[str, object]) -> list[int]:
    allowed = case["exit"]
    return allowed if isinstance(allowed, list) else [int(str(allowed))]


@pytest.mark.skipif(not FILES, reason="the corpus is not beside this checkout")
@pytest.mark.parametrize("key", FILES)
def test_a_bad_input_is_refused_at_its_line(key: str) -> None:
    expected = INDEX[key]["expect"]
    try:
        read_bytes((FOLDER / key).read_bytes(), key)
    except SymgradError as e:
        found = e
    else:
        assert {0, 1} & set(codes(expected)), "it was read"
        return
    assert found.code in codes(expected)
    assert isinstance(found, FormulaError)
    assert found.where is not None
    lines = expected.get("line", found.where.line)
    assert found.where.line in (lines if isinstance(lines, list) else [lines])
