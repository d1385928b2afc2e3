"""Array notation means the index notation that it abbreviates: both are read, and the programs are one."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import substitute
from symgrad.algebra.terms import Term, idx
from symgrad.errors import FormulaError
from symgrad.formula.program import Statement
from symgrad.formula.reader import read_text

HEAD = (
    "name: f\ninputs: {x: [n, d], w: [m, d], b: [m], A: [d, d], v: [d], X: [..., d], Y: [..., d, m], B: [h, n, d], "
    "col: [n, 1], s: [], k: {shape: [n, d], dtype: bool}}\nparameters: {eps: 1e-5}\n"
)


def output(statement: str) -> Statement:
    return read_text(HEAD + "output:\n  " + statement + "\n", "f.yaml").program.statements[0]


def renamed(s: Statement) -> tuple[tuple[Term, ...], Term]:
    """Indices and body with the free indices numbered."""
    names = {i: i if i.data == "..." else idx(f"free{k}", i.args[0]) for k, i in enumerate(s.indices)}
    return tuple(names.values()), substitute(s.body, names)


SAME = {
    "x @ w.T + b": "y[i, o]: Sum(x[i, j]*w[o, j], j) + b[o]",
    "X @ w.T + b": "y[..., o]: Sum(X[..., j]*w[o, j], j) + b[o]",
    "v @ A @ v": "y: Sum(Sum(v[i]*A[i, j], i)*v[j], j)",
    "A @ v": "y[i]: Sum(A[i, j]*v[j], j)",
    "v @ A": "y[j]: Sum(v[i]*A[i, j], i)",
    "B @ A": "y[q, i, j]: Sum(B[q, i, p]*A[p, j], p)",
    "x @ transpose(B)": "y[q, i, j]: Sum(x[i, p]*B[q, j, p], p)",
    "B @ v": "y[q, i]: Sum(B[q, i, j]*v[j], j)",
    "v @ Y": "y[..., o]: Sum(v[j]*Y[..., j, o], j)",
    "B.T": "y[j, i, q]: B[q, i, j]",
    "transpose(Y)": "y[..., o, j]: Y[..., j, o]",
    "X*v - s": "y[..., j]: X[..., j]*v[j] - s",
    "x - mean(x, axis=1, keepdims=True)": "y[i, j]: x[i, j] - mean(x[i, j], j)",
    "x - mean(x, axis=0)": "y[i, j]: x[i, j] - mean(x[i, j], i)",
    "x/sqrt(var(x, axis=0) + eps)": "y[i, j]: x[i, j]/sqrt(var(x[i, j], i) + eps)",
    "col*x + col": "y[i, j]: col[i, 0]*x[i, j] + col[i, 0]",
    "where(k & (x > col), x, v)": "y[i, j]: where(k[i, j] & (x[i, j] > col[i, 0]), x[i, j], v[j])",
    "Piecewise((x, x > 0), (v, True))": "y[i, j]: Piecewise((x[i, j], x[i, j] > 0), (v[j], True))",
    "Max(x, v, 0)**2": "y[i, j]: Max(x[i, j], v[j], 0)**2",
    "clip(-x, -1, 1)": "y[i, j]: clip(-x[i, j], -1, 1)",
    "softmax(x @ w.T, axis=-1)": "y[i, o]: softmax(Sum(x[i, j]*w[o, j], j), o)",
    "softmax(B, axis=(1, 2))": "y[q, i, j]: softmax(B[q, i, j], i, j)",
    "log_softmax(X, axis=-1)": "y[..., j]: log_softmax(X[..., j], j)",
    "logsumexp(x, axis=0)": "y[j]: logsumexp(x[i, j], i)",
    "amax(B, axis=(0, -1), ties=first)": "y[i]: amax(B[q, i, j], q, j, ties=first)",
    "argmax(x, axis=1)": "y[i]: argmax(x[i, j], j)",
    "norm(A @ v)": "y: norm(Sum(A[i, j]*v[j], j), i)",
    "norm(x, axis=1)": "y[i]: norm(x[i, j], j)",
    "mean(X)": "y: mean(X[..., j], ..., j)",
    "Sum(X, axis=-1)": "y[...]: Sum(X[..., j], j)",
    "Product(x, axis=0)": "y[j]: Product(x[i, j], i)",
    "trace(x @ x.T)": "y: Sum(Sum(x[i, j]*x[i, j], j), i)",
    "trace(softmax(A, axis=1))": "y: Sum(where(i == j, softmax(A[i, j], j), 0), i, j)",
    "s.T*v + d": "y[j]: s*v[j] + d",
    "b[0]*v + x[0, d - 1]": "y[j]: b[0]*v[j] + x[0, d - 1]",
    "x**2 + 2**x": "y[i, j]: x[i, j]**2 + 2**x[i, j]",
}


@pytest.mark.parametrize("array", SAME)
def test_array_notation_is_the_index_notation_that_it_abbreviates(array: str) -> None:
    assert renamed(output(f"y: {array}")) == renamed(output(SAME[array]))


ISLANDS = {
    "y[i]: x[i, 0]/norm(A @ v)": "y[i]: x[i, 0]/norm(Sum(A[p, q]*v[q], q), p)",
    "y[i]: v[i]*trace(A)": "y[i]: v[i]*Sum(A[j, j], j)",
    "y[i, j]: transpose(A @ A)[i, j]*v[j]": "y[i, j]: Sum(A[j, p]*A[p, i], p)*v[j]",
    "y[i]: Sum(v[j]*norm(b), j)*v[i]": "y[i]: Sum(v[j]*norm(b[k_], k_), j)*v[i]",
}


@pytest.mark.parametrize("statement", ISLANDS)
def test_matrix_functions_and_norms_take_whole_arrays_beside_indices(statement: str) -> None:
    assert renamed(output(statement)) == renamed(output(ISLANDS[statement]))


def test_the_free_axes_of_a_loss_are_its_batch() -> None:
    text = "name: f\ninputs: {z: [n, c], t: {shape: [n, c], given: true}}\nloss: "
    array = read_text(text + "-Sum(t*log_softmax(z, axis=-1), axis=-1)\n").program.loss
    index = read_text(text + "-Sum(t[i, j]*log_softmax(z[i, j], j), j)\n").program.loss
    assert renamed(array) == renamed(index)
    assert [str(i.data) for i in array.indices] == ["i"]


def test_axes_get_names_that_nothing_else_has_and_those_that_the_file_uses() -> None:
    text = "name: f\ninputs: {i: [n, j], W: [j, j]}\nranges: {k: n}\nlet:\n  g[r, a]: i[r, a]\noutput:\n  y: g @ W\n"
    y = read_text(text).program.statement("y")
    assert y is not None
    assert [str(i.data) for i in y.indices] == ["r", "a"]
    other = read_text("name: f\ninputs: {i: [n, j]}\nranges: {k: n}\noutput:\n  y: i*2\n").program.statements[0]
    assert [str(i.data) for i in other.indices] == ["l", "m"]


def test_one_formula_may_use_both_notations_in_different_statements() -> None:
    text = HEAD + "let:\n  g: tanh(x @ w.T + b)\nloss: Sum(g[i, o]**2, o)\n"
    g, loss = read_text(text).program.statements
    assert [str(e.args[0]) for e in g.indices] == ["n", "m"]
    assert [str(e.args[0]) for e in loss.indices] == ["n"]


def test_expected_forms_may_be_in_array_notation_and_are_stretched_to_the_input() -> None:
    text = (
        "name: f\ninputs: {x: [n, d], w: [m, d], b: [m]}\noutput:\n  y: x @ w.T + b\n"
        "expect:\n  x: dy @ w\n  w: dy.T @ x\n  b: Sum(dy, axis=0)\n"
    )
    x, w, b = read_text(text).expected
    assert [len(e.indices) for e in (x, w, b)] == [2, 2, 1]
    ones = "name: f\ninputs: {x: [n, d], v: [d]}\nloss: Sum(x*v)\nexpect:\n  x: 1*v\n"
    (e,) = read_text(ones).expected
    assert len(e.indices) == 2


def test_assumptions_may_be_in_array_notation() -> None:
    text = "name: f\ninputs: {p: {shape: [n, c], given: true}, z: [n, c]}\nassume: "
    (fact,) = read_text(text + "Sum(p, axis=-1) == 1\nloss: Sum(p*z, axis=1)\n").program.facts
    (same,) = read_text(text + "Sum(p[i, j], j) == 1\nloss: Sum(p*z, axis=1)\n").program.facts
    assert fact.condition is same.condition


def test_sizes_are_compared_with_the_equations_that_are_assumed() -> None:
    text = "name: f\ninputs: {x: [n, d], w: [h*e], u: [h, e]}\noutput:\n  y: x*w + 0*u[0, 0]\n"
    with pytest.raises(FormulaError, match=r"meets d"):
        read_text(text)
    assert read_text(text + "assume: d == h*e\n")


def test_nested_norms_are_looked_at_once() -> None:
    nested = "norm(" * 40 + "x[i, j] + norm(A)" + ", j)" + ")" * 39
    with pytest.raises(FormulaError):
        read_text(HEAD + f"loss: {nested}\n")
