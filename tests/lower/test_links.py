"""Sums over linked indices p = s*a + u - c: which of the three are run over."""

from __future__ import annotations

from symgrad.algebra.build import compare, iverson, mul, reduce, sub
from symgrad.algebra.terms import Term, dim, get, get0, idx, num
from symgrad.formula.program import Statement
from symgrad.lower.arrays import Contract, Expr, Fold, Gather, Window, walk
from symgrad.lower.links import linked
from symgrad.lower.program import lower_statements, lower_term
from symgrad.lower.scope import Names, Scope, Signature

n, q, m, c = (dim(x) for x in "nqmc")
a, p, u, k = idx("a", n), idx("p", q), idx("u", m), idx("k", c)
TENSORS = {
    "x": Signature((c, n)),
    "W": Signature((c, m)),
    "g": Signature((q,)),
    "square": Signature((q, n)),
    "long": Signature((c, n)),
}
APART = sub(p, mul(num(2), a))


def kinds(body: Term, *indices: Term) -> set[type]:
    program = lower_statements([Statement("y", indices, body)], TENSORS, ["y"], Names({"y"}))
    found: list[Expr] = [e for s in program for e in walk(s.expr)]
    return {type(e) for e in found}


def test_products_of_a_read_at_a_distance_are_added_up_where_they_belong() -> None:
    found = kinds(reduce("sum", mul(get("x", (k, a)), get0("W", (k, APART))), [a, k]), p)
    assert {Contract, Fold} <= found
    assert Gather not in found


def test_a_sum_over_the_far_end_reads_windows() -> None:
    found = kinds(reduce("sum", mul(get("g", (p,)), get0("W", (k, APART))), [p]), k, a)
    assert {Contract, Window} <= found
    assert Gather not in found


def test_a_position_that_follows_from_two_others_is_read_at() -> None:
    meets = iverson(compare("==", p, sub(u, mul(num(-2), a))))
    found = kinds(reduce("sum", mul(get("g", (p,)), get("x", (k, a)), meets), [a, p]), k, u)
    assert {Contract, Window} <= found


def test_a_read_at_a_distance_as_long_as_its_ends_stays_a_matrix() -> None:
    far = idx("b", n)
    found = kinds(reduce("sum", mul(get("x", (k, a)), get0("long", (k, sub(far, a)))), [a]), k, far)
    assert Gather in found
    assert Fold not in found


def test_nothing_is_linked_where_both_ends_are_read_together() -> None:
    scope = Scope(TENSORS, {}, (p,), Names(), lower_term)
    body = mul(get("square", (p, a)), get0("W", (k, APART)))
    assert linked(body, [a, k], scope) is None
    assert linked(body, [a, k, p], scope) is None
