"""torch.func, vmap, compile, autocast over emitted functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad

from tests.emit.cases import as_list, kernels, reference_results, tensors
from tests.emit.test_kernels import CASES, close

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
ALL = sorted(CASES)


def scalar_of(function, t, wrt, params):
    """The sum of all outputs as a function of the differentiated inputs."""

    def f(*w):
        y = function(*{**t, **dict(zip(wrt, w, strict=True))}.values(), **params)
        return sum(
            torch.sin(o + torch.arange(o.numel()).reshape(o.shape)).sum()
            for o in as_list(tuple(y) if isinstance(y, tuple) else y)
        )

    return f


def setting(name):
    c, k = CASES[name], kernels(CASES[name].text)
    t = {n: v.detach() for n, v in tensors(k, c.data()).items()}
    is_loss = k.derivation.program.is_loss and k.derivation.program.loss.indices

    def ours(*a, **p):
        return k.function(*a, **({"reduction": "none"} if is_loss else {}), **p)

    return c, k, t, ours


@pytest.mark.parametrize("name", ALL)
def test_func_grad_and_hessian_are_those_of_the_reference(name):
    c, k, t, ours = setting(name)
    numbers = tuple(range(len(k.wrt)))
    w = [t[n] for n in k.wrt]
    got = torch.func.grad(scalar_of(ours, t, k.wrt, c.params), numbers)(*w)
    expected = torch.func.grad(scalar_of(c.reference, t, k.wrt, c.params), numbers)(*w)
    for a, b in zip(got, expected, strict=True):
        close(a, b)
    if name in ("softmax_ce", "layer_norm", "focal", "masked_log", "norm_row"):
        for a, b in zip(hessian(ours, c, k, t, w), hessian(c.reference, c, k, t, w), strict=True):
            close(a, b, 1e-8)


def hessian(function, c, k, t, w):
    return torch.func.hessian(scalar_of(function, t, k.wrt, c.params), 0)(*w).reshape(1, -1)


@pytest.mark.parametrize("name", ALL)
def test_vmap_over_a_new_axis_is_a_loop(name):
    c, k, t, ours = setting(name)
    stacked = {n: torch.stack([v, v * 0.9, v * 0.5]) if n in k.wrt else v for n, v in t.items()}
    dims = tuple(0 if n in k.wrt else None for n in t)
    got = torch.vmap(lambda *a: tuple(as_list(ours(*a, **c.params))), in_dims=dims)(*stacked.values())
    loop = [as_list(ours(*(v[i] if n in k.wrt else v for n, v in stacked.items()), **c.params)) for i in range(3)]
    for j, g in enumerate(got):
        close(g, torch.stack([row[j] for row in loop]))


@pytest.mark.parametrize("name", ["softmax_ce", "conv2d", "attention", "embedding", "cross_entropy", "layer_norm"])
def test_per_sample_gradients_by_vmap_of_grad(name):
    c, k, t, ours = setting(name)
    w = tuple(t[n] for n in k.wrt)
    stacked = tuple(torch.stack([v, v * 1.5]) for v in w)
    f = torch.func.grad(scalar_of(ours, t, k.wrt, c.params), tuple(range(len(w))))
    got = torch.vmap(f)(*stacked)
    for i in range(2):
        for a, b in zip(got, f(*(v[i] for v in stacked)), strict=True):
            close(a[i], b)


@pytest.mark.parametrize("name", ["softmax_ce", "linear", "attention"])
def test_autocast_changes_nothing(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in c.data().items()}
    results = []
    for enabled in (False, True):
        t = tensors(k, x)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            y = k.function(*t.values(), **c.params)
            y.sum().backward()
        assert y.dtype == torch.float32
        results.append([y.detach(), *(t[n].grad for n in k.wrt)])
    for a, b in zip(*results, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_is_computed_in_float32_and_rounded(dtype):
    c, k = CASES["softmax_ce"], kernels(CASES["softmax_ce"].text)
    t = {n: torch.tensor(v).to(dtype) for n, v in c.data(scale=3).items()}
    t["z"].requires_grad_()
    y = k.function(*t.values())
    y.backward()
    wide = {n: v.detach().float() for n, v in t.items()}
    wide["z"].requires_grad_()
    expected = k.function(*wide.values())
    expected.backward()
    assert y.dtype == t["z"].grad.dtype == dtype
    assert torch.equal(y, expected.to(dtype))
    assert torch.equal(t["z"].grad, wide["z"].grad.to(dtype))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    ["softmax_ce", "cross_entropy", "attention", "conv2d", "embedding", "layer_norm", "gaussian", "determinants"],
)
def test_torch_compile_takes_the_whole_graph(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    values, dy, grads = reference_results(c, k, x)
    t = tensors(k, x)
    y = as_list(torch.compile(k.function, fullgraph=True, backend="aot_eager")(*t.values(), **c.params))
    g = torch.autograd.grad(y, [t[n] for n in k.wrt], [torch.tensor(d) for d in dy])
    for a, b in zip(y, values, strict=True):
        close(a.detach(), b)
    for n, a in zip(k.wrt, g, strict=True):
        close(a, grads[n])


def test_a_module_takes_the_parameters_in_its_constructor():
    c, k = CASES["focal"], kernels(CASES["focal"].text)
    t = tensors(k, c.data())
    module = k.torch.Focal(g=1.5, reduction="sum")
    close(module(*t.values()).detach(), k.function(*t.values(), g=1.5, reduction="sum").detach())


TRANSPOSED = """
name: transposed
inputs: {M: [c, d], v: [c]}
output: {"y[k, i]": "(M[i, k] + v[i])**2*sin(M[i, k])"}
"""


def test_an_output_that_is_computed_transposed_is_no_view_of_another_array():
    """A view's tangent would have to lie in memory as it does, and it could not be changed in place."""
    k = kernels(TRANSPOSED)
    m, v = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    with forward_ad.dual_level():
        y = k.function(forward_ad.make_dual(m, torch.ones_like(m)), v)
        got = forward_ad.unpack_dual(y).tangent
    expected = (2 * (m + v[:, None]) * torch.sin(m) + (m + v[:, None]) ** 2 * torch.cos(m)).T
    close(got, expected)
    w = m.clone().requires_grad_()
    y = k.function(w, v)
    y += 1
    y.sum().backward()
    close(w.grad, expected.T)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_torch_compile_takes_an_output_that_is_computed_transposed():
    k = kernels(TRANSPOSED)
    m, v = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    got = torch.compile(k.function, fullgraph=True, backend="aot_eager")(m, v)
    close(got, ((m + v[:, None]) ** 2 * torch.sin(m)).T)
