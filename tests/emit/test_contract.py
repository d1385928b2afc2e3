"""What SPEC section 3 promises of generated modules beside numbers: errors, dtypes, names, bytes."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from tests.emit.cases import CASES, kernels, numpy_results, reference_results
from tests.emit.more_cases import MORE
from tests.emit.test_kernels import close


def test_reduction_none_gives_the_batch_and_gradients_refuse_it():
    c, k = CASES["softmax_ce"], kernels(CASES["softmax_ce"].text)
    x = c.data()
    values = k.numpy.loss(*x.values(), reduction="none")
    assert values.shape == (4,)
    close(k.numpy.loss(*x.values(), reduction="sum"), values.sum())
    close(k.numpy.grad(*x.values(), reduction="sum"), 4 * k.numpy.grad(*x.values()))
    for f in (k.numpy.grad, k.numpy.value_and_grad):
        with pytest.raises(ValueError, match="needs reduction 'mean' or 'sum', got 'none'"):
            f(*x.values(), reduction="none")
    for f in (k.numpy.loss, k.function):
        with pytest.raises(ValueError, match="must be 'mean', 'sum' or 'none', got 'average'"):
            f(*(x.values() if f is k.numpy.loss else (torch.tensor(v) for v in x.values())), reduction="average")


def test_a_wrong_shape_is_named_with_the_dimensions():
    k = kernels(CASES["softmax_ce"].text)
    z, t = np.ones((4, 5)), np.ones((4, 6))
    with pytest.raises(ValueError, match=r"t must have shape \[n, c\] = \[4, 5\], got \[4, 6\]"):
        k.numpy.loss(z, t)
    with pytest.raises(ValueError, match=r"t must have shape \[n, c\] = \[4, 5\], got \[4, 6\]"):
        k.function(torch.tensor(z), torch.tensor(t))
    with pytest.raises(ValueError, match=r"z must have shape \[n, c\], got \[5\]"):
        k.numpy.loss(z[0], t)


def test_a_wrong_dtype_is_named():
    k = kernels(CASES["cross_entropy"].text)
    z, t = np.ones((4, 5)), np.zeros(4, int)
    with pytest.raises(TypeError, match="z must be an array of floating dtype, got int64"):
        k.numpy.loss(z.astype(int), t)
    with pytest.raises(TypeError, match="t must be an array of integers, got float64"):
        k.numpy.loss(z, t.astype(float))
    with pytest.raises(TypeError, match=r"z must be a tensor of floating dtype, got torch.int64"):
        k.function(torch.tensor(z).long(), torch.tensor(t))
    with pytest.raises(TypeError, match="z must be a tensor, got ndarray"):
        k.function(z, torch.tensor(t))


@pytest.mark.parametrize("bad", [-1, 5])
def test_an_integer_outside_of_its_axis_is_an_index_error(bad):
    k = kernels(CASES["cross_entropy"].text)
    z, t = np.ones((4, 5)), np.array([0, 1, bad, 2])
    for f in (
        lambda: k.numpy.loss(z, t),
        lambda: k.numpy.grad(z, t),
        lambda: k.function(torch.tensor(z), torch.tensor(t)),
    ):
        with pytest.raises(IndexError, match=rf"t holds {bad}, outside of 0 to 4 \(axis c of z\)"):
            f()


def test_mixed_floats_are_promoted_and_python_numbers_never():
    k = kernels(CASES["focal"].text)
    x, t = np.linspace(-1, 1, 6, dtype=np.float32), np.full(6, 0.5)
    assert k.numpy.grad(x, t).dtype == np.float64
    assert k.numpy.grad(x, t.astype(np.float32), g=1.5).dtype == np.float32
    assert k.numpy.grad(x.astype(np.float16), t.astype(np.float16)).dtype == np.float16
    k = kernels(CASES["total"].text)
    assert k.numpy.grad(np.ones((2, 3), np.float32), 2.0).x.dtype == np.float32


@pytest.mark.parametrize(
    "name", ["softmax_ce", "cross_entropy", "linear", "layer_norm", "attention", "embedding", "batch_loss"]
)
def test_an_empty_batch_works_without_warnings(name):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    lead = {"linear": ["x"], "layer_norm": ["x"], "embedding": ["t"]}.get(name, list(x))
    x = {n: v[:0] if n in lead else v for n, v in x.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if k.derivation.program.is_loss:
            value, g = k.numpy.value_and_grad(*x.values())
            assert np.isnan(value)
            grads = {k.wrt[0]: g}
        else:
            y, _ = k.numpy.forward(*x.values())
            _, grads = numpy_results(k, x, [np.zeros_like(y)])
    assert all(grads[n].shape == x[n].shape for n in k.wrt)
    assert all(not np.any(g) for g in grads.values())


@pytest.mark.parametrize("name", ["linear", "layer_norm", "batch_loss", "embedding"])
@pytest.mark.parametrize("batch", [(), (4,), (2, 1, 3)])
def test_any_number_of_batch_axes(name, batch):
    c, k = CASES[name], kernels(CASES[name].text)
    x = c.data()
    rng = np.random.default_rng(5)
    for i in k.derivation.program.inputs:
        if i.batch:
            shape = (*batch, *x[i.name].shape[x[i.name].ndim - len(i.shape) :])
            x[i.name] = rng.integers(0, 4, shape) if i.dtype == "int" else rng.uniform(0.1, 0.9, shape)
    values, dy, grads = reference_results(c, k, x)
    got, found = numpy_results(k, x, dy, **c.params)
    close(got[0], values[0])
    for n in k.wrt:
        close(found[n], grads[n])


def test_extreme_logits_stay_finite_and_masked_ones_have_gradient_zero():
    k = kernels(CASES["cross_entropy"].text)
    z = np.array([[1e4, -1e4, 0.0], [0.0, -np.inf, 1.0], [5.0, 5.0, 5.0]])
    t = np.array([0, 2, 1])
    for dtype in (np.float64, np.float32):
        value, g = k.numpy.value_and_grad(z.astype(dtype), t)
        assert np.isfinite(value)
        assert np.all(np.isfinite(g))
        assert g[1, 1] == 0
        w = torch.tensor(z.astype(dtype), requires_grad=True)
        (h,) = torch.autograd.grad(k.function(w, torch.tensor(t)), w, create_graph=True)
        close(h.detach(), g, 1e-6)
        (hh,) = torch.autograd.grad((h * torch.tensor([[1.0, 2, 3]] * 3, dtype=w.dtype)).sum(), w)
        assert torch.isfinite(hh).all()


def test_a_row_without_a_finite_logit_has_softmax_zero():
    text = "name: masked\ninputs: {z: [n, c]}\noutput:\n  y[i, j]: softmax(z[i, j], j)\n"
    k = kernels(text)
    z = np.array([[-np.inf, -np.inf], [0.0, 1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, saved = k.numpy.forward(z)
        dz = k.numpy.backward(np.ones_like(y), saved)
    assert not y[0].any()
    assert not dz[0].any()


def test_saved_may_be_used_again_and_is_never_written_to():
    c, k = CASES["layer_norm"], kernels(CASES["layer_norm"].text)
    x = c.data()
    y, saved = k.numpy.forward(*x.values())
    copies = [np.copy(a) for a in saved]
    first = k.numpy.backward(np.ones_like(y), saved)
    second = k.numpy.backward(np.ones_like(y), saved)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(saved, copies, strict=True))


def test_check_inputs_names_the_domain_that_the_data_break():
    k = kernels(CASES["softmax_ce"].text)
    x = CASES["softmax_ce"].data()
    k.numpy.check_inputs(*x.values())
    with pytest.raises(ValueError, match=r"Sum\(t\[i, j\], j\) == 1 \(t is a simplex\)"):
        k.numpy.check_inputs(x["z"], x["t"] * 0.5)
    with pytest.raises(ValueError, match="t is a simplex"):
        k.numpy.check_inputs(x["z"], x["t"] * np.nan)
    k = kernels(CASES["cross_entropy"].text)
    with pytest.raises(ValueError, match="t is integer"):
        k.numpy.check_inputs(np.ones((2, 3)), np.array([0, 3]))


NAMES = """
name: {name}
inputs: {{np: [n, c], torch: [n, c], grad: [c], math: [c], print: [c], self: [], ctx: [c], dtype: [c], max: [c]}}
let:
  scale[i]: Sum(np[i, j]*torch[i, j]*math[j]*max[j], j)
  kernel[i, j]: tanh(np[i, j]*grad[j])*self*sqrt(n)
