"""Derivations that reports are made of, and what TeX says of a document."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.reader import read_text

SOFTMAX = """\
name: softmax_cross_entropy
summary: Cross-entropy of softmax(z) against a target distribution t.
reference: "Bishop & Nasrabadi, 100% of it"
inputs:
  z: [n, c]
  t: {shape: [n, c], domain: simplex, given: true}
let:
  y[i, j]: softmax(z[i, j], j)
loss: -Sum(t[i, j] * log(y[i, j]), j)
"""

LAYER_NORM = """\
name: layer_norm
summary: Normalization over the last axis.
inputs: {x: [..., d], g: [d], b: [d]}
parameters:
  epsilon: {value: 1e-5, domain: positive}
let:
  m[...]: mean(x[..., k], k)
  s[...]: 1/sqrt(var(x[..., k], k) + epsilon)
  x_hat[..., k]: (x[..., k] - m[...])*s[...]
output:
  y[..., k]: g[k]*x_hat[..., k] + b[k]
"""


@pytest.fixture(scope="session")
def derive() -> Callable[[str], Derivation]:
    """The derivation of a formula's text."""
    made: dict[str, Derivation] = {}

    def of(text: str) -> Derivation:
        if text not in made:
            made[text] = derive_formula(read_text(text, "formula.yaml"))
        return made[text]

    return of


@pytest.fixture(scope="session")
def softmax(derive: Callable[[str], Derivation]) -> Derivation:
    return derive(SOFTMAX)


@pytest.fixture(scope="session")
def layer_norm(derive: Callable[[str], Derivation]) -> Derivation:
    return derive(LAYER_NORM)


class Log(str):
    """What TeX said. `complaints`: errors, overfull boxes, lines that had to be scaled, missing characters."""

    @property
    def complaints(self) -> list[str]:
        marks = ("Overfull", "symgrad: a line was scaled", "Missing character", "! ")
        return [line for line in self.splitlines() if line.startswith(marks)]


@pytest.fixture
def run_tex(tmp_path: Path) -> Callable[[str], Log]:
    """Run pdflatex once on a document; the log. TeX may only be missing on a developer's own machine."""
    if shutil.which("pdflatex") is None:
        assert os.environ.get("CI") != "true", "CI has TeX: texlive-latex-base lmodern"
        pytest.skip("no pdflatex: texlive-latex-base lmodern")

    def run(document: str) -> Log:
        (tmp_path / "t.tex").write_text(document, encoding="utf-8")
        command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "t.tex"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
        return Log((tmp_path / "t.log").read_text(encoding="utf-8", errors="replace"))

    return run
