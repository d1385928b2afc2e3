"""No e^(-lse) stands apart from its e^z: one of the two overflows where their quotient does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symgrad
from symgrad.algebra.show import show, softmax_parts
from symgrad.algebra.terms import Term, coefficient, terms_of, walk
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.reader import read_mapping

MIXTURE = {
    "name": "mixture",
    "inputs": {"w": ["k"], "m": ["k", "d"], "s": {"shape": ["k"], "domain": "positive"}, "x": ["n", "d"]},
    "loss": "-logsumexp(w[a] - d*log(s[a]) - Sum((x[i, j] - m[a, j])**2, j)/(2*s[a]**2), a)",
}
BIASED = {
    "name": "biased",
    "inputs": {"Q": ["n", "d"], "K": ["m", "d"], "b": ["m"], "V": ["m", "e"]},
    "output": {"O[i, a]": "Sum(softmax(Sum(Q[i, c]*K[j, c], c) + b[j], j)*V[j, a], j)"},
}
MASKED = {
    "name": "masked",
    "inputs": {"z": ["n", "d"]},
    "let": {"s[i, j]": "Sum(z[i, a]*z[j, a], a)"},
    "loss": "Sum(logsumexp(where(i == k, -oo, s[i, k]), k), i)",
}


def torn_exponents(d: Derivation, terms: list[Term]) -> list[str]:
    """Exponents with a log-sum-exp that are not a softmax's."""
    named = {s.name: s for s in d.forward if s.body.op == "red" and s.body.data == "lse"}
    exponents = [x.args[0] for t in terms for x in walk(t) if x.op == "fn" and x.data == "exp"]
    torn = []
    for e in exponents:
        lse = [r for c, r in map(coefficient, terms_of(e)) if r.data in named or (r.op == "red" and r.data == "lse")]
        parts = softmax_parts(e)
        if lse and (parts is None or parts[2].tensors):
            torn.append(show(e))
    return torn


@pytest.mark.parametrize("formula", [MIXTURE, BIASED, MASKED], ids=lambda f: str(f["name"]))
def test_kernels_and_closed_forms_hold_whole_softmaxes_only(formula: dict[str, Any]) -> None:
    d = derive_formula(read_mapping(formula))
    assert not torn_exponents(d, [s.body for s in d.backward])
    if formula is not MASKED:  # for people a mask is a bracket before the exponential
        assert not [g.input for g in d.gradients if "exp(" in show(g.closed)]


def test_the_gradients_of_a_mixture_are_its_responsibilities_times_those_of_its_parts() -> None:
    d = derive_formula(read_mapping({**MIXTURE, "gradient": ["m"]}))
    r = "softmax(w[a] - Sum((x[i, k] - m[a, k])**2, k)/(2*s[a]**2) - d*log(s[a]), a)"
    assert show(d.gradient("m").closed) == f"-Sum({r}*(x[i, j] - m[a, j]), i)/(n*s[a]**2)"


def test_weights_that_differ_by_hundreds_do_not_overflow() -> None:
    grad = symgrad.derive(MIXTURE).numpy.grad
    w, m, s = np.array([-900.0, 900.0]), np.array([[0.0], [0.5]]), np.array([1.0, 2.0])
    got = grad(w, m, s, np.array([[0.3], [0.1]]))
    assert all(np.all(np.isfinite(g)) for g in got)
    np.testing.assert_allclose(got.w, [0, -1], atol=1e-12)


def test_the_diagonal_of_the_hessian_has_no_exponential_of_minus_infinity() -> None:
    d = derive_formula(read_mapping(MASKED), order=2)
    assert d.second is not None
    assert not any("oo)" in show(s.body).replace("-oo, ", "") for s in d.second.program.diagonal)
    assert np.all(np.isfinite(symgrad.derive(MASKED, order=2).numpy.grad_and_hess(np.eye(3)[:, :2] * 40)[1]))


DAMPED = {
    "name": "damped",
    "inputs": {"z": ["n", "c"], "w": ["c"], "s": []},
    "output": {"y[i, j]": "softmax(z[i, j], j)*exp(-s**2)*w[j]"},
}


def test_an_exponential_beside_a_softmax_is_not_divided_by_again() -> None:
    """exp(-s**2) vanishes where exp(s**2) is infinite: a softmax read back from their product would be nan."""
    d = derive_formula(read_mapping(DAMPED))
    grown = [x for s in (*d.forward, *d.backward) for x in walk(s.body) if show(x) == "exp(s**2)"]
    assert not grown
    package = symgrad.derive(DAMPED).numpy
    z, w, s = np.array([[1.0, 2.0]]), np.array([1.0, 3.0]), np.array(40.0)
    _, saved = package.forward(z, w, s)
    assert all(np.isfinite(g).all() for g in package.backward(np.ones((1, 2)), saved))
