# ruff: noqa: T201  a script that prints
"""python -m benchmarks.accuracy [NAME ...]: measure all cases, or those named, and write the table."""

from __future__ import annotations

import argparse
import sys

from benchmarks.accuracy.cases import CASES
from benchmarks.accuracy.measure import DTYPES, Outcome, measure
from benchmarks.accuracy.offsets import at_offsets
from benchmarks.accuracy.table import say, write


def main() -> None:
    """Measure, print a line a case, write the files where all cases were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="cases; all if none is named")
    parser.add_argument("--points", type=int, default=48, help="random points of a case, beside the special ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", default="", help="numpy,torch,autograd,built-in,lambdify; all if none is named")
    parser.add_argument("--where", action="store_true", help="say where the worst of our kernels is")
    options = parser.parse_args()
    cases = [c for c in CASES if not options.names or c.name in options.names]
    outcomes: list[Outcome] = []
    for case in cases:
        outcomes.append(measure(case, options.points, options.seed, tuple(filter(None, options.peers.split(",")))))
        print(say(outcomes[-1]), flush=True)
        if options.where:
            for dtype in DTYPES:
                for peer in ("numpy", "torch"):
                    score = outcomes[-1].scores[dtype].get(peer)
                    if score is not None and (score.nan or score.zeros or score.worst > outcomes[-1].bound[dtype] / 2):
                        print(f"    {dtype} {peer} {score.where}", flush=True)
    if not options.names and not options.peers:
        write(outcomes, at_offsets(seed=options.seed), options)
    sys.exit(0)


if __name__ == "__main__":
    main()
