"""`python -m tests.robustness.kills --kills 200 --rounds 3`: runs killed at random moments, and runs at the same time.

Two formulas of one name are written into one folder, whose package must always be wholly the one or the other's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

FORMULAS = (
    """
name: torn
inputs: {x: [n, c], t: {shape: [n, c], given: true}}
let: {"y[i, j]": "softmax(x[i, j], j)"}
loss: "-Sum(t[i, j]*log(y[i, j]), j)"
""",
    """
name: torn
inputs: {x: [n, c], w: [c]}
output: {"y[i]": "Sum(tanh(x[i, j])*w[j], j)"}
""",
)
WORDS = ("--no-validate", "--report", "tex,html", "--quiet")
Files = dict[str, bytes]


class Bench:
    """A folder with the two formulas, and what each run of them writes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.target = self.out / "torn"
        for k, text in enumerate(FORMULAS):
            (folder / f"{k}.yaml").write_text(text)
        self.whole: list[Files] = []
        self.seconds = 0.0
        for k in range(len(FORMULAS)):
            start = time.monotonic()
            assert self.start(k).wait(300) == 0
            self.seconds = time.monotonic() - start
            self.whole.append(self.package())
        assert self.whole[0].keys() == self.whole[1].keys()
        assert all(self.whole[0][f] != self.whole[1][f] for f in ("numpy_kernels.py", "report.tex", "certificate.json"))

    def start(self, k: int) -> subprocess.Popen[bytes]:
        """A run of one of the formulas, in a process group of its own."""
        words = [sys.executable, "-m", "symgrad", "derive", f"{k}.yaml", *WORDS, "--out", str(self.out)]
        return subprocess.Popen(words, cwd=self.folder, start_new_session=True, stdout=subprocess.DEVNULL)

    def package(self) -> Files:
        """The package as it stands."""
        return {f.name: f.read_bytes() for f in sorted(self.target.iterdir()) if f.is_file()}

    def state(self) -> str:
        """Which formula's package stands there; "torn" where it is neither's."""
        if not self.target.is_dir():
            return "missing"
        now = self.package()
        return next((f"formula {k}" for k, files in enumerate(self.whole) if now == files), "torn")

    def left_over(self) -> list[str]:
        """What lies beside the package."""
        return sorted(set(os.listdir(self.out)) - {"torn"})


def killed(bench: Bench, kills: int, rng: random.Random) -> Counter[str]:
    """Runs killed at random moments, half of them near the end, by turns the parent alone and the whole group."""
    seen: Counter[str] = Counter()
    for k in range(kills):
        process = bench.start(k % 2)
        time.sleep(bench.seconds * (rng.uniform(0, 1.1) if k % 4 < 2 else rng.uniform(0.7, 1.1)))
        seen["finished" if process.poll() is not None else "killed"] += 1
        if k % 8 < 4:
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        seen[bench.state()] += 1
    assert bench.start(0).wait(300) == 0
    until = time.monotonic() + 20
    while bench.left_over() and time.monotonic() < until:  # children notice that their parent is gone
        assert bench.start(0).wait(300) == 0
    seen["left over"] += len(bench.left_over())
    return seen


def together(bench: Bench, runs: int) -> Counter[str]:
    """Runs at the same time, looked at while they go."""
    seen: Counter[str] = Counter()
    processes = [bench.start(k % 2) for k in range(runs)]
    while any(p.poll() is None for p in processes):
        seen["looks"] += 1
        seen["missing"] += not bench.target.is_dir()
        time.sleep(0.01)
    seen["failed"] += sum(p.returncode != 0 for p in processes)
    seen[bench.state()] += 1
    seen["left over"] += len(bench.left_over())
    return seen


def is_right(seen: Counter[str]) -> bool:
    """Whether no run left anything but a whole package."""
    return not any(seen[bad] for bad in ("torn", "missing", "left over", "failed"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        found = [("kills", killed(bench, chosen.kills, random.Random(chosen.seed)))]
        found += [(f"8 at once, round {k}", together(bench, 8)) for k in range(chosen.rounds)]
    for what, seen in found:
        print(f"{what}: {dict(sorted(seen.items()))}", flush=True)
    return 0 if all(is_right(seen) for _, seen in found) else 1


if __name__ == "__main__":
    sys.exit(main())
