"""`python -m tests.fuzz.run --programs 500 --seed 1`: random formulas; prints each that goes wrong, with its YAML.

`--kind plain`: index notation alone; `constructs`: every other construct; `all`: by turns.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import Counter

from symgrad import limits
from symgrad.errors import LimitError
from tests.fuzz.constructs import construct, family
from tests.fuzz.judge import Finding, judge_text
from tests.fuzz.programs import program

SECONDS = 120.0
"""Of a machine that others use too: a formula takes 1 s alone."""


def text_of(seed: int, kind: str = "plain", depth: int = 3) -> str:
    """The program of a seed."""
    if kind == "all":
        return text_of(seed // 2, "constructs" if seed % 2 else "plain", depth)
    return construct(seed) if kind == "constructs" else program(seed, depth)


def judge_seed(seed: int, depth: int = 3, kind: str = "plain") -> Finding | None:
    """The finding of the program of a seed."""
    try:
        with limits.within(SECONDS, what="the fuzzed formula"):
            return judge_text(text_of(seed, kind, depth), seed)
    except LimitError as e:
        return Finding("limit", str(e))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=("plain", "constructs", "all"), default="all")
    parser.add_argument("--only", default="", help="print findings of these stages alone: kernel,closed")
    parser.add_argument("--quiet", action="store_true", help="no YAML")
    parser.add_argument("--depth", type=int, default=3, help="how deep expressions nest")
    chosen = parser.parse_args()
    counts: Counter[str] = Counter()
    judge_text("name: warm\ninputs: {x: [n]}\nloss: Sum(x[i]**2, i)\n")  # imports torch, outside of any limit
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    only = set(filter(None, chosen.only.split(",")))
    for seed in range(chosen.seed, chosen.seed + chosen.programs):
        start = time.monotonic()
        finding = judge_seed(seed, chosen.depth, chosen.kind)
        counts[finding.stage if finding else "right"] += 1
        slow = time.monotonic() - start
        if slow > 5:
            print(f"seed {seed}: {slow:.1f} s", flush=True)
        if finding and (not only or finding.stage in only):
            name = family(seed) if chosen.kind == "constructs" else chosen.kind
            print(f"--- seed {seed} ({name}): {finding.stage}: {finding.detail[:900]}", flush=True)
            if not chosen.quiet:
                print(text_of(seed, chosen.kind, chosen.depth), flush=True)
    print(", ".join(f"{n} {stage}" for stage, n in sorted(counts.items())))
    return 0 if set(counts) <= {"right"} else 1


if __name__ == "__main__":
    sys.exit(main())
