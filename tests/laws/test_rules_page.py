"""docs/rules.md is made from the records."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from symgrad.closing.rulebook import ALL

ROOT = Path(__file__).parents[2]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_rules_page", ROOT / "scripts" / "make_rules_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rules_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == generator().page(), "stale: run python scripts/make_rules_page.py"


def test_the_rules_page_has_every_rule_once() -> None:
    headings = [line[4:] for line in generator().page().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(r.name for r in ALL)
