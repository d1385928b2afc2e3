"""`derive --order 2`: the document, the files, and what has no Hessian."""

from pathlib import Path

from tests.cli.conftest import Run

QUICK = ["--no-validate", "--report", "none"]
LOGISTIC = """\
name: logistic
inputs: {x: {shape: [n, d], given: true}, w: [d], b: [], t: {shape: [n], domain: unit_interval, given: true}}
let:
  p[i]: sigmoid(Sum(x[i, j]*w[j], j) + b)
loss: -t[i]*log(p[i]) - (1 - t[i])*log(1 - p[i])
expect:
  diagonal w[j]: Sum(x[i, j]**2*p[i]*(1 - p[i]), i)/n
"""


def test_the_document_has_diagonal_and_product_of_each_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logistic.yaml").write_text(LOGISTIC)
    said = run("derive", "logistic.yaml", "--order", "2", "--json", *QUICK)
    assert said.code == 0, said.err
    hessian = said.json["hessian"]
    assert set(hessian) == {"w", "b"}
    for name, own in hessian.items():
        assert set(own) >= {"diagonal", "hvp", "direction", "indices", "where", "latex"}
        assert set(own["latex"]) == {"diagonal", "hvp"}
        assert own["direction"] == f"v{name}"
        assert any(f"v{name}" in text for text in (own["hvp"], *own["where"].values()))
    assert hessian["w"]["indices"] == ["j"]
    assert hessian["w"]["diagonal"] == "Sum(p[i]*x[i, j]**2*(1 - p[i]), i)/n"
    assert hessian["b"]["indices"] == []
    assert [(e["input"], e["proven"]) for e in said.json["expected"]] == [("diagonal w", True)]
    source = (tmp_path / "logistic" / "numpy_kernels.py").read_text()
    assert "def hvp(" in source
    assert "def grad_and_hess(" in source


def test_one_input_alone_has_a_direction_named_v(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logistic.yaml").write_text(LOGISTIC)
    said = run("derive", "logistic.yaml", "--order", "2", "--wrt", "w", "--json", *QUICK)
    assert list(said.json["hessian"]) == ["w"]
    assert said.json["hessian"]["w"]["direction"] == "v"
    assert [e["proven"] for e in said.json["expected"]] == [True]


def test_a_wrong_diagonal_is_code_1_with_a_point(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logistic.yaml").write_text(LOGISTIC.replace("(1 - p[i]), i)", "p[i], i)"))
    said = run("derive", "logistic.yaml", "--order", "2", *QUICK)
    assert said.code == 1
    assert "diagonal w[" in said.err
    assert not (tmp_path / "logistic").exists()


def test_the_first_order_has_no_hessian_in_its_document(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logistic.yaml").write_text(LOGISTIC)
    said = run("derive", "logistic.yaml", "--json", *QUICK)
    assert "hessian" not in said.json
    assert said.json["expected"] == []


def test_a_layer_is_code_2_and_a_recurrence_code_3(run: Run) -> None:
    assert run("derive", "linear", "--order", "2", *QUICK).code == 2
    assert run("derive", "linear_chain_crf", "--order", "2", *QUICK).code == 3
