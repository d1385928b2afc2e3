"""Every command and block of the README runs, in order, and says what stands there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
SETTING_UP = ("scripts/try softmax_cross_entropy\n", "scripts/test\n")


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that follows it."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def _matches(wanted: str, said: str) -> bool:
    """Whether the output is as wanted, where `...` stands for anything."""
    pattern = "".join(".*?" if p == "..." else re.escape(p) for p in re.split(r"(\.\.\.)", wanted.strip()))
    return re.fullmatch(pattern, said.strip(), re.S) is not None


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which `symgrad` and `python` are those of this run."""
    shims = tmp_path / "bin"
    shims.mkdir()
    for name, module in (("symgrad", "-m symgrad "), ("python", "")):
        (shims / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module}"$@"\n')
        (shims / name).chmod(0o755)
    return {**os.environ, "PATH": f"{shims}:{os.environ['PATH']}", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}


def test_every_block_of_the_readme_runs_and_says_what_stands_there(environment: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    kinds = []
    for kind, block in BLOCK.findall(README):
        kinds.append(kind)
        if kind == "yaml":
            name = block.partition("\n")[0].removeprefix("name: ")
            (work / f"{name}.yaml").write_text(block)
        elif kind == "console":
            for command, wanted in _commands(block):
                done = subprocess.run(
                    ["bash", "-c", command], cwd=work, env=environment, capture_output=True, text=True, check=False
                )
                assert _matches(wanted, done.stdout + done.stderr), f"$ {command}\n{done.stdout}{done.stderr}"
        elif kind == "python":
            first = block.partition("\n")[0]
            if re.fullmatch(r"# \w+\.py", first):
                (work / first.removeprefix("# ")).write_text(block)
            done = subprocess.run(
                [sys.executable, "-c", block], cwd=work, env={**environment, "PYTHONPATH": str(work)},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            said = [line.rpartition("# ")[2] for line in block.splitlines() if "print(" in line and "[i" in line]
            assert all(line in done.stdout for line in said)
        else:
            assert kind == "sh"
            assert block in SETTING_UP, "a shell block that neither this test nor .ci/run runs"
    assert kinds.count("console") >= 3
    assert kinds.count("python") >= 2


def test_the_two_commands_that_set_up_are_run_by_the_ci(tmp_path: Path) -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    (function,) = re.findall(r"^readme_command\(\) \{.*?^\}$", ci, re.M | re.S)
    for number, command in enumerate(SETTING_UP, 1):
        said = subprocess.run(
            ["bash", "-c", f"{function}\nreadme_command {number}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert said.stdout == command
        assert f'"$(readme_command {number})"' in ci
        assert os.access(ROOT / command.split()[0], os.X_OK)


def test_the_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
