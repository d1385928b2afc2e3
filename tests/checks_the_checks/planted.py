"""`python -m tests.checks_the_checks.planted [FORMULA ...]`: the table of planted faults, and who caught them."""

from __future__ import annotations

import sys
from collections import Counter

from tests.checks_the_checks.faults import EQUIVALENT, FORMULAS, faults, judged


def main(names: list[str]) -> int:
    """A line a fault, then sums; 1 where one that differs was not caught."""
    planted: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    missed, equivalent = [], 0
    for name in names or FORMULAS:
        for fault in faults(name):
            certificate = judged(fault)
            by = [j.judge for j in certificate.judges if not j.passed]
            said = f"caught by {', '.join(by)}" if by else EQUIVALENT.get(fault.key, "NOT CAUGHT")
            print(f"{fault.key}: {said}", flush=True)
            planted[fault.kind] += 1
            caught[fault.kind] += bool(by)
            equivalent += not by and fault.key in EQUIVALENT
            missed += [] if by or fault.key in EQUIVALENT else [fault.key]
    for kind, count in sorted(planted.items()):
        print(f"{kind:20} {caught[kind]:4} of {count:4}")
    print(f"{caught.total()} of {planted.total()} caught, {equivalent} equivalent, {len(missed)} missed")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
