"""Positions in mixed radix become axes of their own."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.algebra.build import add, mul
from symgrad.algebra.terms import dim, idx, num, par
from symgrad.lower.radix import digits
from tests.emit.cases import kernels

G, M = par("groups"), dim("m")
P, Q = idx("p", G), idx("q", M)


def test_a_position_that_counts_all_its_digits_is_read_by_them():
    assert digits(add(mul(M, P), Q), mul(G, M)) == (P, Q)
    three = idx("r", num(3))
    assert digits(add(mul(num(3), M, P), mul(num(3), Q), three), mul(num(3), G, M)) == (P, Q, three)


@pytest.mark.parametrize(
    ("position", "size"),
    [
        (add(mul(M, P), Q), mul(num(2), G, M)),
        (add(mul(num(2), M, P), Q), mul(num(2), G, M)),
        (add(mul(M, P), Q, num(1)), mul(G, M)),
        (add(P, Q), add(G, M)),
    ],
)
def test_a_position_that_leaves_places_out_is_not(position, size):
    assert digits(position, size) is None


FORMULAS = {
    "heads": """
name: heads
inputs: {x: [n, "h*e"], w: [h, e]}
parameters: {h: {value: 2, dtype: int, domain: positive}}
output:
  y[i, k]: x[i, k]*w[k//e, k % e]
""",
    "flattened": """
name: flattened
inputs: {x: [n, c, h, w]}
ranges: {k: c*h*w}
output:
  y[i, k]: x[i, k//(h*w), (k//w) % h, k % w]**2
""",
    "grouped": """
name: grouped
inputs: {x: [n, "g*m"], W: ["g*o", m]}
parameters: {g: {value: 2, dtype: int, domain: positive}}
output:
  y[i, k]: Sum(W[k, c]*x[i, m*(k//o) + c], c)
""",
    "unshuffled": """
name: unshuffled
inputs: {x: [c, "r*h", "r*w"]}
parameters: {r: {value: 2, dtype: int, domain: positive}}
ranges: {k: c*r*r, p: h, q: w}
output:
  y[k, p, q]: x[k//(r*r), r*p + (k//r) % r, r*q + k % r]
""",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_reshapes_need_no_gather(name):
    source = kernels(FORMULAS[name]).files["numpy_kernels.py"]
    assert "_split(" in source or "_merged(" in source
    assert "np.clip" not in source
    assert "_scattered" not in source


def test_a_grouped_product_is_that_of_its_groups():
    module = kernels(FORMULAS["grouped"]).numpy
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 8)), rng.standard_normal((6, 4))
    y, saved = module.forward(x, w)
    assert np.allclose(y, np.concatenate([x[:, :4] @ w[:3].T, x[:, 4:] @ w[3:].T], axis=1))
    dy = rng.standard_normal(y.shape)
    back = module.backward(dy, saved)
    assert np.allclose(back.x, np.concatenate([dy[:, :3] @ w[:3], dy[:, 3:] @ w[3:]], axis=1))
    assert np.allclose(back.W, np.concatenate([dy[:, :3].T @ x[:, :4], dy[:, 3:].T @ x[:, 4:]]))
