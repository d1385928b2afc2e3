"""DESIGN section 6 at the level of the chain rule: each pitfall, its closed form and its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.reader import read_mapping
from symgrad.validate.evaluate import Evaluation, evaluate_program, evaluate_term
from symgrad.validate.mpmath_backend import MpmathBackend

BACKEND = MpmathBackend(50)
STEP = BACKEND.context.mpf(10) ** -18


def derived(**mapping: Any) -> Derivation:
    return derive_formula(read_mapping({"name": "pitfall", **mapping}))


def closed(derivation: Derivation, name: str) -> str:
    return show(derivation.gradient(name).closed)


def gradient(derivation: Derivation, name: str, inputs: dict[str, Any], upstream: dict[str, Any]) -> Any:
    g = derivation.gradient(name)
    known = {**inputs, **evaluate_program(derivation.program, inputs), **upstream}
    definitions = [(d.name, d.indices, d.body) for d in g.where]
    return np.asarray(
        evaluate_term(g.closed, derivation.program, known, g.indices, definitions=definitions), dtype=float
    )


def differences(derivation: Derivation, name: str, inputs: dict[str, Any], upstream: dict[str, Any]) -> Any:
    """d(<upstream, outputs>)/d(input), or of the mean loss, by central differences in multiprecision."""
    program = derivation.program

    def scalar(data: Any) -> Any:
        values = evaluate_program(program, {**inputs, name: data}, backend=BACKEND)
        if program.is_loss:
            loss = np.asarray(values[program.loss.name])
            return np.sum(loss) / loss.size
        return sum(np.sum(values[o.name] * upstream[f"d{o.name}"]) for o in program.outputs)

    base = BACKEND.real(inputs[name])
    out = np.zeros(np.shape(base))
    for at in np.ndindex(np.shape(base)):
        ends = []
        for sign in (1, -1):
            moved = np.array(base, dtype=object)
            moved[at] = moved[at] + sign * STEP
            ends.append(scalar(moved))
        out[at] = float((ends[0] - ends[1]) / (2 * STEP))
    return out


def assert_right(derivation: Derivation, **inputs: Any) -> None:
    rng = np.random.default_rng(0)
    program = derivation.program
    values = evaluate_program(program, inputs)
    upstream = (
        {}
        if program.is_loss
        else {f"d{o.name}": rng.standard_normal(np.shape(values[o.name])) for o in program.outputs}
    )
    for name in program.wrt:
        got, expected = gradient(derivation, name, inputs, upstream), differences(derivation, name, inputs, upstream)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def normal(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def test_a_diamond_adds_up() -> None:
    """Pitfall 4: y = x**2, loss y**2 is 4 x**3."""
    d = derived(inputs={"x": ["n"]}, let={"y[i]": "x[i]**2"}, loss="y[i]**2")
    assert closed(d, "x") == "4*x[i]*y[i]/n"
    assert_right(d, x=normal(4))


def test_a_value_used_three_times_gets_three_contributions() -> None:
    d = derived(
        inputs={"x": ["n"]}, let={"y[i]": "exp(x[i])", "u[i]": "y[i]*x[i]"}, loss="u[i]*y[i] + sin(u[i])*x[i] + y[i]**3"
    )
    assert_right(d, x=normal(4))


def test_an_unused_summed_index_counts_in_value_and_gradient() -> None:
    """Pitfall 1."""
    d = derived(inputs={"x": ["n"], "w": ["c"]}, loss="Sum(x[i]**2, (j, 0, c - 1)) + Sum(w[j], j)")
    assert closed(d, "x") == "2*c*x[i]/n"
    assert_right(d, x=normal(4), w=normal(3))


def test_a_bound_name_that_is_used_twice_is_not_captured() -> None:
    """Pitfall 2: the names of the user's bound indices meet those of other sums and of the left side."""
    d = derived(
        inputs={"A": ["n", "n"], "x": ["n"]},
        let={"y[i]": "Sum(A[i, j]*x[j], j)", "s[j]": "Sum(A[i, j]*y[i], i)"},
        output={"o[i]": "Sum(A[j, i]*s[j]*Sum(A[i, k]*x[k], k), j) + s[i]*Sum(x[i], i)"},
    )
    assert_right(d, A=normal(3, 3), x=normal(3, seed=2))


def test_a_transposed_read_in_a_statement_over_the_same_indices() -> None:
    d = derived(inputs={"A": ["n", "n"]}, output={"y[i, j]": "A[j, i]*A[i, j] + A[i, i]*A[j, j]"})
    assert_right(d, A=normal(3, 3))


def test_a_gather_whose_target_stands_in_another_factor() -> None:
    """Pitfall 5: the subscripted index enters both the read and a factor beside it."""
    d = derived(
        inputs={"e": ["c", "d"], "s": ["c"], "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"}},
        output={"y[i, k]": "e[t[i], k]*s[t[i]]*(t[i] + 1)"},
    )
    assert_right(d, e=normal(3, 2), s=normal(3, seed=2), t=np.array([0, 2, 2, 1, 0]))


