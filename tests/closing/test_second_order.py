"""Closed forms of the second order: the textbook's, in the formula's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symgrad
from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.errors import FormulaError, UnsupportedError, UsageError, VerdictError
from symgrad.formula.reader import read_file, read_mapping, read_text
from symgrad.report.notation import notation_of

FORMULAS = Path(__file__).parents[2] / "formulas"
TEXTBOOK = {
    "losses/softmax_cross_entropy": ("y[i, j]*(v[i, j] - Sum(v[i, k]*y[i, k], k))/n", "y[i, j]*(1 - y[i, j])/n"),
    "losses/bce_with_logits": ("p[i]*v[i]*(1 - p[i])/n", "p[i]*(1 - p[i])/n"),
    "losses/poisson_nll": ("v[i]*exp(x[i])/n", "exp(x[i])/n"),
    "losses/huber": ("where(Abs(r[i]) <= delta, v[i], 0)/n", "where(Abs(r[i]) <= delta, 1, 0)/n"),
    "losses/quantile": ("0", "0"),
    "losses/mse": ("2*v[i]/n", "2/n"),
    "losses/log_cosh": ("v[i]*(1 - tanh(x[i] - t[i])**2)/n", "(1 - tanh(x[i] - t[i])**2)/n"),
    "matrix/least_squares": ("2*Sum(A[i, j]*A[i, k]*v[k], i, k)", "2*Sum(A[i, j]**2, i)"),
}


def second(name: str) -> Derivation:
    return derive_formula(read_file(str(FORMULAS / f"{name}.yaml")), order=2)


def printed(text: str, order: int = 2) -> list[tuple[str, str]]:
    d = derive_formula(read_text(text), order=order)
    assert d.second is not None
    names = notation_of(d.formula.program, index_names=d.formula.index_names).names
    return [(show(h.product.closed, names), show(h.diagonal.closed, names)) for h in d.second.hessians]


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_hessian_is_in_its_textbook_form(name: str) -> None:
    d = second(name)
    assert d.second is not None
    names = notation_of(d.formula.program, index_names=d.formula.index_names).names
    (h,) = d.second.hessians
    assert (show(h.product.closed, names), show(h.diagonal.closed, names)) == TEXTBOOK[name]


@pytest.mark.parametrize("path", sorted((FORMULAS / "second_order").glob("*.yaml")), ids=lambda p: p.stem)
def test_what_the_catalogue_expects_of_the_second_order_is_proven(path: Path) -> None:
    d = derive_formula(read_file(str(path)), order=2)
    assert {e.input: e.proven for e in d.expected} == {e.expected.key: True for e in d.expected}
    assert {e.kind for e in d.formula.expected} == {"gradient", "hvp", "diagonal"}


def test_what_is_expected_of_the_second_order_is_not_looked_at_in_the_first() -> None:
    d = derive_formula(read_file(str(FORMULAS / "second_order" / "logsumexp.yaml")))
    assert [e.input for e in d.expected] == ["z"]
    assert d.second is None


def test_a_wrong_expectation_is_not_proven() -> None:
    text = """
name: wrong
inputs: {x: [n]}
loss: exp(x[i])
expect:
  hvp x[i]: 2*v[i]*exp(x[i])/n
  diagonal x[i]: exp(x[i])/n
"""
    d = derive_formula(read_text(text), order=2)
    assert [(e.input, e.proven) for e in d.expected] == [("hvp x", None), ("diagonal x", True)]


def test_tangents_that_several_inputs_need_stay_names() -> None:
    d = second("networks/mlp")
    assert d.second is not None
    introduced = {w.name for h in d.second.hessians for w in h.product.where if w.introduced}
    assert {"z_dot", "y_dot"} <= introduced
    assert all(len(show(h.product.closed)) < 80 for h in d.second.hessians)


def test_the_direction_gives_way_to_names_of_the_formula() -> None:
    d = derive_formula(read_text("name: clash\ninputs: {v: [n]}\nloss: exp(v[i])\n"), order=2)
    assert d.second is not None
    assert d.second.directions == {"v": "v_"}
    assert printed("name: several\ninputs: {a: [n], b: [n]}\nloss: a[i]*b[i]\n") == [("vb[i]/n", "0"), ("va[i]/n", "0")]


def test_batch_elements_that_mix_have_their_diagonal_too() -> None:
    ((_, diagonal),) = printed(
        "name: mix\ninputs: {x: [...]}\nlet: {m: 'mean(x[...], ...)'}\nloss: 'Sum((x[...] - m)**2, ...)'\n"
    )
    assert diagonal == "2 - 2/Sum(1, ...)"


def test_layers_and_recurrences_are_refused() -> None:
    with pytest.raises(UsageError, match="--order 2 is for losses, and linear is a layer"):
        second("layers/linear")
    text = """
name: recurrent
inputs: {x: [t], u: []}
scan:
  s[k]: {first: "x[0]", next: "tanh(u*s[k - 1] + x[k])"}
loss: Sum(s[k], k)
"""
    with pytest.raises(UnsupportedError, match="recurrence"):
        derive_formula(read_text(text), order=2)


def test_a_layer_that_expects_a_product_is_told_so() -> None:
    text = "name: layer\ninputs: {x: [n]}\noutput: {'y[i]': 'x[i]**2'}\nexpect: {'hvp x[i]': '2*v[i]'}\n"
    with pytest.raises(FormulaError, match="hvp is of a loss"):
        read_text(text)


def test_distances_within_one_set_have_a_diagonal_where_a_point_meets_itself() -> None:
    """[|x| != 0]/|x| at x - x is 0, and no factor beside it is 0/0."""
    formula = {"name": "f", "inputs": {"x": ["n", "d"]}, "loss": "Sum(norm(x[i, k] - x[j, k], k), i, j)"}
    result = symgrad.derive(formula, order=2)
    assert "norm(0" not in show(result.derivation.second.hessians[0].diagonal.closed)
    x = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])
    _, diagonal = result.numpy.grad_and_hess(x)
    numeric = [
        (result.numpy.grad(x + h)[i, k] - result.numpy.grad(x - h)[i, k]) / 2e-6
        for i in range(3)
        for k in range(2)
        for h in [1e-6 * (np.arange(6).reshape(3, 2) == 2 * i + k)]
    ]
    np.testing.assert_allclose(diagonal.ravel(), numeric, rtol=1e-6)


def test_what_is_expected_of_the_second_order_is_proven_of_the_inputs_that_are_asked_for() -> None:
    """Along the direction in one input those in the others are 0; that of a single input is named v."""
    formula = {
        "name": "f",
        "inputs": {"x": ["n"], "w": ["n"]},
        "loss": "Sum(x[i]**2*w[i]**3, i)",
        "expect": {
            "hvp x[i]": "2*w[i]**3*vx[i] + 6*x[i]*w[i]**2*vw[i]",
            "diagonal x[i]": "2*w[i]**3",
            "hvp w[i]": "6*x[i]**2*w[i]*vw[i] + 6*x[i]*w[i]**2*vx[i]",
        },
    }
    read = read_mapping(formula)
    for wrt, keys in ((None, 3), (("x",), 2), (("w",), 1), (("w", "x"), 3)):
        found = derive_formula(read, wrt=wrt, order=2).expected
        assert [e.proven for e in found] == [True] * keys
    wrong = {**formula, "expect": {"hvp x[i]": "3*w[i]**3*vx[i] + 6*x[i]*w[i]**2*vw[i]"}}
    with pytest.raises(VerdictError, match="hvp x is not what"):
        symgrad.derive(wrong, wrt=("x",), order=2)
