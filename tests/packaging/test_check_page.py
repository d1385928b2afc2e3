"""Every block of docs/check.md runs, in order, and says what stands there."""

import subprocess
from pathlib import Path

from .test_readme import BLOCK, ROOT, _commands, _matches, environment

__all__ = ["environment"]


def test_every_block_of_the_page_on_check_runs(environment: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    count = 0
    for kind, block in BLOCK.findall((ROOT / "docs" / "check.md").read_text()):
        if kind == "python":
            (work / "mine.py").write_text(block)
            continue
        for command, wanted in _commands(block):
            done = subprocess.run(
                ["bash", "-c", command], cwd=work, env={**environment, "COLUMNS": "100"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert _matches(wanted, done.stdout + done.stderr), f"$ {command}\n{done.stdout}{done.stderr}"
            count += 1
    assert count == 3
