"""`list`, `show`, `new`, `--version`, `--help`."""

from pathlib import Path

import symgrad
from symgrad import catalogue

from .conftest import Run


def test_list_names_every_formula_with_its_summary(run: Run) -> None:
    said = run("list")
    assert said.code == 0
    for name, path in catalogue.paths().items():
        assert f"  {name} " in said.out
        assert catalogue.summary(path) in said.out
    document = run("list", "--json").json
    assert {n for names in document["catalogue"].values() for n in names} == set(catalogue.paths())


def test_the_summaries_are_those_that_the_reader_reads() -> None:
    from symgrad.formula.reader import read_file

    for path in list(catalogue.paths().values())[::7]:
        assert catalogue.summary(path) == read_file(str(path)).summary


def test_the_files_of_the_catalogue_bear_the_names_of_their_formulas() -> None:
    from symgrad.formula.reader import read_file

    for name, path in catalogue.paths().items():
        assert read_file(str(path)).name == name


def test_show_prints_the_formula_and_its_closed_form(run: Run, tmp_path: Path) -> None:
    said = run("show", "softmax_cross_entropy")
    assert said.code == 0, said.err
    assert catalogue.find("softmax_cross_entropy").read_text() in said.out
    assert "∂L/∂zᵢⱼ = (yᵢⱼ − tᵢⱼ)/n" in said.out
    assert run("show", "softmax_cross_entropy", "--json").json["gradients"]["z"]["closed"] == "(y[i, j] - t[i, j])/n"
    assert list(tmp_path.iterdir()) == []


def test_new_writes_a_template_that_derives_as_it_says_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    assert run("new", "my_loss").code == 0
    said = run("derive", "my_loss.yaml", "--no-validate", "--report", "none")
    assert said.code == 0, said.err
    (tmp_path / "my_loss.yaml").write_text("mine")
    again = run("new", "my_loss")
    assert again.code == 2
    assert "never overwrites" in again.err
    assert (tmp_path / "my_loss.yaml").read_text() == "mine"


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"symgrad {symgrad.__version__}\n"
    said = run("--help")
    assert said.code == 0
    for command in ("derive", "check", "list", "show", "new"):
        assert f"  {command} " in said.out
    assert run().code in (0, 2)