loss: scale[i]**2 + Sum(kernel[i, j]*print[j]*ctx[j]*dtype[j], j)
"""


@pytest.mark.parametrize("name", ["np", "special", "kernels", "namedtuple_"])
def test_names_of_the_formula_are_kept_and_generated_names_give_way(name):
    k = kernels(NAMES.format(name=name))
    rng = np.random.default_rng(0)
    x = {
        i.name: rng.standard_normal((4, 3)[: len(i.shape)] if len(i.shape) == 2 else (3,) * len(i.shape))
        for i in k.derivation.program.inputs
    }
    value, g = k.numpy.value_and_grad(**x)
    t = {n: torch.tensor(v, requires_grad=True) for n, v in x.items()}
    y = k.function(**t)
    y.backward()
    close(y.detach(), value)
    for n in k.wrt:
        close(t[n].grad, getattr(g, n))


def test_a_package_imports_lazily_and_needs_no_symgrad(tmp_path):
    files = kernels(CASES["softmax_ce"].text).files
    folder = tmp_path / "softmax_ce"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    code = (
        "import sys; import softmax_ce; assert 'numpy' not in sys.modules and 'torch' not in sys.modules;"
        "softmax_ce.loss; assert 'numpy' in sys.modules and 'torch' not in sys.modules; softmax_ce.SoftmaxCe;"
        "assert 'torch' in sys.modules and not any(m.startswith('symgrad') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", sorted({**CASES, **MORE}))
def test_sources_are_formatted_as_ruff_does(name, tmp_path):
    for file, text in kernels({**CASES, **MORE}[name].text).files.items():
        (tmp_path / file).write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length", "100", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_sources_are_the_same_bytes_in_every_process():
    code = (
        "import hashlib; from tests.emit.cases import CASES, kernels;"
        "print(hashlib.sha256(''.join(t for n in ('softmax_ce', 'attention') for t in"
        " kernels(CASES[n].text).files.values()).encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ".", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("0", "1")
    ]
    assert len({r.stdout for r in runs}) == 1
