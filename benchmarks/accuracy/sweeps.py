# ruff: noqa: T201  a script that prints
"""python -m benchmarks.accuracy.sweeps [--stride K]: activations on every float32 number, or on every K-th.

What is on record for the very same kernel, at no larger stride, is not swept again: a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path
from typing import Any

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
    for name in options.names or sorted(p.stem for p in folder.glob("*.yaml") if p.stem != "prelu"):
        result = symgrad.derive(name, targets=["numpy"])
        kernel = hashlib.sha256(result.package["numpy_kernels.py"].encode()).hexdigest()[:16]
        known = _recorded().get(name)
        if known and known.get("kernel") == kernel and known["stride"] <= options.stride:
            print(f"{name:14s} on record for this kernel", flush=True)
            continue
        start = time.process_time()
        with limits.within(seconds=10 * 3600):
            said = result.exhaust(options.stride)
        seconds = time.process_time() - start
        print(f"{name:14s} {said} ({seconds:.0f} s of one core)", flush=True)
        assert result.certificate is not None
        swept = result.certificate.to_json()["exhaustive"]
        found = _recorded() | {name: {"kernel": kernel, "seconds": round(seconds)} | swept}
        RESULTS.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")


def _recorded() -> dict[str, dict[str, Any]]:
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}


if __name__ == "__main__":
    main()
