"""The pitfalls of DESIGN section 6, each through the whole pipeline: reader, derivation, kernels, closed forms."""

from __future__ import annotations

from contextlib import suppress
from decimal import Overflow

import numpy as np
import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.emit.load import load_module
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_text
from symgrad.validate.decimal_backend import DecimalBackend
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.mpmath_backend import MpmathBackend
from tests.fuzz.judge import judge_text

PITFALLS = {
    "a summed index absent from the body multiplies by its dimension": """
name: absent
inputs: {x: [n, c], w: [c]}
output:
  "y[i]": Sum(x[i, j]**2, j, (k, 0, c - 1)) + Sum(w[0], (k, 0, n - 1))
""",
    "what is taken from a logsumexp over an index that it does not read leaves the logarithm of how many there are": """
name: constant
inputs: {x: [n, c], v: [n], g: [n, c]}
output:
  "o[j, p]": "logsumexp(softmax(Piecewise((g[i, j], i > j), (2, True)) + v[p], p), i)*sin(x[p, j])"
""",
    "where every summed index has a winner, what is added at an integer's value is added at one place": """
name: winner
inputs:
  A: [c, c]
  t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}
output:
  "y[k]": "amax(log(sigmoid((A[t[j], k] - A[k, k])**2)), j, ties=first)"
""",
    "where a read is 0 outside, what it is gathered by is read outside too": """
name: diagonal
inputs:
  x: [n, c]
  g: [n, c]
  t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}
let:
  "u[k, s]": "Max(Abs(g[k, t[k]])*x[k, s], where(s == k, log_softmax(g[k, t[k]], k), 1))"
loss: "Sum(u[s, r]**2, s, r)"
""",
    "rules that read a delta's factor at either of its indices do not undo one another": """
name: undone
inputs:
  x: [n, c]
  t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}
output:
  "y[j, p]": "log(sigmoid(log_softmax(x[j, t[j]]*exp(-1/4), j))) + x[p, 0]"
""",
    "an exponential that is a softmax where a bracket holds is not split: e^(-lse) is 0 where e^f is infinite": """
name: split
inputs: {v: [n], A: [c], g: [n, c]}
let:
  "a[q]": "v[q]**2"
  "m": "100*mean(a[p], p)"
  "u[k, s]": "softmax(where(a[s] > 1, m, g[s, k])*sin(A[k]), k)"
output: {"y[k]": "Sum(u[j, k]**2, j)*v[k]"}
""",
    "a product of two softmaxes is no exponential of one difference": """
name: twice
inputs: {x: [n, c], v: [n]}
let: {"b[p, r]": "4*(Abs(x[r, p]) - x[r, p]**2)**2"}
output: {"y[j, r]": "softmax(v[j] + log_softmax(b[r, j], r), j)"}
""",
    "a product with a read outside is 0 where its exponential is infinite": """
name: outside
inputs: {x: [..., h, w]}
parameters: {k: {value: 2, dtype: int, domain: positive}}
ranges: {p: "h//k", q: "w//k", u: "k", v: "k"}
let: {"a[..., i, j]": "4*x[..., i, j]**2"}
output: {"y[..., p, q]": "logsumexp(a[..., k*p + u, k*q + v], u, v)**2"}
""",
    "opened binders share no name with anything": """
name: capture
inputs: {x: [n, c], t: {shape: [n, c], given: true}}
let:
  "m[j]": Sum(x[i, j], i)/n
  "s[i]": Sum((x[i, j] - m[j])**2, j)
loss: Sum(s[i]*Sum((x[i, k] - t[i, k])**2, k), i)/Sum(s[j], j)
""",
    "a name whose index the body lacks is not folded to": """
name: folded
inputs: {z: [n, c], w: [n]}
let:
  "y[i, j]": softmax(z[i, j], j)
  "e[i]": exp(w[i])
loss: Sum(exp(w[i])*y[i, j]**2, j) + Sum(e[i]*z[i, j]*exp(z[i, j] - logsumexp(z[i, k], k)), j)
""",
    "a name whose value holds its own pivot under a reduction is not folded to in parts": """
name: pivot
inputs: {z: [n]}
let: {"a[r]": "log_softmax(softmax(z[r], r), r)"}
loss: "mean(a[i], i)"
""",
    "a name whose value holds its own pivot beside other factors is not folded to in parts": """
name: pivots
inputs: {v: [n], M: [d]}
let: {"b[r, q]": "log_softmax(-v[r]*sin(M[q]), q) + M[q]"}
output: {"y[s, r]": "(b[r, s] + v[r])*sin(M[s])"}
""",
    "a largest value is not computed back from a multiple of it": """
name: multiple
inputs: {x: [n], M: [c, d]}
let: {"b[k, j]": "amin(M[k, q], q)*n + M[k, j]*x[0]"}
loss: "b[s, r]"
""",
    "a largest value is not computed back from a name of its multiple": """
name: named_multiple
inputs: {x: [n], M: [c, d]}
let: {"b[k]": "amax(M[k, q], q)*n/3"}
loss: "b[s]*x[0]"
""",
    "a sum and its opposite in one product are one factor": """
name: opposites
inputs: {b: [c]}
let: {"u[q]": "(b[q]*exp(-b[q]**2) - Sum(b[q]*exp(-b[q]**2)*sin(b[i]), i))**2"}
loss: "Sum(u[s]**2, s)"
""",
    "a diamond": """
name: diamond
inputs: {x: [n]}
let: {"y[i]": "x[i]**2"}
loss: y[i]**2
""",
    "a scatter whose target stands in another factor": """
name: scattered
inputs:
  z: [n, c]
  w: [n, c]
  v: [c]
  t: {shape: [n], dtype: int}
loss: Sum(z[i, t[i]]*w[i, t[i]]*v[t[i]]*Sum(z[i, j]*v[j], j), i)
""",
    "a masked softmax": """
name: masked
inputs: {s: [n, n], v: [n, d]}
let:
  "p[i, j]": softmax(Piecewise((s[i, j], j <= i), (-oo, True)), j)
output:
  "y[i, a]": Sum(p[i, j]*v[j, a], j)
""",
    "sums of products with different matrices": """
name: merged
inputs: {x: [n, c], U: [d, c], V: [d, c]}
output:
  "y[i, a]": Sum(U[a, j]*x[i, j], j) + Sum(V[a, j]*x[i, j]**2, j)
""",
    "ties shared": "name: shared\ninputs: {x: [n, c]}\nloss: amax(x[i, j], j)*amin(x[i, j], j)\n",
    "the first of a tie": "name: first\ninputs: {x: [n, c, d]}\nloss: 'amax(x[i, j, k]**2, j, k, ties=first)'\n",
    "the first of a tie over a transposed plane": (
        "name: first\ninputs: {x: [n, c, d]}\nloss: 'amax(x[i, j, k]**2, k, j, ties=first)'\n"
    ),
    "squares of differences": """
name: centered
inputs: {x: [n, c]}
let:
  "m[i]": mean(x[i, j], j)
output:
  "y[i, j]": (x[i, j] - m[i])/sqrt(var(x[i, k], k) + 1/100)
""",
    "one minus a softmax": """
name: one_minus
inputs: {z: [n, c]}
let: {"y[i, j]": "softmax(z[i, j], j)"}
loss: Sum((1 - y[i, j])*y[i, j]*z[i, j], j)
""",
    "a strided window": """
name: window
inputs:
  x: {shape: [n, h], outside: 0}
  k: [r]
parameters: {s: {value: 2, dtype: int}, pad: {value: 1, dtype: int}}
ranges: {o: (h + 2*pad - r)//s + 1}
output:
  "y[b, o]": Sum(x[b, s*o + u - pad]*k[u], u)
""",
    "deltas inside of one monomial unify the other indices": """
name: diagonal
inputs: {A: [n, n], B: [n, n], v: [n]}
loss: Sum(A[i, i]*A[i, j]*B[j, j]*v[i], i, j)
""",
    "a name used at permuted and repeated indices": """
name: permuted
inputs: {A: [n, n]}
let: {"S[i, j]": "A[i, j]*A[j, i] + A[i, i]"}
loss: Sum(S[i, j]*S[j, i]*S[i, i], i, j)
""",
    "a product with a zero": "name: product\ninputs: {x: [n, c]}\nloss: Product(x[i, j], j)\n",
    "comparisons of indices": """
name: triangle
inputs: {x: [n, n], w: [n]}
loss: Sum(where(i < j, x[i, j], x[j, i]**2)*w[i], i, j)
""",
    "the batch of any number of axes": """
name: batched
inputs: {x: [..., d], W: [m, d], b: [m]}
loss: Sum((Sum(x[..., k]*W[o, k], k) + b[o])**2, o)
""",
    "a largest value is not computed back from a sum with its name": """
name: summed
inputs: {x: [n], z: [n, c]}
let: {"a[q]": "x[q] + 1 - amax(exp(-z[q, p]**2)/3, p)"}
output: {"y[q]": "a[q]**3"}
""",
    "an array that is one number is written out: nothing says how far its index runs": """
name: number
inputs: {x: [n, c], A: [c, c]}
let: {"a[q, j]": "relu(-(x[j, q] - x[j, q])**2)*x[j, q]"}
output: {"y[k]": "amin(where(k > 0, A[k, k], a[k, j]), j)"}
""",
    "a norm of nothing has no gradient, and its closed form no value": """
name: windows
inputs: {x: {shape: [n, h], outside: 0}, k: [r]}
ranges: {p: "h + 4"}
output: {"y[b, p]": "norm(x[b, p + u - 2]**2*sin(k[u]), u)"}
""",
    "a power whose exponent is 0 somewhere": """
name: polynomial
inputs: {x: [n], a: [m]}
output: {"y[i]": "Sum(a[k]*x[i]**k, k)"}
""",
    "a base and its exponent are one": """
name: tower
inputs: {x: {shape: [n], domain: positive}}
output: {"y[i]": "x[i]**x[i]**x[i]"}
""",
    "a tie of products of matrices is not asked for in another order": """
name: products
inputs: {W: [d, c], U: [c, d]}
let: {g: "amax(U @ (W @ U), axis=-1)"}
loss: "Sum(g**2)"
""",
}


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_pitfall(pitfall):
    assert judge_text(PITFALLS[pitfall].lstrip(), points=3) is None


