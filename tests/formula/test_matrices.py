"""inv, det, logdet and solve: what they mean in both notations, and what is refused with its place."""

from __future__ import annotations

import pytest

from symgrad.algebra.show import show
from symgrad.errors import FormulaError
from symgrad.formula.expression import parse_closed
from symgrad.formula.program import Program
from symgrad.formula.reader import read_mapping

INPUTS = {"X": ["n", "n"], "Y": ["n", "m"], "b": ["n"], "B": ["n", "m"], "Z": ["...", "n", "n"], "z": ["...", "n"]}


def read(loss: str = "", output: dict[str, str] | None = None, let: dict[str, str] | None = None) -> Program:
    mapping: dict[str, object] = {"name": "f", "inputs": INPUTS} | ({"let": let} if let else {})
    return read_mapping(mapping | ({"output": output} if output else {"loss": loss})).program


def body(loss: str = "", output: dict[str, str] | None = None, let: dict[str, str] | None = None) -> str:
    return show(read(loss, output, let).statements[-1].body)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("logdet(X)", "logdet(X)"),
        ("det(X.T)", "det(X)"),
        ("b @ inv(X) @ b", "Sum(b[i]*Sum(b[j]*inv(X)[j, i], j), i)"),
        ("inv(X)[0, n - 1]", "inv(X)[0, n - 1]"),
        ("Sum(solve(X, b)[i]*b[i], i)", "Sum(b[i]*Sum(b[j]*inv(X)[i, j], j), i)"),
        ("Sum(inv(X)[0, j]*b[j], j)", "Sum(b[i]*inv(X)[0, i], i)"),
    ],
)
def test_a_matrix_function_is_a_term_of_its_own(written: str, meant: str) -> None:
    assert body(written) == meant


def test_solve_takes_vectors_and_matrices_and_transposes_exchange_subscripts() -> None:
    assert body(output={"y": "solve(X, b)"}) == "Sum(b[j]*inv(X)[i, j], j)"
    assert body(output={"y": "solve(X.T, B)"}) == "Sum(B[k, j]*inv(X)[k, i], k)"
    assert body(output={"y": "inv(X.T) @ b"}) == body(output={"y": "solve(X.T, b)"})


def test_batch_axes_lead() -> None:
    assert body(output={"y": "solve(Z, z)"}) == "Sum(z[..., j]*inv(Z)[..., i, j], j)"
    assert body(output={"y": "det(Z)"}) == "det(Z)[...]"
    assert body(output={"y[..., i]": "inv(Z)[..., i, 0]*det(Z)[...]"}) == "det(Z)[...]*inv(Z)[..., i, 0]"


def test_an_expression_as_argument_becomes_a_statement_and_equal_ones_become_one() -> None:
    program = read("logdet(X.T @ X) + det(X.T @ X)")
    assert [(s.name, s.kind, s.inner) for s in program.statements] == [("M", "let", True), ("loss", "loss", False)]
    assert show(program.statements[0].body) == "Sum(X[k, i]*X[k, j], k)"
    assert body("logdet(X + 1)", let={"K[i, j]": "X[i, j] + 1"}) == "logdet(K)"


def test_the_name_of_an_argument_is_no_word_of_the_file() -> None:
    program = read_mapping({"name": "f", "inputs": {"M": ["n", "n"]}, "loss": "det(2*M)"}).program
    assert program.statements[0].name == "M2"


def test_what_is_printed_can_be_read_back() -> None:
    program = read("logdet(X.T @ X) + det(X)*inv(X)[0, 0]")
    for s in program.statements:
        assert parse_closed(show(s.body), program, s.indices) is s.body
    assert show(parse_closed("logdet(X.T @ X)", program)) == "logdet(M)"


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("det(Y)", "det takes a square matrix; Y has shape [n, m]"),
        ("inv(Y)[0, 0]", "inv takes a square matrix; Y has shape [n, m]"),
        ("logdet(b)", "logdet takes a matrix; b has shape [n]"),
        ("det(b[i])", "det takes a whole matrix, and b[i] has indices"),
        ("det(3)", "det takes a matrix; 3 has shape []"),
        ("Sum(solve(X, Y.T))", "the sizes of solve(X, Y.T) do not fit: n meets m"),
        ("inv(X)[0]", "1 subscript given"),
        ("solve(X)", "solve takes 2 arguments, not 1"),
        ("adj(X)[0, 0]", "no function adj in the language"),
    ],
)
def test_a_wrong_argument_is_an_error_at_its_place(loss: str, message: str) -> None:
    with pytest.raises(FormulaError) as found:
        read(loss)
    assert message in str(found.value)
    assert found.value.where is not None
