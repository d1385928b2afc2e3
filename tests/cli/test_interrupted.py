"""Ctrl-C and kill in the middle: the folder is the old one or the new one, and no process stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import COMMAND, Run, files_below

SLOW = """\
import sys, time
from symgrad import pipeline
from symgrad_cli.main import main

def files(self, report=()):
    print("in the middle", file=sys.stderr, flush=True)
    import tempfile, pathlib
    pathlib.Path(tempfile.mkdtemp(), "half.txt").write_text("half")
    time.sleep(60)

pipeline.Result.files = files
sys.exit(main(["derive", "loss.yaml", "--no-validate"]))
"""


def _start(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "in the middle\n"
    time.sleep(0.1)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_so_in_one_line_and_leaves_all_as_it_was(
    run: Run, formula: Path, number: signal.Signals
) -> None:
    run("derive", "loss.yaml", "--no-validate", "--report", "none")
    before = files_below(formula.parent)
    process = _start(formula.parent)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert said == "interrupted; nothing was written\n"
    assert files_below(formula.parent) == before


def test_what_a_killed_run_left_behind_goes_with_the_next(run: Run, formula: Path) -> None:
    process = _start(formula.parent)
    process.kill()
    process.communicate(timeout=20)
    assert [f.startswith(".softmax_loss.") for f in sorted(os.listdir(formula.parent))] == [True, False]
    until = time.monotonic() + 5
    while time.monotonic() < until:  # the child notices that its parent is gone
        assert run("derive", "loss.yaml", "--no-validate", "--report", "none").code == 0
        if sorted(os.listdir(formula.parent)) == ["loss.yaml", "softmax_loss"]:
            break
    assert sorted(os.listdir(formula.parent)) == ["loss.yaml", "softmax_loss"]


def test_runs_at_the_same_time_leave_a_whole_package(formula: Path) -> None:
    words = ["derive", "loss.yaml", "--no-validate", "--report", "none", "--quiet"]
    processes = [
        subprocess.Popen([*COMMAND, *words, "--target", target], cwd=formula.parent)
        for target in ("numpy", "torch", "numpy,torch")
    ]
    assert [p.wait(60) for p in processes] == [0, 0, 0]
    assert sorted(os.listdir(formula.parent)) == ["loss.yaml", "softmax_loss"]
    kernels = sorted(f for f in os.listdir(formula.parent / "softmax_loss") if "kernels" in f)
    assert kernels in (["numpy_kernels.py"], ["torch_kernels.py"], ["numpy_kernels.py", "torch_kernels.py"])


def test_output_into_a_closed_pipe_ends_without_a_traceback(formula: Path) -> None:
    line = " ".join([*COMMAND, "derive", "loss.yaml", "--no-validate", "--explain", "|", "head", "-n", "1"])
    done = subprocess.run(
        ["bash", "-c", line], cwd=formula.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
