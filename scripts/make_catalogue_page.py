"""Writes docs/catalogue.md: `python scripts/make_catalogue_page.py`. Needs torch; judges every formula: minutes.

`tests/interface/test_catalogue_page.py` says when the closed forms on the page are stale; times and errors are those of
the machine that made it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import symgrad
from symgrad import catalogue
from symgrad.closing.derivation import derive_formula
from symgrad.document import document
from symgrad.formula.reader import read_file

PAGE = Path(__file__).resolve().parents[1] / "docs" / "catalogue.md"
HEAD = """# The catalogue

<!-- made by scripts/make_catalogue_page.py; edit the formulas, not this page -->

Every formula that comes with symgrad, with the closed form of each gradient as `symgrad derive NAME --json` prints it.
*Characters*: of the closed form and of the names that symgrad introduced for it, blanks left out. *ms*: CPU time of
the derivation, the best of three. *Autograd*, *differences*, *multiprecision*: the worst error that each judge saw in
the kernels of the formula (relative to the size of the result, absolute below 1).

{count} formulas, {gradients} gradients; derivation: median {median:.0f} ms, longest {longest:.0f} ms ({slowest}).
"""
JUDGES = ("autograd", "differences", "multiprecision")


@dataclass(frozen=True)
class Entry:
    """One formula of the page."""

    name: str
    folder: str
    gradients: Mapping[str, Mapping[str, Any]]
    lets: frozenset[str]


def entries() -> Iterator[Entry]:
    """Every formula of the catalogue with its gradients, in the order of the folders."""
    for name, path in sorted(catalogue.paths().items(), key=lambda item: (item[1].parent.name, item[0])):
        d = derive_formula(read_file(str(path)))
        gradients = document(d, None, None, {}, {})["gradients"]
        assert isinstance(gradients, dict)
        lets = frozenset(s.name for s in d.formula.program.statements)
        yield Entry(name, path.parent.name, gradients, lets)


def rows(entry: Entry) -> list[str]:
    """The cells that do not depend on the machine: gradient, closed form, characters."""
    found = []
    for name, g in entry.gradients.items():
        own = {k: v for k, v in g["where"].items() if k.split("[")[0] not in entry.lets}
        axes = f"[{', '.join(g['indices'])}]" if g["indices"] else ""
        text = f"`{g['closed']}`" + "".join(f"<br>`{k} = {v}`" for k, v in own.items())
        size = sum(len("".join(t.split())) for t in (g["closed"], *own, *own.values()))
        found.append(f"`{name}{axes}` | {text} | {size}")
    return found


def milliseconds(path: Path) -> float:
    """CPU time of one derivation, the best of three."""
    formula = read_file(str(path))
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        derive_formula(formula)
        best = min(best, time.process_time() - start)
    return 1e3 * best


def measured(path: Path) -> tuple[float, list[str]]:
    """Milliseconds, and the worst error of each judge."""
    said = symgrad.derive(str(path)).validate().to_json()
    worst = {j["judge"]: f"{j['worst']:.1e}" for j in said["judges"]}
    return milliseconds(path), [worst.get(j, "absent") for j in JUDGES]


def page() -> str:
    """The text of the page."""
    found = list(entries())
    figures = {e.name: measured(catalogue.paths()[e.name]) for e in found}
    times = sorted((ms, name) for name, (ms, _) in figures.items())
    head = HEAD.format(
        count=len(found),
        gradients=sum(len(e.gradients) for e in found),
        median=times[len(times) // 2][0],
        longest=times[-1][0],
        slowest=times[-1][1],
    )
    parts = [head]
    for folder, group in groupby(found, lambda e: e.folder):
        parts.append(f"\n## {folder.replace('_', ' ').capitalize()}\n\n")
        parts.append(
            "| formula | gradient of | closed form | characters | ms | autograd | differences | multiprecision |\n"
        )
        parts.append("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
        for e in group:
            ms, worst = figures[e.name]
            for k, row in enumerate(rows(e)):
                cells = [f"{ms:.0f}", *worst] if k == 0 else [""] * 4
                parts.append(f"| {e.name if k == 0 else ''} | {row} | {' | '.join(cells)} |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
