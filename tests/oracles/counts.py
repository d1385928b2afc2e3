"""`python -m tests.oracles.counts [OPERATION ...]`: how many samples of torch's suite were compared, and left out."""

from __future__ import annotations

import sys
from collections import Counter

from tests.oracles.calls import CALLS
from tests.oracles.samples import tally


def main(names: list[str]) -> int:
    """A line an operation, then sums; 1 where something differs."""
    tallies = []
    for name in names or CALLS:
        t = tally(name)
        tallies.append(t)
        print(
            f"{t.name:50} {t.compared:5} compared  {sum(t.skipped.values()):5} skipped  worst {t.worst:.1e}", flush=True
        )
        for line in t.wrong[:3]:
            print(f"    {line}")
    skipped: Counter[str] = sum((t.skipped for t in tallies), Counter())
    print(f"{len(tallies)} operations, {sum(t.compared for t in tallies)} comparisons, {skipped.total()} left out:")
    for reason, count in skipped.most_common():
        print(f"    {count:5}  {reason}")
    wrong = [t.name for t in tallies if t.wrong]
    print("all agree" if not wrong else f"different: {', '.join(wrong)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
