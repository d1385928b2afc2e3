"""Emitted kernels against references in torch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from tests.emit.cases import CASES as FIRST
from tests.emit.cases import as_list, kernels, numpy_results, reference_results, tensors
from tests.emit.matrix_cases import MATRIX_CASES
from tests.emit.more_cases import MORE

CASES = {**FIRST, **MORE, **MATRIX_CASES}
ALL = sorted(CASES)
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


def close(got, expected, tolerance=1e-9):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    scale = max(float(np.max(np.abs(expected), initial=0)), 1e-300)
    assert np.max(np.abs(got - expected), initial=0) <= tolerance * scale


@pytest.mark.parametrize("name", ALL)
def test_numpy_values_and_gradients_are_those_of_the_reference(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    before = {n: v.copy() for n, v in x.items()}
    values, dy, grads = reference_results(c, k, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got, found = numpy_results(k, x, dy, **c.params)
    for a, b in zip(got, values, strict=True):
        close(a, b)
    for n in k.wrt:
        close(found[n], grads[n])
    assert all(np.array_equal(before[n], x[n]) for n in x)


@pytest.mark.parametrize("name", ALL)
def test_torch_values_and_gradients_are_those_of_the_reference(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    values, dy, grads = reference_results(c, k, x)
    t = tensors(k, x)
    y = as_list(k.function(*t.values(), **c.params))
    for a, b in zip(y, values, strict=True):
        close(a.detach(), b)
    g = torch.autograd.grad(y, [t[n] for n in k.wrt], [torch.tensor(d) for d in dy])
    for n, a in zip(k.wrt, g, strict=True):
        close(a, grads[n])


@pytest.mark.parametrize("name", ALL)
def test_torch_passes_gradcheck_and_gradgradcheck(name):
    c, k = CASES[name], kernels(CASES[name].text)
    t = tensors(k, c.data())

    def f(*w):
        y = k.function(*{**t, **dict(zip(k.wrt, w, strict=True))}.values(), **c.params)
        return tuple(y) if isinstance(y, tuple) else y

    inputs = [t[n] for n in k.wrt]
    assert torch.autograd.gradcheck(f, inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(f, inputs, fast_mode=True)


@pytest.mark.parametrize("name", ALL)
def test_forward_mode_is_the_directional_derivative(name):
    c, k = CASES[name], kernels(CASES[name].text)
    t = {n: v.detach() for n, v in tensors(k, c.data()).items()}
    rng = np.random.default_rng(3)
    v = tuple(torch.tensor(rng.standard_normal(t[n].shape)) for n in k.wrt)
    primals = tuple(t[n] for n in k.wrt)

    def through(function):
        def f(*w):
            y = function(*{**t, **dict(zip(k.wrt, w, strict=True))}.values(), **c.params)
            y = tuple(y) if isinstance(y, tuple) else (y,)
            return tuple(o.mean() for o in y) if k.derivation.program.is_loss else y

        return f

    reference = through(lambda *a, **p: c.reference(*a, **p))
    _, expected = torch.func.jvp(reference, primals, v)
    _, got = torch.func.jvp(through(k.function), primals, v)
    for a, b in zip(got, expected, strict=True):
        close(a, b)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    values, dy, grads = reference_results(c, k, x)
    small = {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in x.items()}
    got, found = numpy_results(k, small, [np.asarray(d, np.float32) for d in dy], **c.params)
    for a, b in zip([*got, *found.values()], [*values, *(grads[n] for n in k.wrt)], strict=True):
        assert np.asarray(a).dtype == np.float32
        close(a, b, 2e-5)
    t = tensors(k, small)
    y = as_list(k.function(*t.values(), **c.params))
    g = torch.autograd.grad(y, [t[n] for n in k.wrt], [torch.tensor(np.asarray(d, np.float32)) for d in dy])
    assert all(o.dtype == torch.float32 for o in [*y, *g])
    for a, b in zip(g, (grads[n] for n in k.wrt), strict=True):
        close(a, b, 2e-5)


@pytest.mark.parametrize("name", ALL)
def test_strided_and_read_only_inputs_give_the_same(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    _, dy, _ = reference_results(c, k, x)
    plain = numpy_results(k, x, dy, **c.params)
    odd = {}
    for n, v in x.items():
        wide = np.zeros((*v.shape, 2), v.dtype)
        wide[..., 0] = v
        odd[n] = wide[..., 0]
        odd[n].flags.writeable = False
    other = numpy_results(k, odd, dy, **c.params)
    for a, b in zip([*plain[0], *plain[1].values()], [*other[0], *other[1].values()], strict=True):
        close(a, b, 1e-13)
    assert all(np.asarray(g).flags.writeable for g in other[1].values())
