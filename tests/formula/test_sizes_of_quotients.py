"""Sizes with quotients have one form: what divides evenly comes out, quotients of quotients are one."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import add, fn, mul
from symgrad.algebra.terms import Term, dim, num
from symgrad.formula.polynomial import polynomial, same, term

H, K = dim("h"), dim("k")


def over(a: Term, b: int | Term) -> Term:
    return fn("floordiv", a, num(b) if isinstance(b, int) else b)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (over(add(mul(num(8), H), num(-2)), 2), "4*h - 1"),
        (add(over(add(H, num(-2)), 2), num(1)), "h//2"),
        (over(over(H, 2), 4), "h//8"),
        (over(add(H, num(5)), 3), "(h + 2)//3 + 1"),
        (over(add(H, num(-5)), 3), "(h + 1)//3 - 2"),
        (over(add(mul(H, K), K), K), "h + 1"),
        (over(H, K), "h//k"),
        (over(over(H, K), 2), "(h//k)//2"),
    ],
)
def test_a_quotient_has_one_form(size: Term, shown: str) -> None:
    assert str(term(polynomial(size))) == shown


@pytest.mark.parametrize("size", range(1, 40))
def test_the_form_has_the_same_value(size: int) -> None:
    def value(t: Term) -> int:
        if t.op == "num":
            return int(t.data)  # type: ignore[call-overload, no-any-return]
        if t.op == "dim":
            return size
        parts = [value(a) for a in t.args]
        return {"add": sum(parts), "mul": parts[0] * parts[-1], "fn": parts[0] // parts[-1]}[t.op]

    for a in range(-7, 8):
        for b in (1, 2, 3, 6):
            t = over(over(add(mul(num(6), H), num(a)), b), 4)
            assert value(term(polynomial(t))) == value(t), (a, b)


def test_three_poolings_by_two_are_one_by_eight() -> None:
    size = H
    for _ in range(3):
        size = add(over(add(size, num(-2)), 2), num(1))
    assert same(size, over(H, 8))
