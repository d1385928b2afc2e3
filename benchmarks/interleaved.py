"""Ratios of two functions, measured in turn: the machine's other work and its clock then meet both alike."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

ROUNDS, WARM_UPS = 21, 2
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Ratio:
    """The time of one function over that of another: median of the rounds, its quartiles; both medians in ms."""

    ratio: float
    low: float
    high: float
    mine_ms: float
    theirs_ms: float


def ratio(mine: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> Ratio:
    """CPU time of `mine` over `theirs`, in rounds of alternating order after two warm-ups."""
    for _ in range(WARM_UPS):
        mine()
        theirs()
    pairs = []
    for k in range(rounds):
        if k % 2:
            b, a = _seconds(theirs), _seconds(mine)
        else:
            a, b = _seconds(mine), _seconds(theirs)
        pairs.append((a, b))
    ratios = [a / b for a, b in pairs]
    low, _, high = quantiles(ratios, n=4)
    return Ratio(median(ratios), low, high, *(1e3 * median(p[side] for p in pairs) for side in (0, 1)))


def _seconds(f: Callable[[], object]) -> float:
    start = time.process_time()
    f()
    return time.process_time() - start


def written(name: str, results: Mapping[str, Any]) -> Path:
    """results/NAME.json: the results, and the machine and versions that they hold for."""
    machine = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    return path
