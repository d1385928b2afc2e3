"""Formulas and inputs named as what Python has itself: generated code gives way."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.emit.cases import kernels

FORMULA = """
name: {name}
inputs: {{ {first}: [n, k], {second}: [n, h, k] }}
output:
  y[i]: Sum({first}[i, a]*{second}[i, b, a]*sigmoid({first}[i, a]), a, b)
"""


@pytest.mark.parametrize("name", ["zip", "len", "range", "list", "tuple", "any", "super", "isinstance", "max", "sum"])
def test_a_formula_may_have_the_name_of_a_builtin(name):
    k = kernels(FORMULA.format(name=name, first="x", second="w"))
    x, w = np.random.default_rng(0).standard_normal((2, 3)), np.ones((2, 4, 3))
    y, saved = k.numpy.forward(x, w)
    k.numpy.backward(np.ones(2), saved)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, w)]
    assert np.allclose(getattr(k.torch, name)(*tensors).detach(), y)
    module = getattr(k.torch, name.capitalize())()
    module(*tensors).sum().backward()
    assert tensors[0].grad is not None


@pytest.mark.parametrize("name", ["zip", "len", "range", "tuple", "max", "sum", "isinstance", "float"])
def test_an_input_may_have_the_name_of_a_builtin(name):
    k = kernels(FORMULA.format(name="shadow", first=name, second="w"))
    x, w = np.random.default_rng(0).standard_normal((2, 3)), np.ones((2, 4, 3))
    y, saved = k.numpy.forward(x, w)
    k.numpy.backward(np.ones(2), saved)
    assert np.allclose(k.torch.shadow(torch.tensor(x), torch.tensor(w)), y)
