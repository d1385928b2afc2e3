"""The constructors simplify: what they make has the same value, and is the same object however it was written."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.algebra.build import (
    Fresh,
    add,
    compare,
    fresh_in,
    iverson,
    mul,
    neg,
    open_reduction,
    power,
    reduce,
    sub,
    substitute,
)
from symgrad.algebra.terms import HALF, MINUS_ONE, TWO, Term, dim, get, idx, num, walk
from tests.algebra.trees import (
    EXAMPLES,
    EXTENTS,
    INDEX,
    MP,
    SIZES,
    C,
    N,
    build,
    evaluate,
    finite,
    meaning,
    points,
    rewritten,
    same,
    trees,
)

I, J, K, L = INDEX["i"], INDEX["j"], INDEX["k"], INDEX["l"]
CELLS = [dict(zip("ij", at, strict=True)) for at in product(range(SIZES["n"]), range(SIZES["c"]))]


def x(*subscripts: Term) -> Term:
    return get("x", subscripts)


def assert_same_value(tree: Any, term: Term, point: Any) -> None:
    for at in CELLS:
        expected = meaning(tree, point, at)
        if finite(expected) and abs(expected) < 1e30:
            assert same(expected, evaluate(term, point, at)), (tree, term, at)


@EXAMPLES
@given(trees(), points())
def test_a_constructed_term_has_the_value_of_what_was_written(tree: Any, point: Any) -> None:
    assert_same_value(tree, build(tree), point)


@EXAMPLES
@given(st.data(), trees())
def test_order_of_summands_factors_and_bound_indices_does_not_matter(data: st.DataObject, tree: Any) -> None:
    assert build(data.draw(rewritten(tree))) is build(tree)


@EXAMPLES
@given(trees(), st.sampled_from([("l", "k"), ("%1", "%2"), ("z1", "a0"), ("x", "w")]))
def test_names_of_bound_indices_do_not_matter(tree: Any, names: tuple[str, str]) -> None:
    rename = {"l": names[0], "m": names[0] + "'", "k": names[1], "q": names[1] + "'"}
    assert build(tree, rename) is build(tree)


@EXAMPLES
@given(trees(), trees(), points(), st.permutations(CELLS))
def test_substituting_an_index_evaluates_there(tree: Any, other: Any, point: Any, cells: Any) -> None:
    """`i -> l` and `j -> k` at once: the names that the terms bind themselves."""
    moved = substitute(build(tree), {I: L, J: K})
    for at in CELLS:
        expected = meaning(tree, point, at)
        if finite(expected) and abs(expected) < 1e30:
            assert same(expected, evaluate(moved, point, {"l": at["i"], "k": at["j"]}))


@EXAMPLES
@given(trees())
def test_no_canonical_name_is_free_and_free_indices_are_those_of_the_tree(tree: Any) -> None:
    term = build(tree)
    assert term.free <= {I, J}
    fresh = Fresh()
    for t in walk(term):
        if t.op == "red":
            body, variables = open_reduction(t, fresh)
            assert reduce(str(t.data), body, variables) is t


@EXAMPLES
@given(st.lists(trees(depth=2), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_what_was_built_before_leaves_no_trace(found: list[Any], random: Any) -> None:
    first = [build(t) for t in found]
    digests = [t.digest for t in first]
    del first
    order = list(range(len(found)))
    random.shuffle(order)
    again = {k: build(found[k]).digest for k in order}
    assert [again[k] for k in range(len(found))] == digests


def test_swapping_two_indices_swaps_them() -> None:
    t = mul(x(I, J), get("w", (J,)))
    two = substitute(add(x(I, J), get("A", (I, I))), {I: J, J: I})
    assert two is add(x(J, I), get("A", (J, J)))
    assert substitute(substitute(t, {I: L, J: K}), {L: I, K: J}) is t


def test_substitution_does_not_capture_a_free_index() -> None:
    """Pitfall 2: sum_k x[i, k] with i -> k is sum over another name, not sum_k x[k, k]."""
    square = get("A", (idx("i", N), idx("k", N)))
    i, k = idx("i", N), idx("k", N)
    total = substitute(reduce("sum", square, (k,)), {i: k})
    assert total.free == {k}
    assert total is reduce("sum", get("A", (k, i)), (i,))
    assert total is not reduce("sum", get("A", (k, k)), (k,))


def test_substitution_does_not_capture_across_two_binders() -> None:
    i, j, k = (idx(s, N) for s in "ijk")
    inner = reduce("sum", mul(get("A", (i, j)), get("A", (j, k))), (j,))
    outer = reduce("sum", mul(inner, get("A", (k, i))), (k,))
    assert substitute(outer, {i: j}) is substitute(substitute(outer, {i: idx("q", N)}), {idx("q", N): j})
    assert substitute(outer, {i: j}).free == {j}


def test_opened_binders_meet_neither_each_other_nor_the_users_names() -> None:
    i, k = idx("i", N), idx("k", N)
    fresh = Fresh()
    total = reduce("sum", get("A", (i, k)), (k,))
    a, va = open_reduction(total, fresh)
    b, vb = open_reduction(total, fresh)
    both = reduce("sum", mul(a, b), [*va, *vb])
    assert len(both.args) == 3
    assert both is reduce("sum", mul(get("A", (i, k)), get("A", (i, idx("l", N)))), (k, idx("l", N)))


def test_two_extents_may_share_a_bound_name() -> None:
    over_n, over_c = idx("k", N), idx("k", C)
    t = mul(reduce("sum", get("v", (over_n,)), (over_n,)), reduce("sum", get("w", (over_c,)), (over_c,)))
    assert {v.args[0] for r in t.args for v in r.args[1:]} == {N, C}
    assert t is mul(reduce("sum", get("w", (J,)), (J,)), reduce("sum", get("v", (L,)), (L,)))


@pytest.mark.parametrize("kind", ["sum", "prod", "lse", "max", "norm"])
def test_an_index_that_is_absent_from_the_body_stays_bound(kind: str) -> None:
    """Pitfall 1: a sum over an index that the body lacks is its extent times the body, never the body."""
    t = reduce(kind, x(I, J), (K,))
    assert t.op == "red"
    assert t.args[1].args[0] is C
    assert t is not x(I, J)


def test_argmax_and_first_ties_keep_the_order_of_their_indices() -> None:
    body = get("A", (I, J))
    for kind in ("argmax", "max_first", "min_first"):
        assert reduce(kind, body, (I, J)) is not reduce(kind, body, (J, I))
        assert [v.args[0] for v in reduce(kind, body, (J, I)).args[1:]] == [C, N]


@pytest.mark.parametrize(
    ("op", "a", "b", "text"),
    [
        ("<", sub(num(0), x(I, J)), num(0), "x[i, j] > 0"),
        ("<", num(0), sub(num(1), x(I, J)), "x[i, j] < 1"),
        ("<=", mul(num(2), x(I, J)), mul(num(2), get("z", (I, J))), "x[i, j] <= z[i, j]"),
    ],
)
def test_a_condition_has_one_form(op: str, a: Term, b: Term, text: str) -> None:
    from symgrad.algebra.show import show

    assert show(compare(op, a, b)).strip("()") == text


def test_terms_are_kept_alive_only_by_their_users() -> None:
    import gc
    import weakref

    t = get("only_here", (idx("only_here", dim("only_here")),))
    seen = weakref.ref(t)
    del t
    gc.collect()
    assert seen() is None


def test_extents_of_the_test_indices_are_as_declared() -> None:
    assert {k: v for k, v in EXTENTS.items() if k in "ijkl"} == {"i": "n", "l": "n", "j": "c", "k": "c"}


def test_a_bracket_absorbs_its_own_inverse() -> None:
    """Where c does not hold, [c] times what has no value there is 0."""
    c = iverson(compare("<", num(0), x(I, J)))
    assert mul(c, power(mul(c, get("z", (I, J))), num(-2))) is mul(c, power(get("z", (I, J)), num(-2)))


@EXAMPLES
@given(
    st.sampled_from([num(2), num(3), num(-1), num(-2), HALF, num(Fraction(3, 2)), num(Fraction(1, 3))]),
    st.sampled_from([num(2), num(-1), HALF, num(Fraction(-1, 2)), num(Fraction(2, 3))]),
    st.sampled_from([Fraction(k, 2) for k in (-3, -2, -1, 1, 2, 3, 4)]),
)
def test_a_power_of_a_power_keeps_its_sign(inner: Term, outer: Term, at: Fraction) -> None:
    """(x**2)**(1/2) is no x: powers of powers are joined only where that holds for negative x too."""
    base = get("s", ())
    tree = ("pow", ("pow", ("get", "s", ()), inner.data), outer.data)
    point = {"s": {(): MP.mpf(at.numerator) / at.denominator}}
    expected = meaning(tree, point, {})
    if finite(expected):
        assert same(expected, evaluate(power(power(base, inner), outer), point, {}))


def test_an_unused_index_outside_does_not_turn_the_order_inside() -> None:
    m, l, k, q = idx("m", N), idx("l", N), idx("k", C), idx("q", C)
    inner = reduce("sum", mul(iverson(compare("==", m, num(0))), power(x(I, k), num(2)), get("g", (m,))), (m, l))
    t = reduce("lse", inner, (q, k))
    body, variables = open_reduction(t, Fresh())
    assert reduce("lse", body, variables) is t


def test_a_sum_and_its_opposite_are_one_factor_of_a_product():
    a, b, d = get("a"), get("b"), get("d")
    assert mul(sub(a, b), sub(b, a)) is neg(power(sub(a, b), TWO))
    assert mul(sub(a, b), power(sub(b, a), num(-2)), d) is mul(power(sub(a, b), MINUS_ONE), d)


def test_binders_that_are_opened_in_an_opened_body_never_take_the_names_that_it_holds() -> None:
    j, k = idx("j", C), idx("k", C)
    whole = reduce("sum", mul(get("w", (j, k)), reduce("sum", get("v", (k, j)), [k])), [j, k])
    body, outer = open_reduction(whole, fresh_in(whole))
    for part in walk(body):
        if part.op == "red":
            _, inner = open_reduction(part, fresh_in(body))
            assert not set(inner) & set(outer)
