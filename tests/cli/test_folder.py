"""`symgrad derive FOLDER` and several formulas at once."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import COMMAND, SQUARE, Run

QUICK = ("--no-validate", "--report", "none")


@pytest.fixture
def formulas(tmp_path: Path) -> Path:
    folder = tmp_path / "formulas"
    for name in ("a/one", "b/two", ".hidden/three", "three"):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SQUARE.format(name=path.stem))
    return folder


def test_every_formula_below_is_derived_and_listed_in_a_table(run: Run, formulas: Path) -> None:
    said = run("derive", "formulas/", "--jobs", "2", "--out", "build", *QUICK)
    assert said.code == 0, said.err
    assert sorted(os.listdir(formulas.parent / "build")) == ["one", "three", "two"]
    lines = said.out.splitlines()
    assert lines[0].split() == ["formula", "verdict", "derive", "gradient"]
    assert [line.split()[0] for line in lines[1:4]] == ["three", "one", "two"]
    assert "dx = 2*x[i]/n" in said.out
    assert lines[-1] == "3 of 3 derived"


def test_a_terminal_sees_a_bar_that_goes_away(formulas: Path) -> None:
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    words = ["derive", "formulas/", "--jobs", "2", "--out", "build", *QUICK]
    process = subprocess.Popen([*COMMAND, *words], cwd=formulas.parent, stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    said = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while data := os.read(controller, 1 << 16):
            said += data
    os.close(controller)
    assert process.wait() == 0
    assert b"deriving" in said
    assert said.rstrip().endswith(b"\x1b[2K"), "the bar is taken away"


def test_generated_folders_are_skipped(run: Run, formulas: Path) -> None:
    assert run("derive", "formulas/", "--out", "formulas", *QUICK).code == 0
    (formulas / "one" / "not_a_formula.yaml").write_text("nonsense: [")
    assert run("derive", "formulas/", "--out", "formulas", *QUICK).code == 0


def test_the_document_holds_all_in_order_and_the_worst_code_wins(run: Run, formulas: Path) -> None:
    (formulas / "a" / "bad.yaml").write_text("name: bad\nloss: x[i]\n")
    said = run("derive", "formulas/", "--json", "--jobs", "2", *QUICK)
    assert said.code == 2
    documents = said.json["formulas"]
    assert [d["name"] if "name" in d else d["error"]["file"] for d in documents] == [
        "three", "formulas/a/bad.yaml", "one", "two",
    ]  # fmt: skip
    (formulas / "b" / "refuted.yaml").write_text(SQUARE.format(name="refuted") + "expect:\n  x[i]: x[i]\n")
    assert run("derive", "formulas/", "--json", *QUICK).code == 1


def test_two_formulas_of_one_name_are_refused_before_anything_is_derived(run: Run, formulas: Path) -> None:
    (formulas / "b" / "other.yaml").write_text(SQUARE.format(name="one"))
    said = run("derive", "formulas/", *QUICK)
    assert said.code == 2
    assert "two formulas are named one: formulas/a/one.yaml and formulas/b/other.yaml" in said.err
    assert os.listdir(formulas.parent) == ["formulas"]


def test_several_arguments_are_several_formulas(run: Run, formulas: Path) -> None:
    said = run("derive", "formulas/three.yaml", "formulas/a/one.yaml", "--json", *QUICK)
    assert said.code == 0, said.err
    assert [d["name"] for d in said.json["formulas"]] == ["three", "one"]
