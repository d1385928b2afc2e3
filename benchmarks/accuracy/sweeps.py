# ruff: noqa: T201  a script that prints
"""python -m benchmarks.accuracy.sweeps [--stride K]: activations on every float32 number, or on every K-th."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import symgrad
from symgrad import catalogue, limits

RESULTS = Path(__file__).parents[1] / "results" / "sweeps.json"


def main() -> None:
    """A line an activation, and the results as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--stride", type=int, default=1)
    options = parser.parse_args()
    folder = Path(catalogue.find("sigmoid")).parent
    found = {}
    for name in options.names or sorted(p.stem for p in folder.glob("*.yaml") if p.stem != "prelu"):
        result = symgrad.derive(name, targets=["numpy"])
        start = time.process_time()
        with limits.within(seconds=10 * 3600):
            said = result.exhaust(options.stride)
        assert result.certificate is not None
        found[name] = result.certificate.to_json()["exhaustive"]
        print(f"{name:14s} {said} ({time.process_time() - start:.0f} s of one core)", flush=True)
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