def test_a_folding_adds_no_exponential_that_grows_where_the_name_vanishes():
    text = """
name: vanishing
inputs: {z: [c], s: []}
let: {"p[k]": "softmax(z[k], k)*exp(-s**2)"}
loss: "Sum((z[k] + p[k])**2, k)"
"""
    grads = kernels(text).grad(np.array([0.5, -1.0, 2.0]), np.array(40.0))
    assert np.allclose(grads.z, [1.0, -2.0, 4.0])
    assert grads.s == 0


def kernels(text: str):
    derivation = derive_formula(read_text(text.lstrip(), "pitfall.yaml"))
    return load_module(emit_package(derivation)["numpy_kernels.py"], "pitfall")


def test_a_diamond_is_four_cubes():
    x = np.array([1.0, -2.0, 0.5])
    assert np.allclose(kernels(PITFALLS["a diamond"]).grad(x, reduction="sum"), 4 * x**3, rtol=1e-14)


def test_ties_are_shared_or_the_firsts_as_the_formula_says():
    x = np.array([[2.0, 1.0, 2.0, 2.0]])
    shared = kernels("name: a\ninputs: {x: [n, c]}\nloss: amax(x[i, j], j)\n").grad(x)
    first = kernels("name: a\ninputs: {x: [n, c]}\nloss: 'amax(x[i, j], j, ties=first)'\n").grad(x)
    assert np.allclose(shared, [[1 / 3, 0, 1 / 3, 1 / 3]])
    assert np.allclose(first, [[1, 0, 0, 0]])


