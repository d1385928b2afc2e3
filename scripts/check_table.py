"""The faults of tests/handwritten/faults.py and what `symgrad check` says of each: a table, and how many are named.

PYTHONPATH=. python scripts/check_table.py [CASE...]
"""

from __future__ import annotations

import sys
import time

from symgrad.pipeline import check
from tests.handwritten.faults import CASES, Case


def row(name: str, case: Case, fault: str | None) -> tuple[bool, str]:
    """Whether a right gradient passes, or a wrong one's cause is named, and a line that says so."""
    start = time.monotonic()
    function = case.right() if fault is None else case.wrong(fault)
    result = check(case.formula, function, order=case.order, reduction=case.reduction)
    kind = result.cause.kind if result.cause is not None else "-"
    detail = result.cause.detail if result.cause is not None else ""
    good = result.passed if fault is None else kind in case.faults[fault][2]
    mark = "ok " if good else "NO "
    seconds = time.monotonic() - start
    return good, f"{mark} {name:<22} {fault or 'right':<34} {kind:<15} {seconds:5.1f} s  {detail}"


def main(names: list[str]) -> int:
    """Print the table; how many rows are not as they should be."""
    counts = {"right": [0, 0], "named": [0, 0]}
    for name in names or list(CASES):
        case = CASES[name]
        for fault in (None, *case.faults):
            good, line = row(name, case, fault)
            counts["right" if fault is None else "named"][0] += good
            counts["right" if fault is None else "named"][1] += 1
            print(line, flush=True)
    for what, (good, every) in counts.items():
        print(f"{what}: {good} of {every}")
    return sum(every - good for good, every in counts.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
