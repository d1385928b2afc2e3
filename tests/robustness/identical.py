"""`python -m tests.robustness.identical`: the whole catalogue gives the same bytes whatever the process.

Ten hash seeds, two locales and two working folders; a child each derives every formula and prints a digest a file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "formulas"
LOCALES = ("C", "C.UTF-8")
CHILD = """
import hashlib, json, sys
from symgrad import pipeline
seen = {}
for path in sys.argv[1:]:
    result = pipeline.derive(path, time_limit=600)
    files, _ = result.files(("tex", "html"))
    name = "/".join(path.split("/")[-2:])
    seen |= {f"{name} {f}": hashlib.sha256(content).hexdigest() for f, content in sorted(files.items())}
    told = {k: v for k, v in result.document().items() if k != "seconds"}
    seen[f"{name} --json"] = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    seen[f"{name} steps"] = hashlib.sha256(repr([(s.rule.name, s.before.digest, s.after.digest)
        for s in result.derivation.steps]).encode()).hexdigest()
print(json.dumps(seen))
"""


@dataclass(frozen=True)
class Setting:
    """What must not be seen in any output."""

    seed: int
    locale: str
    folder: str

    def digests(self, formulas: Sequence[Path]) -> Mapping[str, str]:
        """A digest for each file of each formula, by a process of this setting."""
        environment = {**os.environ, "PYTHONHASHSEED": str(self.seed), "LC_ALL": self.locale, "LANG": self.locale}
        words = [sys.executable, "-c", CHILD, *map(str, formulas)]
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found: Mapping[str, str] = json.loads(done.stdout)
        return found


def processes(folders: Sequence[str], seeds: int = 10) -> list[Setting]:
    """A hash seed each; locales by turns, working folders by twos."""
    return [Setting(k, LOCALES[k % 2], folders[k // 2 % len(folders)]) for k in range(seeds)]


def differences(formulas: Sequence[Path], chosen: Iterable[Setting]) -> tuple[int, list[str]]:
    """How many files were compared, and those that are not the same everywhere with the first odd setting."""
    first: Mapping[str, str] = {}
    found: dict[str, str] = {}
    for setting in chosen:
        now = setting.digests(formulas)
        first = first or now
        for name in sorted(first.keys() | now.keys()):
            if first.get(name) != now.get(name):
                found.setdefault(name, f"{name} differs at {setting}")
    return len(first), list(found.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("formulas", nargs="*", type=Path, default=sorted(CATALOGUE.glob("*/*.yaml")))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count, found = differences(
            [f.absolute() for f in chosen.formulas], processes((str(ROOT), folder), chosen.seeds)
        )
    for line in found:
        print(line)
    print(f"{count} files of {len(chosen.formulas)} formulas, {chosen.seeds} settings: {len(found)} differ")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())
