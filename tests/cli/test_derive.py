"""`symgrad derive` as users call it: what it prints, writes, and with which code it ends."""

import json
import os
import shutil
from pathlib import Path

import pytest

from .conftest import SOFTMAX, SQUARE, Run, files_below

QUICK = ("--no-validate", "--report", "none")
PACKAGE = ["__init__.py", "certificate.json", "numpy_kernels.py", "torch_kernels.py"]


def test_the_closed_form_is_printed_and_the_package_written(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", *QUICK)
    assert said.code == 0, said.err
    assert "∂L/∂zᵢⱼ = (yᵢⱼ − tᵢⱼ)/n" in said.out
    assert "assumed   Σⱼ tᵢⱼ = 1" in said.out
    assert "wrote     softmax_loss/" in said.out
    assert said.err == ""
    assert sorted(os.listdir(formula.parent / "softmax_loss")) == PACKAGE
    assert sorted(os.listdir(formula.parent)) == ["loss.yaml", "softmax_loss"]


def test_a_validated_package_holds_kernels_reports_and_a_passed_certificate(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--report", "tex,html")
    assert said.code == 0, said.err
    assert "verdict   passed" in said.out
    folder = formula.parent / "softmax_loss"
    assert sorted(os.listdir(folder)) == sorted([*PACKAGE, "report.tex", "report.html"])
    certificate = json.loads((folder / "certificate.json").read_text())
    assert certificate["passed"] is True
    assert certificate["certificate_of"] == "symgrad"
    assert certificate["files"] == sorted(os.listdir(folder))
    assert [j["judge"] for j in certificate["judges"] if not j["passed"]] == []


def test_json_is_one_document_and_all_else_goes_to_standard_error(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--json", *QUICK, "--out", "build/deep")
    assert said.code == 0, said.err
    document = said.json
    assert document["name"] == "softmax_loss"
    assert document["gradients"]["z"] == {
        "indices": ["i", "j"],
        "closed": "(y[i, j] - t[i, j])/n",
        "where": {"y[i, j]": "softmax(z[i, j], j)"},
        "latex": "\\frac{y_{ij} - t_{ij}}{n}",
        "matrix": {"closed": "(y - t)/n", "where": {"y": "softmax(z, axis=-1)"}, "latex": "\\frac{y - t}{n}"},
    }
    assert document["assumed"] == ["Sum(t[i, j], j) == 1"]
    assert document["verdict"] == {"passed": None, "judges": [], "absent": []}
    assert document["out"] == "build/deep/softmax_loss"
    assert document["seconds"]["derive"] > 0
    assert document["seconds"]["kernels"] > 0
    assert "∂L/∂z" in said.err
    assert (formula.parent / "build" / "deep" / "softmax_loss" / "certificate.json").exists()


def test_quiet_prints_nothing_but_errors(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--quiet", *QUICK)
    assert (said.code, said.out, said.err) == (0, "", "")
    said = run("derive", "missing.yaml", "--quiet")
    assert said.code == 2
    assert said.err.startswith("error: no file missing.yaml")


def test_explain_prints_the_rules_as_they_fire(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--explain", *QUICK)
    assert said.code == 0
    first = said.out.index("  1. ")
    assert first < said.out.index("∂L/∂z")


def test_a_formula_is_read_from_standard_input(run: Run, tmp_path: Path) -> None:
    said = run("derive", "-", *QUICK, stdin=SOFTMAX)
    assert said.code == 0, said.err
    assert (tmp_path / "softmax_loss").is_dir()
    said = run("derive", "-", *QUICK, stdin="name: a\ninputs: {x: [n]}\nloss: x[i\n")
    assert said.code == 2
    assert "<stdin>:3:" in said.err


def test_a_name_of_the_catalogue_is_found(run: Run, tmp_path: Path) -> None:
    assert run("derive", "softmax_cross_entropy", *QUICK).code == 0
    assert (tmp_path / "softmax_cross_entropy").is_dir()


def test_targets_and_reports_can_be_chosen(run: Run, formula: Path) -> None:
    assert run("derive", "loss.yaml", "--target", "numpy", "--no-validate", "--report", "tex").code == 0
    assert sorted(os.listdir(formula.parent / "softmax_loss")) == [
        "__init__.py", "certificate.json", "numpy_kernels.py", "report.tex",
    ]  # fmt: skip


def test_wrt_chooses_the_inputs(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--wrt", "t", "--json", *QUICK)
    assert said.code == 0, said.err
    assert list(said.json["gradients"]) == ["t"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["derive"], "missing argument"),
        (["deriv", "loss.yaml"], "did you mean derive?"),
        (["derive", "loss.yaml", "--nosuch"], "no such option '--nosuch'"),
        (["derive", "loss.yaml", "--order", "two"], "'--order': 'two' is not a valid integer"),
        (["derive", "loss.yaml", "--order", "3"], "--order 3 is not known"),
        (["derive", "loss.yaml", "--seed", "abc"], "'--seed': 'abc' is not a valid integer"),
        (["derive", "loss.yaml", "--target", "torhc"], "did you mean torch?"),
        (["derive", "loss.yaml", "--target", "cobol"], "known are numpy and torch"),
        (["derive", "loss.yaml", "--report", "ps"], "unknown report 'ps'"),
        (["derive", "loss.yaml", "--wrt", "zz"], "no real input zz"),
        (["derive", "loss.yaml", "--wrt", ","], "'--wrt': is empty"),
        (["derive", "loss.yaml", "--time-limit", "-3"], "no positive number of seconds"),
        (["derive", "loss.yaml", "--memory-limit", "lots"], "no amount of memory"),
        (["derive", "los.yaml"], "did you mean loss.yaml?"),
        (["derive", "softmax_crossentropy"], "did you mean softmax_cross_entropy?"),
        (["derive", "somewhere"], "write ./somewhere"),
        (["derive", "./somewhere"], "no formula file under somewhere"),
        (["derive", "loss.yaml", "--out", "loss.yaml"], "--out loss.yaml is no folder"),
        (["check", "softmax_cross_entropy", "--against", "nowhere"], "--against 'nowhere' names no function"),
        (["new", "Bad-Name"], "'Bad-Name' is no name of a formula"),
        (["show", "nosuch"], "no formula 'nosuch'"),
    ],
)
def test_wrong_usage_is_code_2_with_an_error_and_nothing_written(
    call: Run, formula: Path, words: list[str], said: str
) -> None:
    (formula.parent / "somewhere").mkdir()
    result = call(*words)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert said in result.err
    assert result.out == ""
    assert sorted(os.listdir(formula.parent)) == ["loss.yaml", "somewhere"]


def test_with_json_an_error_is_a_document_too(run: Run, tmp_path: Path) -> None:
    said = run("derive", "missing.yaml", "--json")
    assert said.code == 2
    assert set(said.json["error"]) == {"kind", "message", "file", "line", "column", "help"}
    assert said.json["error"]["kind"] == "usage"
    (tmp_path / "bad.yaml").write_text("name: bad\ninputs: {z: [n, c], w: [k]}\nloss: Sum(z[i, j]*w[j], j)\n")
    said = run("derive", "bad.yaml", "--json")
    assert said.code == 2
    error = said.json["error"]
    assert (error["kind"], error["file"], error["line"]) == ("formula", "bad.yaml", 3)
    assert "bad.yaml:3:" in said.err
    assert said.err.startswith("error: ")


def test_a_refuted_expectation_is_code_1_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "square.yaml").write_text(SQUARE.format(name="square") + "expect:\n  x[i]: 3*x[i]/n\n")
    said = run("derive", "square.yaml", "--json", "--no-validate")
    assert said.code == 1
    assert said.json["verdict"]["passed"] is False
    assert said.json["out"] is None
    assert "failed: the gradient of x is not what `expect` says" in said.err
    assert os.listdir(tmp_path) == ["square.yaml"]
    kept = run("derive", "square.yaml", "--no-validate", "--keep-failed", "failed")
    assert kept.code == 1
    certificate = json.loads((tmp_path / "failed" / "square" / "certificate.json").read_text())
    assert certificate["passed"] is False


def test_a_folder_of_someone_else_is_refused_before_anything_is_judged(run: Run, formula: Path) -> None:
    (formula.parent / "softmax_loss").mkdir()
    (formula.parent / "softmax_loss" / "mine.txt").write_text("mine")
    said = run("derive", "loss.yaml", *QUICK)
    assert said.code == 2
    assert "--out DIR" in said.err
    assert "--force" in said.err
    assert run("derive", "loss.yaml", *QUICK, "--force").code == 0
    assert (formula.parent / "softmax_loss" / "mine.txt").read_text() == "mine"


def test_a_second_run_writes_the_same_bytes_and_keeps_the_users_files(run: Run, formula: Path) -> None:
    assert run("derive", "loss.yaml", "--no-validate", "--report", "tex,html").code == 0
    before = files_below(formula.parent / "softmax_loss")
    (formula.parent / "softmax_loss" / "notes.txt").write_text("mine")
    assert run("derive", "loss.yaml", "--no-validate", "--report", "tex,html").code == 0
    assert files_below(formula.parent / "softmax_loss") == {**before, "notes.txt": b"mine"}


def test_the_output_does_not_depend_on_the_hash_seed(run: Run, formula: Path) -> None:
    seen = set()
    for seed in ("0", "1", "2", "3", "4"):
        said = run(
            "derive", "loss.yaml", "--no-validate", "--report", "tex,html", "--out", seed, env={"PYTHONHASHSEED": seed}
        )
        assert said.code == 0, said.err
        seen.add((said.out.replace(f"wrote     {seed}/", ""), *files_below(formula.parent / seed).items()))
    assert len(seen) == 1


def test_limits_are_code_3_and_name_the_option(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--time-limit", "0.000001", "--json")
    assert said.code == 3
    assert "--time-limit" in said.err
    assert said.json["error"]["kind"] == "limit"
    said = run("derive", "loss.yaml", "--memory-limit", "1k")
    assert said.code == 3
    assert said.err == "error: the derivation was stopped at the memory limit of 1 KiB (--memory-limit)\n"
    assert os.listdir(formula.parent) == ["loss.yaml"]


def test_a_misspelt_setting_is_refused(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", *QUICK, env={"SYMGRAD_VERFY": "1"})
    assert said.code == 2
    assert "did you mean SYMGRAD_VERIFY?" in said.err


def test_names_that_a_terminal_cannot_show_are_no_reason_to_fail(run: Run, formula: Path) -> None:
    odd = os.fsdecode(b"b\xfcild\x1b[2J")
    (formula.parent / "bj\u00f8rn.yaml").write_text("name: nobody\nloss: [")
    for words in (["--out", odd], ["--out", odd, "--json"], ["bj\u00f8rn.yaml", "--json"], ["bj\u00f8rn.yaml"]):
        said = run("derive", "loss.yaml", *QUICK, *words, env={"PYTHONIOENCODING": "latin-1"})
        assert said.code == (0 if odd in words else 2), said.err
        assert "\x1b" not in said.out + said.err


def test_an_ascii_terminal_gets_the_formula_language(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", *QUICK, env={"PYTHONIOENCODING": "ascii"})
    assert said.code == 0, said.err
    assert "(y[i, j] - t[i, j])/n" in said.out
    assert said.out.isascii()


def test_without_a_tex_engine_one_line_says_how_to_get_one_and_all_else_is_written(run: Run, formula: Path) -> None:
    said = run("derive", "loss.yaml", "--no-validate", env={"PATH": str(formula.parent)})
    assert said.code == 0, said.err
    assert "no TeX engine found" in said.out
    assert sorted(os.listdir(formula.parent / "softmax_loss")) == sorted([*PACKAGE, "report.html", "report.tex"])


@pytest.mark.skipif(
    shutil.which("pdflatex") is None and "CI" not in os.environ, reason="no pdflatex; scripts/install-system-packages"
)
def test_with_a_tex_engine_the_report_is_a_pdf(run: Run, formula: Path) -> None:
    assert run("derive", "loss.yaml", "--no-validate", "--report", "pdf").code == 0
    folder = formula.parent / "softmax_loss"
    assert sorted(os.listdir(folder)) == sorted([*PACKAGE, "report.pdf"])
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_certificate_is_made_again_to_the_same_figures_by_its_seed(run: Run, formula: Path) -> None:
    made: dict[str, bytes] = {}
    for out, seed in (("first", "7"), ("again", "7"), ("other", "8")):
        said = run("derive", "loss.yaml", "--seed", seed, "--report", "none", "--out", out)
        assert said.code == 0, said.err
        made[out] = (formula.parent / out / "softmax_loss" / "certificate.json").read_bytes()
    first, other = json.loads(made["first"]), json.loads(made["other"])
    assert made["again"] == made["first"]
    assert (first["seed"], other["seed"]) == (7, 8)
    assert [j["worst"] for j in first["judges"]] != [j["worst"] for j in other["judges"]]
