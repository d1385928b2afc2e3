"""The independent evaluator: what each construct means, in three backends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symgrad.algebra.build import add, compare, conjunction, fn, iverson, mul, neg, power, reduce, sub, where
from symgrad.algebra.terms import BATCH, HALF, INFINITY, ONE, TWO, ZERO, Term, dim, get, get0, idx, node, num, par
from symgrad.formula.program import Input, Parameter, Program, Statement
from symgrad.validate.backends import EvaluationError, NumpyBackend
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.torch_backend import TorchBackend
from tests.validate.hand_made import cross_entropy, strided_window

n, c = dim("n"), dim("c")
i, j, k = idx("i", n), idx("j", c), idx("k", c)
X = np.array([[1.0, -2.0, 3.0], [0.5, 3.0, 3.0]])
BACKENDS = [NumpyBackend(), TorchBackend(), MpmathBackend(30)]


def program(body: Term, indices: tuple[Term, ...] = (), inputs: tuple[Input, ...] = ()) -> Program:
    x = Input("x", (n, c))
    statement = Statement("o", indices, body, "output")
    return Program("p", (x, *inputs), (Parameter("s", num(3).data, "int"),), (statement,), (), ("x",))


def evaluated(body: Term, indices: tuple[Term, ...] = (), backend=None, **data) -> np.ndarray:
    inputs = tuple(Input(k, (n,), dtype="int") for k in data)
    got = evaluate_program(program(body, indices, inputs), {"x": X, **data}, {}, backend or NumpyBackend())["o"]
    return np.asarray(got.detach() if isinstance(got, torch.Tensor) else got).astype(float)


def x(a: Term, b: Term) -> Term:
    return get("x", (a, b))


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.name)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sum", [2.0, 6.5]),
        ("prod", [-6.0, 4.5]),
        ("max", [3.0, 3.0]),
        ("min", [-2.0, 0.5]),
        ("max_first", [3.0, 3.0]),
        ("min_first", [-2.0, 0.5]),
        ("argmax", [2.0, 1.0]),
        ("lse", np.log(np.exp(X).sum(1))),
        ("norm", np.sqrt((X * X).sum(1))),
    ],
)
def test_each_reduction_means_the_same_in_every_backend(backend, kind, expected):
    assert np.allclose(evaluated(reduce(kind, x(i, j), [j]), (i,), backend), expected, rtol=1e-14)


def test_a_sum_over_an_index_that_is_absent_multiplies_by_its_dimension():
    assert evaluated(node("red", (num(5), idx("$1", c)), "sum")) == 15


def test_a_bracket_of_a_false_condition_kills_nan():
    body = mul(iverson(compare("<", ZERO, x(i, j))), power(x(i, j), HALF))
    assert np.allclose(evaluated(body, (i, j)), np.sqrt(np.maximum(X, 0)))


def test_a_branch_that_is_not_taken_has_no_gradient_outside_of_its_domain():
    body = add(where(compare("<", ZERO, x(i, j)), fn("log", x(i, j)), x(i, j)))
    data = torch.tensor(X, requires_grad=True)
    got = evaluate_program(program(body, (i, j)), {"x": data}, {}, TorchBackend())["o"]
    got.sum().backward()
    assert torch.allclose(data.grad, torch.tensor(np.where(X > 0, 1 / np.abs(X), 1.0)))


def test_a_masked_logit_leaves_a_row_finite():
    masked = where(compare("<", num(0), j), x(i, j), neg(INFINITY))
    got = evaluated(fn("exp", sub(masked, reduce("lse", masked, [j]))), (i, j))
    assert np.allclose(got.sum(1), 1)
    assert np.all(got[:, 0] == 0)


def test_indices_are_numbers_and_gathers_read_where_the_data_say():
    assert np.allclose(evaluated(add(x(i, j), mul(TWO, i)), (i, j)), X + 2 * np.arange(2)[:, None])
    assert np.allclose(evaluated(x(i, get("t", (i,))), (i,), t=np.array([2, 0])), [3.0, 0.5])


def test_a_padded_read_is_zero_outside_and_a_plain_one_is_an_error():
    shifted = (i, add(j, ONE))
    assert np.allclose(evaluated(get0("x", shifted), (i, j))[:, 2], 0)
    with pytest.raises(EvaluationError, match="outside of x"):
        evaluated(get("x", shifted), (i, j))
    inside = conjunction(compare("<", add(j, ONE), c), compare("<", ZERO, i))
    assert np.allclose(evaluated(where(inside, get("x", shifted), ZERO), (i, j))[1, :2], X[1, 1:])


def test_strides_and_padding_are_those_of_a_convolution():
    data, weights = np.arange(7.0), np.array([1.0, -1.0, 2.0])
    got = evaluate_program(strided_window(), {"x": data, "k": weights})["y"]
    padded = np.pad(data, 1)
    assert np.allclose(got, [padded[2 * o : 2 * o + 3] @ weights for o in range(4)])


def test_the_batch_is_any_number_of_axes():
    batch = idx(BATCH, dim(BATCH))
    body = reduce("sum", get("x", (batch, j)), [j])
    p = Program("p", (Input("x", (c,), batch=True),), (), (Statement("o", (batch,), body, "output"),), (), ("x",))
    for shape in ((3,), (2, 3), (2, 4, 3)):
        data = np.random.default_rng(0).standard_normal(shape)
        assert np.allclose(evaluate_program(p, {"x": data})["o"], data.sum(-1))


def test_the_number_of_batch_elements_is_a_number():
    batch = idx(BATCH, dim(BATCH))
    body = mul(get("x", (batch,)), power(dim(BATCH), num(-1)))
    p = Program("p", (Input("x", (), batch=True),), (), (Statement("o", (batch,), body, "output"),), (), ("x",))
    assert np.allclose(evaluate_program(p, {"x": np.ones((2, 3))})["o"], 1 / 6)


def test_gradients_are_torchs_at_kinks():
    data = torch.tensor([[0.0, 3.0, 3.0], [0.0, -1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    cases = {
        "relu": (fn("relu", x(i, j)), lambda a: torch.relu(a).sum()),
        "abs": (node("fn", (x(i, j),), "Abs"), lambda a: a.abs().sum()),
        "amax": (reduce("max", x(i, j), [j]), lambda a: a.amax(1).sum()),
        "first": (reduce("max_first", x(i, j), [j]), lambda a: a.max(1).values.sum()),
        "Max": (fn("Max", x(i, j), ZERO), lambda a: torch.maximum(a, torch.zeros_like(a)).sum()),
        "norm": (reduce("norm", mul(ZERO, x(i, j)), [j]), lambda a: 0 * a.sum()),
        "clip": (fn("clip", x(i, j), ZERO, num(3)), lambda a: a.clamp(0, 3).sum()),
    }
    for name, (body, reference) in cases.items():
        free = (i, j) if body.free == {i, j} else (i,)
        got = evaluate_program(program(body, free), {"x": data}, {}, TorchBackend())["o"].sum()
        mine = torch.autograd.grad(got, data)[0] if got.requires_grad else torch.zeros_like(data)
        assert torch.equal(mine, torch.autograd.grad(reference(data), data)[0]), name


def test_multiprecision_carries_its_digits():
    got = evaluate_program(program(fn("exp", par("s"))), {"x": X}, {}, MpmathBackend(60))["o"]
    assert str(got[()]).startswith("20.085536923187667740928529654581717896987907838554")


def test_a_closed_form_reads_statements_and_its_own_definitions():
    p = cross_entropy()
    data = {"z": X, "t": np.full((2, 3), 1 / 3)}
    values = evaluate_program(p, data)
    closed = mul(get("scale", (i,)), sub(get("y", (i, j)), get("t", (i, j))))
    definitions = [("scale", (i,), power(n, num(-1)))]
    got = evaluate_term(closed, p, {**data, **values}, (i, j), definitions=definitions)
    assert np.allclose(got, (values["y"] - data["t"]) / 2)


def test_constants_do_not_widen_float32():
    got = evaluate_program(program(mul(num(3), x(i, j)), (i, j)), {"x": X}, {}, NumpyBackend(np.float32))["o"]
    assert got.dtype == np.float32


def test_a_size_that_does_not_fit_is_an_error():
    with pytest.raises(EvaluationError, match="dimension c is 4, was 3"):
        evaluate_program(cross_entropy(), {"z": np.ones((2, 3)), "t": np.ones((2, 4))})
