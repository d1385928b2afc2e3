"""`symgrad check` on the command line: first line, exit codes, the JSON document."""

from pathlib import Path

from .conftest import Run

MINE = """\
import numpy as np
def right(x, t):
    print("talk")
    return 2 * (x - t) / len(x)
def sign(x, t):
    print("talk")
    return 2 * (t - x) / len(x)
def broken(x, t):
    return x.nothing
"""


def test_a_right_gradient_is_exit_code_0(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    said = run("check", "mse", "--against", "mine.py:right")
    assert said.code == 0
    assert said.out.startswith("right     the gradient of x, at ")
    assert "talk" not in said.out
    assert "talk" in said.err


def test_the_first_line_names_the_cause_and_the_last_the_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    said = run("check", "mse", "--against", "mine:sign")
    lines = said.out.splitlines()
    assert said.code == 1
    assert lines[0] == "wrong     sign, gradient of x: the sign is flipped: -1 times the gradient"
    assert lines[-2:] == ["again     symgrad check mse --against mine:sign --seed 0", ""] or lines[-1] == (
        "again     symgrad check mse --against mine:sign --seed 0"
    )
    for judge in ("autograd", "differences", "multiprecision"):
        assert judge in said.out


def test_json_is_one_document_whatever_the_function_prints(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    said = run("check", "mse", "--against", "mine:sign", "--json")
    assert said.code == 1
    verdict = said.json["verdict"]
    assert (verdict["passed"], verdict["cause"]["kind"]) == (False, "sign")
    assert set(verdict["worst"]["judges"]) == {"autograd", "differences", "multiprecision"}
    said = run("check", "mse", "--against", "mine:right", "--json")
    assert (said.code, said.json["verdict"]["passed"], said.json["verdict"]["cause"]) == (0, True, None)


def test_an_exception_is_shown_as_theirs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    said = run("check", "mse", "--against", "mine:broken")
    assert said.code == 1
    assert said.out.startswith("wrong     error: the function raised AttributeError")
    assert "return x.nothing" in said.out
    assert "symgrad/" not in said.out


def test_what_cannot_be_loaded_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    said = run("check", "mse", "--against", "nosuch:f", "--json")
    assert said.code == 2
    assert "cannot be loaded" in said.json["error"]["message"]
    assert run("check", "nosuch", "--against", "mine:f").code == 2
    assert run("check", "mse", "--against", "nosuch:f", "--param", "g").code == 2