def test_the_first_of_a_tie_is_first_in_the_order_of_the_bound_indices():
    x = np.array([[[0.0, 3.0], [3.0, 0.0]]])
    rows = kernels("name: a\ninputs: {x: [n, c, d]}\nloss: 'amax(x[i, j, k], j, k, ties=first)'\n").grad(x)
    columns = kernels("name: a\ninputs: {x: [n, c, d]}\nloss: 'amax(x[i, j, k], k, j, ties=first)'\n").grad(x)
    assert np.allclose(rows, [[[0, 1], [0, 0]]])
    assert np.allclose(columns, [[[0, 0], [1, 0]]])


def test_constants_do_not_widen_float32():
    text = "name: a\ninputs: {x: [n]}\nparameters: {g: 2.5}\nloss: log(1 + g*x[i]**2)/3 + sqrt(2)*pi*x[i]\n"
    value, grad = kernels(text).value_and_grad(np.ones(3, np.float32))
    assert (np.asarray(value).dtype, grad.dtype) == (np.float32, np.float32)


def test_a_normalized_row_keeps_its_digits_in_float32_far_from_zero():
    module = kernels(PITFALLS["squares of differences"])
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((4, 50)) + 1000).astype(np.float32), rng.standard_normal((4, 50)).astype(np.float32)
    exact = module.backward(dy.astype(float), module.forward(x.astype(float))[1])
    got = module.backward(dy, module.forward(x)[1])
    assert np.max(np.abs(got - exact)) <= 1e-3 * np.max(np.abs(exact))


