"""`python -m tests.checks_the_checks.alarms [SEEDS] [FORMULA ...]`: right gradients of the catalogue at many seeds."""

from __future__ import annotations

import sys

import symgrad
from symgrad import catalogue

SEEDS = 20


def main(arguments: list[str]) -> int:
    """A line a formula; 1 where a right gradient was refused."""
    count, names = (int(arguments[0]), arguments[1:]) if arguments else (SEEDS, [])
    judged, alarms = 0, []
    for name in names or catalogue.paths():
        result = symgrad.derive(name)
        refused = []
        for seed in range(count):
            certificate = result.validate(seed)
            judged += 1
            if not certificate.passed:
                refused.append(f"{name}, seed {seed}: {certificate.failure}")
        alarms += refused
        print(f"{name}: {count - len(refused)} of {count} seeds pass", *refused, sep="\n    ", flush=True)
    print(f"{judged} certificates, {len(alarms)} false alarms")
    return bool(alarms)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
