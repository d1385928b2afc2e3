"""Closed forms in array notation: what people write, proven by reading it back; None where that cannot say it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgrad.closing.arrays.form import ArrayForm, array_form, written
from symgrad.closing.arrays.proof import same
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.expression import parse_closed
from symgrad.formula.reader import read_mapping


def derived(**keys: Any) -> Derivation:
    return derive_formula(read_mapping({"name": "f", **keys}))


def forms(wide: bool = True, **keys: Any) -> dict[str, str | None]:
    d = derived(**keys)
    found = {g.input: array_form(d.formula, g, wide) for g in d.gradients}
    return {name: f.text if f is not None else None for name, f in found.items()}


GIVEN = {"given": True}


@pytest.mark.parametrize(
    ("inputs", "loss", "expected"),
    [
        ({"A": {"shape": ["m", "d"], **GIVEN}, "x": ["d"], "b": {"shape": ["m"], **GIVEN}}, "norm(A @ x - b)**2",
         {"x": "2*A.T @ (A @ x - b)"}),
        ({"A": {"shape": ["n", "n"], **GIVEN}, "x": ["n"]}, "x @ A @ x", {"x": "(A + A.T) @ x"}),
        ({"A": ["m", "n"], "X": ["n", "p"], "B": ["p", "m"]}, "trace(A @ X @ B)",
         {"A": "B.T @ X.T", "X": "A.T @ B.T", "B": "X.T @ A.T"}),
        ({"X": ["m", "n"]}, "norm(X)**2", {"X": "2*X"}),
        ({"x": ["n"]}, "norm(x)", {"x": "x/norm(x)"}),
        ({"X": ["m", "n"], "A": {"shape": ["m", "m"], **GIVEN}}, "trace(X.T @ A @ X)", {"X": "(A + A.T) @ X"}),
        ({"a": ["m"], "X": ["m", "n"], "b": ["n"]}, "a @ X @ b", {"a": "X @ b", "X": "outer(a, b)", "b": "X.T @ a"}),
        ({"x": ["n"], "A": {"shape": ["n", "n"], **GIVEN}}, "trace(A)*Sum(x)", {"x": "trace(A)"}),
        ({"X": ["n", "n"]}, "trace(X)", {"X": "eye(n)"}),
        ({"A": ["n", "n"], "x": ["n"], "y": ["n"]}, "x @ inv(A) @ y",
         {"A": "-outer(inv(A).T @ x, inv(A) @ y)", "x": "inv(A) @ y", "y": "inv(A).T @ x"}),
        ({"X": ["m", "n"]}, "Sum(exp(X))", {"X": "exp(X)"}),
        ({"X": ["n", "n"]}, "logdet(X)", {"X": "inv(X).T"}),
        ({"X": ["n", "m"]}, "log(det(X.T @ X))", {"X": "2*X @ inv(X.T @ X)"}),
        ({"X": ["n", "m"], "A": {"shape": ["k", "n"], **GIVEN}, "B": {"shape": ["m", "k"], **GIVEN}}, "det(A @ X @ B)",
         {"X": "det(A @ X @ B)*(B @ inv(A @ X @ B) @ A).T"}),
        ({"X": ["n", "n"], "A": {"shape": ["n", "n"], **GIVEN}, "B": {"shape": ["n", "n"], **GIVEN}},
         "trace(A @ inv(X) @ B)", {"X": "-(inv(X) @ B @ A @ inv(X)).T"}),
        ({"X": ["n", "m"], "A": {"shape": ["p", "n"], **GIVEN}, "B": {"shape": ["m", "n"], **GIVEN},
          "C": {"shape": ["m", "p"], **GIVEN}}, "trace(A @ X @ B @ X @ C)",
         {"X": "(C @ A @ X @ B + B @ X @ C @ A).T"}),
        ({"x": ["n"], "B": {"shape": ["m", "n"], **GIVEN}, "C": {"shape": ["m", "k"], **GIVEN},
          "D": {"shape": ["k", "n"], **GIVEN}, "b": {"shape": ["m"], **GIVEN}, "d": {"shape": ["k"], **GIVEN}},
         "(B @ x + b) @ C @ (D @ x + d)", {"x": "B.T @ C @ (d + D @ x) + (b + B @ x) @ C @ D"}),
        ({"A": {"shape": ["n", "n"], **GIVEN}, "x": ["n"]}, "(x @ A @ x)/(x @ x)",
         {"x": "((A + A.T) @ x - 2*(x @ A @ x)*x/Sum(x**2))/Sum(x**2)"}),
        ({"X": ["m", "n"], "v": ["m"]}, "Sum(v[:, None]*X)", {"X": "v[:, None]", "v": "Sum(X, axis=-1)"}),
    ],
)  # fmt: skip
def test_gradients_read_as_in_a_textbook(inputs: dict[str, Any], loss: str, expected: dict[str, str]) -> None:
    assert forms(inputs=inputs, loss=loss) == expected


def test_a_linear_layer_without_batch_axes_is_three_matrix_expressions() -> None:
    inputs = {"x": ["n", "d"], "W": ["m", "d"], "b": ["m"]}
    assert forms(inputs=inputs, output={"y": "x @ W.T + b"}) == {
        "x": "dy @ W", "W": "dy.T @ x", "b": "Sum(dy, axis=0)",
    }  # fmt: skip


def test_batch_axes_are_summed_by_name_where_the_language_has_more_than_its_first_words() -> None:
    keys = {"inputs": {"x": ["...", "d"], "W": ["m", "d"], "b": ["m"]}, "output": {"y": "x @ W.T + b"}}
    assert forms(**keys) == {"x": "dy @ W", "W": "Sum(outer(dy, x), axis=...)", "b": "Sum(dy, axis=...)"}
    assert forms(wide=False, **keys) == {"x": "dy @ W", "W": None, "b": None}


@pytest.mark.parametrize(
    ("inputs", "loss"),
    [
        ({"z": ["n", "c"], "t": {"shape": ["n"], "dtype": "int"}}, "logsumexp(z[i, j], j) - z[i, t[i]]"),
        ({"x": ["n"]}, "Sum((x[i + 1] - x[i])**2, (i, 0, n - 2))"),
        ({"s": ["n", "n"]}, "Sum(where(j <= i, s[i, j], 0), i, j)"),
    ],
)
def test_gathers_shifts_and_conditions_on_indices_are_not_said_in_array_notation(
    inputs: dict[str, Any], loss: str
) -> None:
    assert set(forms(inputs=inputs, loss=loss).values()) == {None}


def test_a_formula_in_array_notation_has_its_closed_form_in_it_and_no_indices() -> None:
    import symgrad

    r = symgrad.derive({"name": "f", "inputs": {"x": ["n", "d"], "W": ["m", "d"]}, "let": {"z": "x @ W.T"},
                        "output": {"y": "sigmoid(z)"}})  # fmt: skip
    record = r.document()["gradients"]["W"]
    assert record["indices"] == []
    assert record["closed"] == record["matrix"]["closed"] == "(dy*y*(1 - y)).T @ x"
    assert record["where"] == {"z": "x @ W.T", "y": "sigmoid(z)"}
    assert len(r.gradients["W"].axes) == 2
    assert r.gradients["W"].matrix == record["closed"]


def test_a_formula_in_index_notation_keeps_it_and_gets_a_companion() -> None:
    import symgrad

    r = symgrad.derive({"name": "f", "inputs": {"x": ["n", "d"]}, "loss": "Sum(x[i, k]**2, i, k)"})
    record = r.document()["gradients"]["x"]
    assert record["closed"] == "2*x[i, k]"
    assert len(record["indices"]) == 2
    assert record["matrix"] == {"closed": "2*x", "where": {}, "latex": "2 x"}


def test_what_is_printed_evaluates_to_the_gradient() -> None:
    """The text, given to NumPy with `Sum` as sum, is the array of the kernels."""
    import symgrad

    r = symgrad.derive({"name": "f", "inputs": {"x": ["n", "d"], "W": ["m", "d"], "v": ["m"], "s": ["n"]},
                        "loss": "Sum(s[:, None]*tanh(x @ W.T)*v)"})  # fmt: skip
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=(4, 3)), "W": rng.normal(size=(5, 3)), "v": rng.normal(size=5),
              "s": rng.normal(size=4)}  # fmt: skip
    gradients = r.numpy.grad(*values.values())
    names = {**values, "Sum": np.sum, "tanh": np.tanh, "outer": np.outer, "diag": np.diag, "n": 4, "d": 3, "m": 5}
    for g in r.derivation.gradients:
        form = written(r.formula, g).matrix
        assert isinstance(form, ArrayForm)
        scope = dict(names)
        for name, text in form.definitions.items():
            scope[name] = eval(text, {}, scope)
        np.testing.assert_allclose(eval(form.text, {}, scope), getattr(gradients, g.input), rtol=1e-12)


def test_the_proof_tells_a_matrix_from_its_transpose() -> None:
    program = read_mapping({"name": "f", "inputs": {"A": ["n", "n"], "x": ["n"]}, "loss": "x @ A @ x"}).program
    i = program.inputs[1].shape[0]
    from symgrad.algebra.terms import idx

    free = (idx("i", i),)
    a = parse_closed("Sum(A[i, k]*x[k], k)", program, free)
    b = parse_closed("Sum(A[k, i]*x[k], k)", program, free)
    assert not same(a, b)
    assert same(parse_closed("Sum((A[i, k] + A[k, i])*x[k], k)", program, free), _sum(a, b))


def _sum(a: Any, b: Any) -> Any:
    from symgrad.algebra.build import add

    return add(a, b)
