"""Terms as one line of Unicode."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import compare, div, exp, fn, iverson, mul, neg, power, reduce, sub
from symgrad.algebra.terms import BATCH, ONE, TWO, Term, dim, get, idx, node, num
from symgrad.report.unicode_terms import unicode_math

n, c = dim("n"), dim("c")
i, j, b = idx("i", n), idx("j", c), idx("b", n)
y, t, z = get("y", (i, j)), get("t", (i, j)), get("z", (i, j))


@pytest.mark.parametrize(
    ("term", "wanted"),
    [
        (div(sub(y, t), n), "(yᵢⱼ − tᵢⱼ)/n"),
        (neg(reduce("sum", mul(t, fn("log", y)), [j])), "−Σⱼ tᵢⱼ·log yᵢⱼ"),
        (exp(sub(z, reduce("lse", z, [j]))), "softmaxⱼ(zᵢⱼ)"),
        (div(sub(y, iverson(compare("==", j, get("t", (i,))))), n), "(yᵢⱼ − [j = tᵢ])/n"),
        (get("z", (b, j)), "z[b,j]"),
        (sub(get("z", (b, j)), y), "z[b,j] − y[i,j]"),
        (get("x", (idx(BATCH, dim(BATCH)), j)), "x[…,j]"),
        (exp(neg(get("s"))), "e⁻ˢ"),
        (exp(neg(get("s", (i,)))), "exp(−sᵢ)"),
        (power(sub(y, t), num(-2)), "1/(yᵢⱼ − tᵢⱼ)²"),
        (node("fn", (z,), "sech2"), "1 − tanh² zᵢⱼ"),
        (div(ONE, mul(TWO, n)), "1/(2n)"),
        (mul(num(3), fn("log", z), reduce("sum", y, [j])), "3·log(zᵢⱼ)·Σₖ yᵢₖ"),
    ],
)  # fmt: skip
def test_terms_are_one_line_of_mathematics(term: Term, wanted: str) -> None:
    assert unicode_math(term) == wanted
