"""Formulas and ways to run the command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOFTMAX = """\
name: softmax_loss
inputs:
  z: [n, c]
  t: {shape: [n, c], domain: simplex, given: true}
let:
  y[i, j]: softmax(z[i, j], j)
loss: -Sum(t[i, j]*log(y[i, j]), j)
"""
SQUARE = """\
name: {name}
inputs: {{x: [n]}}
loss: x[i]**2
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


COMMAND = [sys.executable, "-m", "symgrad"]
Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The installed command in an empty folder."""

    def call(*words: str, stdin: str | None = None, env: Mapping[str, str] | None = None) -> Said:
        done = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, capture_output=True, timeout=120, check=False,
            encoding="utf-8", errors="replace",
            input=stdin or "",
            env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **(env or {})},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, in an empty folder: quicker, for what ends before anything is derived."""
    from symgrad_cli.main import main

    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Said:
        code = main(words)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def formula(tmp_path: Path) -> Path:
    """A formula file in the folder in which the command runs."""
    path = tmp_path / "loss.yaml"
    path.write_text(SOFTMAX)
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