def test_a_gather_of_a_gather() -> None:
    integers = {"shape": ["n"], "dtype": "int", "domain": "integer(0, n - 1)"}
    d = derived(inputs={"x": ["n"], "a": integers, "b": integers}, output={"y[i]": "x[a[b[i]]]*x[i]"})
    assert_right(d, x=normal(4), a=np.array([1, 1, 0, 3]), b=np.array([2, 0, 3, 3]))


def test_deltas_in_one_monomial_unify_their_indices() -> None:
    """Pitfall 13: a diagonal read, and brackets of equal indices."""
    d = derived(inputs={"A": ["n", "n"], "x": ["n"]}, output={"y[i]": "A[i, i]*x[i]"})
    assert closed(d, "A").startswith("where(")
    assert_right(d, A=normal(3, 3), x=normal(3, seed=2))
    d = derived(
        inputs={"A": ["n", "n"], "x": ["n"]},
        output={"y[i]": "Sum(where(i == j, 1, 0)*where(j == k, 1, 0)*A[j, k]*x[k]*A[k, i], j, k)"},
    )
    assert_right(d, A=normal(3, 3), x=normal(3, seed=2))


def test_strides_and_padding_scatter_to_the_right_places() -> None:
    """Pitfall 12: reads at 2*i + r - 1."""
    d = derived(
        inputs={"x": {"shape": ["n"], "outside": 0}, "k": ["r"]},
        ranges={"p": "n//2"},
        output={"y[p]": "Sum(k[q]*x[2*p + q - 1], q)"},
    )
    assert_right(d, x=normal(7), k=normal(3, seed=2))


@pytest.mark.parametrize(
    ("loss", "data", "expected"),
    [
        ("Abs(x[i])", [-2.0, 0.0, 3.0], [-1, 0, 1]),
        ("relu(x[i])", [-2.0, 0.0, 3.0], [0, 0, 1]),
        ("Max(x[i], 1)", [0.0, 1.0, 2.0], [0, 0.5, 1]),
        ("Min(x[i], 1)", [0.0, 1.0, 2.0], [1, 0.5, 0]),
        ("clip(x[i], -1, 2)", [-1.0, 0.0, 2.0], [1, 1, 1]),
        ("clip(x[i], -1, 2)", [-1.5, 0.0, 2.5], [0, 1, 0]),
        ("sign(x[i])*x[i]**2", [-2.0, 0.0, 3.0], [4, 0, 6]),
        ("Heaviside(x[i])*x[i]", [-2.0, 0.0, 3.0], [0, 0.5, 1]),
        ("floor(x[i])*x[i]", [-2.5, 0.5, 3.0], [-3, 0, 3]),
        ("where(x[i] < 0, x[i]**2, x[i])", [-2.0, 0.0, 3.0], [-4, 1, 1]),
    ],
)
def test_a_kink_has_the_slope_that_torch_gives_it(loss: str, data: list[float], expected: list[float]) -> None:
    d = derived(inputs={"x": ["n"]}, loss=loss)
    got = gradient(d, "x", {"x": np.array(data)}, {})
    np.testing.assert_allclose(got * len(data), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("amax(x[i, j], j)", [[0.5, 0.5, 0], [0, 0, 1]]),
        ("amax(x[i, j], j, ties=first)", [[1, 0, 0], [0, 0, 1]]),
        ("amin(x[i, j], j)", [[0, 0, 1], [0.5, 0.5, 0]]),
        ("amin(x[i, j], j, ties=first)", [[0, 0, 1], [1, 0, 0]]),
    ],
)
def test_ties_are_shared_or_the_first_takes_all(body: str, expected: list[list[float]]) -> None:
    """Pitfall 8."""
    d = derived(inputs={"x": ["n", "c"]}, output={"y[i]": body})
    got = gradient(d, "x", {"x": np.array([[2.0, 2.0, 1.0], [0.0, 0.0, 5.0]])}, {"dy": np.ones(2)})
    np.testing.assert_allclose(got, expected)


def test_the_norm_has_gradient_zero_at_zero() -> None:
    d = derived(inputs={"x": ["n", "c"]}, output={"y[i]": "norm(x[i, j], j)"})
    work = Evaluation(d.program, {"x": np.array([[0.0, 0.0], [3.0, 4.0]])})
    work.run(d.forward)
    work.bind({d.cotangents["y"]: np.ones(2)})
    work.run(d.backward)
    np.testing.assert_allclose(work.tensors[d.gradient_of["x"]], [[0, 0], [0.6, 0.8]])


def test_a_product_with_one_factor_of_zero_has_an_exact_gradient() -> None:
    d = derived(inputs={"x": ["n", "c"]}, output={"y[i]": "Product(x[i, j], j)"})
    got = gradient(d, "x", {"x": np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 3.0]])}, {"dy": np.ones(2)})
    np.testing.assert_allclose(got, [[6, 0, 0], [0, 0, 0]])


def test_a_masked_softmax_is_as_if_the_masked_values_were_absent() -> None:
    """Pitfall 6: exp(where(m, s, -oo)) is [m] exp(s)."""
    d = derived(
        inputs={"x": ["n", "n"]},
        let={"s[i, j]": "Piecewise((x[i, j], j <= i), (-oo, True))"},
        output={"y[i, j]": "softmax(s[i, j], j)"},
    )
    assert_right(d, x=normal(3, 3))