def test_one_minus_a_softmax_has_a_gradient_at_huge_logits():
    z = np.array([[1000.0, -1000.0, 3.0], [1e4, 1e4, 0.0]])
    assert np.all(np.isfinite(kernels(PITFALLS["one minus a softmax"]).grad(z)))


def test_a_masked_softmax_has_zeros_where_it_is_masked_and_no_nan():
    module = kernels(PITFALLS["a masked softmax"])
    rng = np.random.default_rng(0)
    s, v = rng.standard_normal((4, 4)), rng.standard_normal((4, 3))
    y, saved = module.forward(s, v)
    grads = module.backward(rng.standard_normal(y.shape), saved)
    assert np.allclose(y[0], v[0])
    assert np.all(grads.s[np.triu_indices(4, 1)] == 0)
    assert all(np.all(np.isfinite(g)) for g in grads)


def test_different_matrices_stay_products_of_matrices():
    source = emit_package(
        derive_formula(read_text(PITFALLS["sums of products with different matrices"].lstrip(), "x.yaml"))
    )
    assert source["numpy_kernels.py"].count(" @ ") + source["numpy_kernels.py"].count("einsum") >= 4


def test_a_fact_that_the_data_break_is_found_by_check_inputs_and_named_in_the_docstring():
    text = """
name: fact
inputs:
  z: [n, c]
  t: {shape: [n, c], domain: simplex, given: true}
loss: -Sum(t[i, j]*log_softmax(z[i, j], j), j)
"""
    module = kernels(text)
    z, t = np.zeros((2, 3)), np.full((2, 3), 1 / 3)
    module.check_inputs(z, t)
    with pytest.raises(ValueError, match=r"\bt\b"):
        module.check_inputs(z, 2 * t)
    assert "Sum(t[i, j], j) == 1" in (module.grad.__doc__ or "") + (module.__doc__ or "")


@pytest.mark.parametrize(
    ("text", "x", "p", "by_base", "by_exponent"),
    [
        ("x[i]**p[i]", 0.0, 2.0, 0.0, 0.0),
        ("x[i]**p[i]", 0.0, 1.0, 1.0, 0.0),
        ("x[i]**p[i]", 0.0, 0.0, 0.0, 0.0),
        ("x[i]**p[i]", 3.0, 0.0, 0.0, np.log(3.0)),
        ("x[i]**(x[i]**x[i]) + p[i]", 0.0, 1.0, 1.0, 1.0),
    ],
)
def test_a_power_follows_torch_where_its_base_or_its_exponent_is_0(text, x, p, by_base, by_exponent):
    formula = read_text(f'name: f\ninputs: {{x: [n], p: [n]}}\noutput: {{"y[i]": "{text}"}}\n', "f.yaml")
    module = load_module(emit_package(derive_formula(formula))["numpy_kernels.py"], "power")
    _, saved = module.forward(np.array([x]), np.array([p]))
    got = module.backward(np.ones(1), saved)
    assert got.x == pytest.approx([by_base])
    assert got.p == pytest.approx([by_exponent])


@pytest.mark.parametrize("backend", [MpmathBackend(30), DecimalBackend(30)], ids=lambda b: b.name)
def test_multiprecision_of_a_tower_of_powers_ends(backend):
    huge = read_text('name: f\ninputs: {x: [n]}\noutput: {"y[i]": "sin(exp(x[i]**x[i]**x[i]))"}\n', "f.yaml")
    with suppress(Overflow), backend.working():
        values = evaluate_program(huge.program, {"x": np.array([300.0, 12.0])}, {}, backend)
        assert not np.isfinite(np.asarray(values["y"], float)).any()


@pytest.mark.parametrize("far", [0.0, 1e3, -1e3, 1e4, -1e4])
def test_a_softmax_keeps_its_exponential_beside_a_sigmoid(far):
    """e^(x + s - lse) sigma(-x) is no e^(s - lse) sigma(x): that overflows far below zero."""
    formula = read_text('name: f\ninputs: {x: [n]}\noutput: {"y[k]": "softmax(x[k] + sigmoid(x[k]), k)"}\n', "f.yaml")
    module = load_module(emit_package(derive_formula(formula))["numpy_kernels.py"], "beside")
    x = far + np.array([0.0, 0.5, -1.0])
    y, saved = module.forward(x)
    upstream = np.array([1.0, 0.0, 0.0])
    slope = 1 + np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2
    assert module.backward(upstream, saved) == pytest.approx(y * (upstream - y[0]) * slope, rel=1e-12)
