"""docs/catalogue.md says what the catalogue derives to."""

from __future__ import annotations

import pytest

from scripts.make_catalogue_page import PAGE, entries, rows


@pytest.mark.slow
def test_the_page_of_the_catalogue_is_not_stale():
    text = PAGE.read_text(encoding="utf-8")
    missing = [row for e in entries() for row in rows(e) if row not in text or f"| {e.name} |" not in text]
    assert not missing, "run scripts/make_catalogue_page.py"
