"""The judges look at closed forms as printed: their text, read back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from symgrad.algebra.build import mul
from symgrad.algebra.terms import Term, dim, get, idx
from symgrad.closing.derivation import derive_formula
from symgrad.formula.reader import read_text
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.points import normal_points
from symgrad.validate.printed import read_back

TEXTS = {
    "loss": (
        "name: a\ninputs: {z: [n, c], t: {shape: [n, c], given: true}}\n"
        "loss: -Sum(t[i, j]*log_softmax(z[i, j], j), j)\n"
    ),
    "layer": 'name: a\ninputs: {x: [..., d], W: [m, d]}\noutput: {"y[..., o]": "tanh(Sum(x[..., k]*W[o, k], k))"}\n',
    "inputs that bear names of indices": (
        'name: a\ninputs: {i: [n, c], j: [n]}\noutput: {"k[p]": "Sum(i[p, q]**2, q)*j[p]"}\n'
    ),
    "windows": (
        "name: a\ninputs: {x: {shape: [h], outside: 0}, k: [r]}\nranges: {o: h - r + 1}\n"
        'output: {"y[o]": "Sum(x[o + u]*k[u], u)"}\n'
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_form_read_back_has_the_values_of_the_form(name):
    derivation = derive_formula(read_text(TEXTS[name], "a.yaml"))
    program = derivation.program
    forms, wrong = read_back(program, derivation.gradients)
    assert wrong is None
    (point,) = normal_points(program, 0, 1)
    known = {**point.inputs, **evaluate_program(program, point.inputs, point.parameters), **point.upstream}
    for form, g in zip(forms, derivation.gradients, strict=True):
        a, b = (
            evaluate_term(
                f.closed,
                program,
                known,
                f.indices,
                point.parameters,
                None,
                [(d.name, d.indices, d.body) for d in f.where],
            )
            for f in (form, g)
        )
        assert np.allclose(a, b, rtol=1e-13, atol=1e-15)


@dataclass
class Form:
    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple = ()


def test_a_form_that_reads_a_name_which_nothing_defines_is_found():
    program = read_text(TEXTS["loss"], "a.yaml").program
    i, j = idx("i", dim("n")), idx("j", dim("c"))
    forms, wrong = read_back(program, (Form("z", (i, j), mul(get("nowhere", (i,)), get("z", (i, j)))),))
    assert forms == ()
    assert wrong is not None
    assert "gradient of z cannot be read back" in wrong
    assert "nowhere" in wrong
