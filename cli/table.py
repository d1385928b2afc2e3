"""The table at the end of `derive FOLDER`: a line a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.errors import printable

_WIDEST = 44


def table(rows: Sequence[tuple[str, Any, int]]) -> str:
    """Lines of (label, document, exit code), and how many passed."""
    cells = [_cells(label, document, code) for label, document, code in rows]
    widths = [max([len(head), *(len(c[k]) for c in cells)]) for k, head in enumerate(_HEAD[:-1])]
    lines = [
        "  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in (_HEAD, *cells)
    ]
    good = sum(code == 0 for _, _, code in rows)
    return "\n".join([*lines, "", f"{good} of {len(rows)} derived" + _judged(rows)])


_HEAD = ("formula", "verdict", "derive", "gradient")


def _cells(label: str, document: Any, code: int) -> tuple[str, str, str, str]:
    if "error" in document:
        return printable(label.rpartition("/")[2]), "error", "", _cut(str(document["error"]["message"]))
    verdict = {True: "passed", False: "FAILED", None: "not judged"}[document["verdict"]["passed"]]
    return (
        str(document["name"]),
        verdict,
        f"{1000 * document['seconds']['derive']:.0f} ms",
        _gradient(document["gradients"]),
    )


def _gradient(gradients: Mapping[str, Any]) -> str:
    shown = [f"d{name} = {g['closed']}" for name, g in gradients.items()]
    return _cut(shown[0]) + (f"  and {len(shown) - 1} more" if len(shown) > 1 else "") if shown else ""


def _cut(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def _judged(rows: Sequence[tuple[str, Any, int]]) -> str:
    negative = sum(code == 1 for _, _, code in rows)
    return f", {negative} with a negative verdict" if negative else ""
