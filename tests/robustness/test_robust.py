"""A small portion of what the scripts of this folder do at full size; the full size is marked slow."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import symgrad
from tests.robustness.hostile import HangError, by_command, judge, watched
from tests.robustness.identical import CATALOGUE, ROOT, differences, processes
from tests.robustness.kills import Bench, is_right, killed, together
from tests.robustness.mutations import hostile

HEARD = """
import symgrad
from tests.robustness.hostile import Listener
listener = Listener()
listener.on = True
eval(compile("1 + 1", "<formula>", "eval"))
import os
os.system("true")
listener.on = False
print(len(listener.take()))
"""
FEW = ("losses/focal_binary.yaml", "layers/layer_norm.yaml", "matrix/determinant.yaml", "networks/mlp.yaml")


def test_a_run_killed_at_any_moment_leaves_one_whole_package(tmp_path: Path) -> None:
    seen = killed(Bench(tmp_path), 6, random.Random(3))
    assert is_right(seen), seen


def test_runs_into_one_folder_leave_one_whole_package(tmp_path: Path) -> None:
    seen = together(Bench(tmp_path), 4)
    assert is_right(seen), seen


@pytest.mark.slow
def test_two_hundred_kills_and_eight_runs_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for seen in (killed(bench, 200, random.Random(4)), together(bench, 8), together(bench, 8)):
        assert is_right(seen), seen


def test_some_formulas_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    few = [f for name in FEW if (f := CATALOGUE / name).is_file()]
    count, found = differences(few, processes((str(CATALOGUE), str(tmp_path)), 3))
    assert count >= 7 * len(few) > 7
    assert found == []


@pytest.mark.slow
def test_the_catalogue_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    count, found = differences(sorted(CATALOGUE.glob("*/*.yaml")), processes((str(CATALOGUE), str(tmp_path))))
    assert count >= 1000
    assert found == []


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6))
def test_a_hostile_formula_is_refused_or_derived(seed: int) -> None:
    said, wrong = judge(seed)
    assert wrong is None, f"{said}: {wrong}\n{hostile(seed)}"


@pytest.mark.slow
@settings(max_examples=600, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9))
def test_many_hostile_formulas_are_refused_or_derived(seed: int) -> None:
    said, wrong = judge(seed)
    assert wrong is None, f"{said}: {wrong}\n{hostile(seed)}"


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_the_command_refuses_hostile_formulas_with_a_message(seed: int) -> None:
    said, wrong = by_command(seed)
    assert wrong is None, f"{said}: {wrong}"


def test_the_listener_hears_code_that_runs() -> None:
    done = subprocess.run([sys.executable, "-c", HEARD], capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(done.stdout) >= 2


def test_what_hangs_is_seen() -> None:
    with pytest.raises(HangError), watched(0.2):
        _without_end()


def _without_end() -> None:
    while True:
        pass


@pytest.mark.parametrize("text", ["x[i]**x[i]**x[i]", "sin(exp(exp(x[i])))", "loggamma(exp(exp(x[i])))"])
def test_judging_ends_however_large_the_values_are(text: str) -> None:
    with watched(60):
        symgrad.derive({"name": "tower", "inputs": {"x": ["n"]}, "output": {"y[i]": text}}).validate()
