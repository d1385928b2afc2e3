"""Symmetric matrices, and what is positive of them."""

from __future__ import annotations

import pytest

from symgrad.algebra.show import show
from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_mapping


def closed(inputs: dict[str, object], loss: str, wrt: str, let: dict[str, str] | None = None) -> str:
    mapping: dict[str, object] = {"name": "f", "inputs": inputs, "loss": loss}
    derivation = derive_formula(read_mapping(mapping | ({"let": let} if let else {})))
    return show(derivation.gradient(wrt).closed)


def given(domain: str) -> dict[str, object]:
    return {"shape": ["n", "n"], "domain": domain, "given": True}


@pytest.mark.parametrize("domain", ["symmetric", "positive_definite"])
def test_both_halves_of_the_gradient_of_a_form_in_a_given_symmetric_matrix_are_one(domain: str) -> None:
    assert closed({"x": ["n"], "A": given(domain)}, "x @ A @ x", "x") == "2*Sum(A[j, i]*x[i], i)"


def test_the_inverse_of_a_symmetric_matrix_is_symmetric() -> None:
    found = closed({"x": ["n"], "A": given("positive_definite")}, "x @ inv(A) @ x", "x")
    assert found == "2*Sum(x[i]*inv(A)[j, i], i)"


def test_a_matrix_that_is_differentiated_counts_as_any_other() -> None:
    inputs = {"x": ["n"], "A": {"shape": ["n", "n"], "domain": "symmetric"}}
    assert closed(inputs, "x @ A @ x", "x") == "Sum(x[i]*(A[i, j] + A[j, i]), i)"


def test_a_matrix_that_is_symmetric_by_its_definition_needs_no_fact() -> None:
    mapping = {"name": "f", "inputs": {"X": ["m", "n"]}, "loss": "logdet(X.T @ X)"}
    derivation = derive_formula(read_mapping(mapping))
    assert show(derivation.gradient("X").closed) == "2*Sum(X[k, i]*inv(M)[i, j], i)"
    assert not derivation.assumed


def test_a_congruence_of_a_symmetric_matrix_is_symmetric_and_the_fact_is_reported() -> None:
    inputs = {"X": ["n", "p"], "A": given("symmetric")}
    derivation = derive_formula(read_mapping({"name": "f", "inputs": inputs, "loss": "logdet(X.T @ A @ X)"}))
    assert "+" not in show(derivation.gradient("X").closed)
    assert [f.text for f in derivation.assumed]


def test_a_positive_diagonal_does_not_make_the_elements_positive() -> None:
    inputs = {"P": {"shape": ["n", "n"], "domain": "positive_definite"}}
    assert closed(inputs, "Sum(Abs(P))", "P") == "sign(P[i, j])"


def test_a_kernel_of_differences_is_symmetric() -> None:
    let = {"K[i, j]": "exp(-Sum((x[i, k] - x[j, k])**2, k)) + where(i == j, 1, 0)"}
    found = closed(
        {"x": {"shape": ["n", "d"], "given": True}, "y": ["n"]}, "Sum(y[i]*inv(K)[i, j]*y[j], i, j)", "y", let
    )
    assert found == "2*Sum(y[j]*inv(K)[i, j], j)"
