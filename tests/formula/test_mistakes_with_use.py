"""Each mistake in a `use` or a call says what is wrong, at its place, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.errors import FormulaError
from symgrad.formula.reader import read_file

HEAD = "name: f\ninputs: {x: [n, d], W: [m, d], b: [m], t: {shape: [n], dtype: int}}\n"
PAIR = "name: pair\ninputs: {x: [n]}\noutput:\n  y: 2*x\n  z: 3*x\n"

MISTAKES = [
    ("use: [linaer]\nloss: Sum(linaer(x, W, b))", "no formula linaer in the catalogue", (3, 7), "did you mean linear?"),
    ("use: {p: ./nowhere.yaml}\nloss: Sum(p(x))", "No such file or directory", (3, 10), "relative to the file"),
    ("use: {p: ./f.yaml}\nloss: Sum(p(x))", "in a circle: f.yaml uses f.yaml", (3, 10), ""),
    ("use: 3\nloss: Sum(x)", "use is a list of catalogue names", (3, 1), "use: [linear, conv2d]"),
    ("use: [linear, linear]\nloss: Sum(x)", "linear is used twice", (3, 15), "another name"),
    ("use: [softmax]\nloss: Sum(x)", "softmax is a function of the language", (3, 7), "my_softmax: softmax"),
    ("use: {relu: linear}\nloss: Sum(x)", "'relu': reserved", (3, 7), "relu_"),
    ("use: [linear]\nloss: Sum(linear(x, W))", "3 arrays expected, 2 given", (4, 11), "linear(x, W, b)"),
    ("use: [linear]\nloss: Sum(linear(x, W, b, b))", "3 arrays expected, 4 given", (4, 11), "linear(x, W, b)"),
    ("use: [linear]\nloss: Sum(linear(x, W, b=b))", "inputs are given by their order", (4, 26), "linear(x, W, b)"),
    (
        "use: [max_pool2d]\nloss: Sum(max_pool2d(x, stride=2))",
        "no parameter stride",
        (4, 32),
        "max_pool2d(x, k=2, s=2)",
    ),
    ("use: [max_pool2d]\nloss: Sum(max_pool2d(x, k=1.5))", "must be an integer, not 1.5", (4, 27), ""),
    ("use: [layer_norm]\nloss: Sum(layer_norm(x, b, b, eps=x))", "made of numbers, parameters", (4, 35), ""),
    ("use: [linear]\nloss: Sum(linear(x, b, b))", "its W has shape [m, d], and b has shape [m]", (4, 21), ""),
    ("use: [linear]\nloss: Sum(linear(x, W, x))", "its b has shape [m], and x has shape [n, d]", (4, 24), ""),
    ("use: [linear]\nloss: Sum(linear(W, x, b))", "axis m of its b is n", (4, 24), "b has shape [m]"),
    ("use: [linear]\nloss: Sum(linear(x[i, k], W, b), i)", "whole arrays are expected", (4, 18), "behind the call"),
    ("use: [linear]\nloss: Sum(linear)", "linear is a used formula, and is called", (4, 11), "linear(x, W, b)"),
    ("loss: Sum(linear(x, W, b))", "no function linear in the language", (3, 11), "use: [linear]"),
    (
        "use: [linear]\nlet:\n  h[i, j]: linear(x, W, b)\nloss: Sum(h)",
        "the left side is a bare name",
        (5, 3),
        "write h:",
    ),
    ("use: [linear]\nlet:\n  h, c: linear(x, W, b)\nloss: Sum(h)", "1 output (y), and 2 names", (5, 3), "y: linear"),
    ("use: {pair: pair.yaml}\nlet:\n  h: pair(b)\nloss: Sum(h)", "2 outputs (y, z), and 1 name", (5, 3), "y, z: pair"),
    ("use: {pair: pair.yaml}\nloss: Sum(pair(b))", "gives several arrays: y, z", (4, 11), "under let"),
    ("let:\n  h, c: x\nloss: Sum(h)", "receive the outputs of one used formula", (4, 3), "one entry for each"),
    ("use: [cross_entropy]\nloss: cross_entropy(x, b)", "axis n of its t is n", (4, 24), ""),
]


@pytest.mark.parametrize(("text", "message", "at", "help"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_mistake_is_shown_at_its_place(
    tmp_path: Path, text: str, message: str, at: tuple[int, int], help: str
) -> None:
    (tmp_path / "f.yaml").write_text(HEAD + text + "\n")
    (tmp_path / "pair.yaml").write_text(PAIR)
    with pytest.raises(FormulaError) as caught:
        read_file(str(tmp_path / "f.yaml"))
    where = caught.value.where
    assert message in str(caught.value)
    assert where is not None
    assert (where.line, where.column) == at
    assert help in str(caught.value)


def test_a_circle_of_three_files_names_them_in_order(tmp_path: Path) -> None:
    for name, used in (("a", "b"), ("b", "c"), ("c", "a")):
        text = f"name: {name}\ninputs: {{x: [n]}}\nuse: {{{used}: {used}.yaml}}\noutput:\n  y: {used}(x)\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    with pytest.raises(FormulaError, match=r"a.yaml uses b.yaml uses c.yaml uses a.yaml") as caught:
        read_file(str(tmp_path / "a.yaml"))
    assert caught.value.where is not None
    assert Path(caught.value.where.file).name == "c.yaml"


def test_a_relative_path_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "parts" / "deep").mkdir(parents=True)
    (tmp_path / "parts" / "deep" / "double.yaml").write_text(
        "name: double\ninputs: {x: [...]}\noutput:\n  y[...]: 2*x[...]\n"
    )
    (tmp_path / "parts" / "twice.yaml").write_text(
        "name: twice\ninputs: {x: [n]}\nuse: {d: deep/double.yaml}\noutput:\n  y: d(d(x))\n"
    )
    (tmp_path / "f.yaml").write_text("name: f\ninputs: {x: [n]}\nuse: {t: ./parts/twice.yaml}\nloss: Sum(t(x))\n")
    program = read_file(str(tmp_path / "f.yaml")).program
    assert len(program.statements) == 3
