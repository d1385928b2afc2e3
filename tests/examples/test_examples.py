"""Each example runs from its command line; a short mode by default, as long as its README says with `-m slow`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    """What the example prints."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / name / "train.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    """The number behind the last match of a pattern."""
    return float(re.findall(pattern + r"\s*([0-9.e+-]+)", text)[-1])


def test_the_mlp_learns_without_torch() -> None:
    said = run("mlp_numpy", "--steps", "300")
    assert number("loss", said) < 0.1
    assert number("new points:", said) > 0.95


def test_the_gpts_gradients_are_those_of_autograd() -> None:
    pytest.importorskip("torch")
    said = run("gpt", "--steps", "3")
    assert number("autograd:", said) < 1e-12


def test_cifar_nets_loss_curve_is_that_of_autograd() -> None:
    pytest.importorskip("torch")
    said = run("cifar_net", "--steps", "2", "--batch", "2")
    assert number("curves:", said) < 1e-12


@pytest.mark.slow
def test_the_gpt_learns_to_sort() -> None:
    pytest.importorskip("torch")
    said = run("gpt")
    assert number("loss", said) < 0.01
    assert number("autograd:", said) < 1e-10


@pytest.mark.slow
def test_cifar_net_learns_and_its_loss_curve_stays_that_of_autograd() -> None:
    pytest.importorskip("torch")
    said = run("cifar_net")
    assert number("curves:", said) < 1e-6
    assert number("loss", said) < 1.5


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.iterdir()))
def test_every_example_has_a_script_and_says_how_to_run_it(name: str) -> None:
    assert f"python examples/{name}/train.py" in (EXAMPLES / name / "README.md").read_text()
    assert (EXAMPLES / name / "train.py").exists()
