"""Gradients through vectors of length 1 and through softmaxes, where one place holds nearly everything."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import symgrad

NORMALIZED = {
    "x[i, j]/norm(x[i, k], k)": (1, 0),
    "x[i, j]/sqrt(Sum(x[i, k]**2, k))": (1, 0),
    "x[i, j]/sqrt(Sum(x[i, k]**2, k) + 1/1024)": (1, Fraction(1, 1024)),
    "x[i, j]/sqrt(mean(x[i, k]**2, k) + 1/1024)": (4, Fraction(1, 1024)),
}
ROWS = np.array([[1000.0, 0, 0, 0], [50, 1e-3, 0, 2e-3], [1, 2, 3, -4], [3e-4, -1e4, 2e-2, 0]])


def slopes(x, upstream, count, eps):  # type: ignore[no-untyped-def]
    """The gradient of sum(upstream*x)/sqrt(sum(x**2)/count + eps), its sums exact."""
    x, upstream = ([Fraction(float(v)) for v in a] for a in (x, upstream))
    size = sum(v * v for v in x) / count + eps
    dot = sum(a * b for a, b in zip(x, upstream, strict=True)) / count
    return [float(u * size - v * dot) / float(size) ** 1.5 for u, v in zip(upstream, x, strict=True)]


@pytest.mark.parametrize("output", NORMALIZED)
@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_gradient_through_a_normalized_vector_keeps_its_digits_at_a_dominant_element(
    output: str, target: str
) -> None:
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n", "c"]}, "output": {"y[i, j]": output}})
    upstream = np.array([[0.3, -1.7, 0.9, 1.1]] * len(ROWS))
    if target == "numpy":
        _, saved = result.numpy.forward(ROWS)
        got = result.numpy.backward(upstream, saved)
    else:
        torch = pytest.importorskip("torch")
        x = torch.tensor(ROWS, requires_grad=True)
        result.torch.f(x).backward(torch.tensor(upstream))
        got = x.grad.numpy()
    exact = [slopes(x, u, *NORMALIZED[output]) for x, u in zip(ROWS, upstream, strict=True)]
    np.testing.assert_allclose(got, exact, rtol=1e-13)


POWERS = {"Sum(y[i, j]**2, j)": 2, "Sum(y[i, j]**3, j)": 3, "Sum(sqrt(y[i, j]), j)": 0.5}


@pytest.mark.parametrize("loss", POWERS)
def test_a_gradient_through_a_confident_softmax_keeps_its_digits(loss: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    text = {"name": "f", "inputs": {"z": ["n", "c"]}, "let": {"y[i, j]": "softmax(z[i, j], j)"}, "loss": loss}
    z, p = [60.0, 0.0, -3.0, 20.0], POWERS[loss]
    with mpmath.workdps(80):
        e = [mpmath.exp(v) for v in z]
        y = [v / sum(e) for v in e]
        exact = [float(p * (v**p - v * sum(w**p for w in y))) for v in y]
    np.testing.assert_allclose(symgrad.derive(text).numpy.grad(np.array([z]))[0], exact, rtol=1e-12)


def test_an_entropy_has_a_gradient_where_all_are_nearly_alike() -> None:
    text = {"name": "f", "inputs": {"z": ["n", "c"]}, "let": {"y[i, j]": "softmax(z[i, j], j)"}}
    numpy = symgrad.derive({**text, "loss": "-Sum(y[i, j]*log(y[i, j]), j)"}).numpy
    z = np.array([1.0, -2.0, 4.0, -1.0]) * 1e-12
    np.testing.assert_allclose(numpy.grad(z[None])[0], -(z - z.mean()) / 4, rtol=1e-11)
    np.testing.assert_allclose(numpy.grad(z[None] + 2.0**-10)[0], -(z - z.mean()) / 4, rtol=1e-3)


def test_a_cosine_distance_keeps_its_digits_where_the_directions_are_nearly_one() -> None:
    distance = "1 - Sum(x[i, j]*z[i, j], j)/(norm(x[i, j], j)*norm(z[i, j], j))"
    result = symgrad.derive({"name": "f", "inputs": {"x": ["n", "c"], "z": ["n", "c"]}, "output": {"y[i]": distance}})
    x, z = np.array([[3.0, 4.0], [3e200, 4e200]]), np.array([[3.0, 4.0 + 2.0**-30], [3.0, 4.0 - 2.0**-30]])
    y, _ = result.numpy.forward(x, z)
    angle = 3 * 2.0**-30 / 25  # (x0*z1 - x1*z0)/(|x||z|), to first order
    np.testing.assert_allclose(y, [angle**2 / 2] * 2, rtol=1e-5)  # an ulp of x moves the angle by a millionth


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_difference_of_distances_is_not_lost_far_away(dtype: type) -> None:
    text = {"name": "f", "inputs": {n: ["n", "c"] for n in "apq"}, "output": {"y[i]": None}}
    text["output"] = {"y[i]": "norm(a[i, j] - p[i, j], j) - norm(a[i, j] - q[i, j], j) + 1/4"}
    result = symgrad.derive(text)
    rng = np.random.default_rng(0)
    p, q = (rng.normal(size=(3, 4)).astype(dtype) for _ in range(2))
    a = (rng.normal(size=(3, 4)) * np.array([[1e3], [1e12], [3e37]])).astype(dtype)
    y, saved = result.numpy.forward(a, p, q)
    grads = result.numpy.backward(np.ones(3, dtype), saved)
    one = (a / np.linalg.norm(a.astype(float), axis=1, keepdims=True)).astype(float)
    far = (one * (q.astype(float) - p)).sum(axis=1)  # in the limit of large a
    np.testing.assert_allclose(y[1:], far[1:] + 0.25, rtol=1e-6 if dtype == np.float32 else 1e-11)
    turned = (q.astype(float) - p - one * far[:, None]) / np.linalg.norm(a.astype(float), axis=1, keepdims=True)
    np.testing.assert_allclose(grads.a[1:], turned[1:], rtol=1e-4 if dtype == np.float32 else 1e-10)


def test_distances_of_nothing_have_the_gradient_of_the_other_one_alone() -> None:
    text = {"name": "f", "inputs": {n: ["n", "c"] for n in "apq"}}
    result = symgrad.derive({**text, "output": {"y[i]": "norm(a[i, j] - p[i, j], j) - norm(a[i, j] - q[i, j], j)"}})
    a, far = np.zeros((3, 2)), np.array([3.0, 4.0])
    p, q = np.array([a[0], far, a[0]]), np.array([far, a[0], a[0]])
    y, saved = result.numpy.forward(a, p, q)
    np.testing.assert_allclose(y, [-5, 5, 0], rtol=1e-15)
    np.testing.assert_allclose(result.numpy.backward(np.ones(3), saved).a, [far / 5, -far / 5, [0, 0]], rtol=1e-15)


MIXTURE = {
    "name": "f",
    "inputs": {"z": ["n", "k"], "m": ["n", "k"], "s": ["n", "k"], "x": {"shape": ["n"], "given": True}},
    "loss": "-logsumexp(log(softmax(z[i, j], j)) - s[i, j] - ((x[i] - m[i, j])*exp(-s[i, j]))**2/2, j)",
}


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_posterior_differs_from_its_prior_by_what_the_data_say(target: str) -> None:
    result = symgrad.derive(MIXTURE)
    d = 2.0**-40
    z, m, s, x = np.zeros((1, 2)), np.array([[0.0, d]]), np.zeros((1, 2)), np.ones(1)
    assert np.allclose(gradient(result, target, z, m, s, x)[0], [[d / 4, -d / 4]], rtol=1e-9, atol=0)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_a_component_that_has_no_weight_has_no_gradient(target: str) -> None:
    result = symgrad.derive(MIXTURE)
    s = np.array([[-800.0, 0.0]])
    for g in gradient(result, target, np.zeros((1, 2)), np.zeros((1, 2)), s, np.ones(1))[1:]:
        assert g[0, 0] == 0
        assert np.isfinite(g).all()


def gradient(result, target, *inputs):  # type: ignore[no-untyped-def]
    """The gradients by the inputs that are not given."""
    if target == "numpy":
        return result.numpy.grad(*inputs)
    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(a, requires_grad=True) for a in inputs]
    result.torch.f(*tensors).backward()
    return [t.grad.numpy() for t in tensors[:-1]]


def test_directions_of_vectors_of_very_different_lengths_differ_as_they_are() -> None:
    text = {"name": "f", "inputs": {n: ["n", "c"] for n in "apq"}}
    result = symgrad.derive({**text, "output": {"y[i]": "norm(a[i, j] - p[i, j], j) - norm(a[i, j] - q[i, j], j)"}})
    near, far = np.array([[3e-12, 4e-12]]), np.array([[4.0, -3.0]])
    for p, q, exact in ((near, far, [-0.6 + 0.8, -0.8 - 0.6]), (far, near, [-0.8 + 0.6, 0.6 + 0.8])):
        _, saved = result.numpy.forward(np.zeros((1, 2)), p, q)
        np.testing.assert_allclose(result.numpy.backward(np.ones(1), saved).a[0], exact, rtol=1e-11)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_two_elements_that_share_everything_are_none_that_holds_most(size: int) -> None:
    result = symgrad.derive(
        {"name": "f", "inputs": {"x": ["n", "c"]}, "output": {"y[i, j]": "x[i, j]/norm(x[i, k], k)"}}
    )
    x = np.zeros((200, size + 1))
    x[:, :2] = np.random.default_rng(1).normal(size=(200, 1))
    _, saved = result.numpy.forward(x)
    upstream = np.tile([1.0, 3.0, *[0.0] * (size - 1)], (200, 1))
    got = result.numpy.backward(upstream, saved)
    np.testing.assert_allclose(got[:, 1] * np.abs(x[:, 0]) * np.sqrt(2), 1.0, rtol=1e-12)


def test_a_confident_weight_is_subtracted_from_1_within_a_product_too() -> None:
    loss = "-(1 - y[i, t[i]])**2*log(y[i, t[i]])"
    inputs = {"z": ["n", "c"], "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"}}
    text = {"name": "f", "inputs": inputs, "let": {"y[i, j]": "softmax(z[i, j], j)"}, "loss": loss}
    grad = symgrad.derive(text).numpy.grad(np.array([[50.0, 0.0]]), np.array([0]))
    rest = np.exp(-50.0)  # 1 - y, to first order: the loss is its cube
    np.testing.assert_allclose(grad[0], [-3 * rest**3, 3 * rest**3], rtol=1e-12)
