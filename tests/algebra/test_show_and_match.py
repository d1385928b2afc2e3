"""Terms as text that reads back, and matching that finds only what is there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.algebra.affine import affine_in, solve_for
from symgrad.algebra.build import Fresh, add, compare, conjunction, iverson, mul, reduce, sub, substitute
from symgrad.algebra.match import Matcher
from symgrad.algebra.show import Names, show
from symgrad.algebra.terms import ONE, ZERO, Term, dim, get, idx, num, par
from symgrad.algebra.weight import weight
from symgrad.formula.expression import parse_closed
from tests.algebra.test_constructors import CELLS
from tests.algebra.trees import EXAMPLES, INDEX, PROGRAM, Tree, build, evaluate, finite, points, same, trees

I, J, K, L = INDEX["i"], INDEX["j"], INDEX["k"], INDEX["l"]


def read_back(text: str) -> Term:
    return parse_closed(text, PROGRAM, (I, J))


@EXAMPLES
@given(trees(), points())
def test_text_reads_back_with_the_same_value(tree: Tree, point: Any) -> None:
    term = build(tree)
    text = show(term)
    again = read_back(text)
    for at in CELLS:
        expected = evaluate(term, point, at)
        if finite(expected) and abs(expected) < 1e30:
            assert same(expected, evaluate(again, point, at)), text
    settled = read_back(show(again))
    assert show(read_back(show(settled))) == show(settled)


@pytest.mark.parametrize(
    "text",
    [
        "x[i, j] - w[j]",
        "-x[i, j]",
        "2*(x[i, j] - z[i, j])/n",
        "1/(2*n)",
        "x[i, j]/(a*n)",
        "x[i, j]**2/2",
        "1/sqrt(p[i])",
        "softmax(x[i, j], j)",
        "log_softmax(x[i, j], j)",
        "x[i, j]*softmax(z[i, j], j)",
        "where(x[i, j] > 0, z[i, j], 0)",
        "where(And(x[i, j] > 0, z[i, j] > 0), 1, 0)",
        "where(x[i, j] == w[j], 1, -1)",
        "Sum(x[i, k]*z[i, k], k)",
        "Sum(x[l, k]*z[l, k], k, l)",
        "logsumexp(x[i, k], k)",
        "amax(x[i, k], k)",
        "amax(x[i, k], k, ties=first)",
        "norm(x[i, k], k)",
        "argmax(x[i, k], k)",
        "Product(x[i, k], k)",
        "clip(x[i, j], -a, a)",
        "1e-5*x[i, j]",
        "(1 - tanh(x[i, j])**2)*z[i, j]",
        "Sum(1, (k, 0, c - 1))",
        "(x[i, j] + 1)**(-2)",
        "a**x[i, j]",
        "-(x[i, j] + w[j])/c",
        "x[i, j]*(1 - x[i, j])",
    ],
)
def test_text_and_term_are_two_sides_of_one_thing(text: str) -> None:
    term = read_back(text)
    again = read_back(show(term))
    assert again is term, (text, show(term))
    assert show(again) == show(term)


def test_a_product_of_brackets_is_the_bracket_of_the_conjunction() -> None:
    a, b = compare("<", ZERO, get("x", (I, J))), compare("<", get("z", (I, J)), ONE)
    assert mul(iverson(a), iverson(b)) is iverson(conjunction(a, b))


def test_a_printed_bound_index_never_hides_a_free_one() -> None:
    total = reduce("sum", mul(get("x", (L, K)), get("x", (I, J))), (K, L))
    names = Names({dim("n"): ("i",), dim("c"): ("j",)})
    assert read_back(show(total, names)) is total


def test_nested_sums_over_one_extent_have_different_names() -> None:
    inner = reduce("sum", mul(get("x", (L, J)), get("x", (L, K))), (L,))
    outer = reduce("sum", mul(inner, get("x", (I, K))), (K,))
    assert read_back(show(outer, Names({dim("n"): ("i",), dim("c"): ("j",)}))) is outer


@EXAMPLES
@given(trees())
def test_weight_is_positive_and_about_the_length_of_the_text(tree: Tree) -> None:
    term = build(tree)
    length = len(show(term).replace(" ", ""))
    assert 0.3 * length - 8 <= weight(term) <= 2 * length + 8


# ---- matching -------------------------------------------------------------------------------------------------------

P, Q = par("?p"), par("?q")


@EXAMPLES
@given(trees(depth=2), trees(depth=2))
def test_a_pattern_matches_what_was_put_into_it(first: Tree, second: Tree) -> None:
    a, b = build(first), build(second)
    for pattern in (add(mul(num(2), P), get("w", (J,))), mul(get("v", (I,)), P), get("x", (P, Q))):
        wanted = substitute(pattern, {P: a, Q: b})
        for binding in Matcher(frozenset((P, Q)), Fresh()).unify(pattern, wanted):
            assert substitute(pattern, binding) is wanted


@EXAMPLES
@given(trees(("l", "k"), depth=3))
def test_an_index_pattern_matches_its_renamed_self(tree: Tree) -> None:
    pattern = build(tree)
    renamed = substitute(pattern, {L: I, K: J})
    variables = frozenset(pattern.free & {L, K})
    found = list(Matcher(variables, Fresh()).unify(pattern, renamed))
    assert found or not variables or pattern.op == "red"
    for binding in found:
        assert substitute(pattern, binding) is renamed


@EXAMPLES
@given(trees(("l", "k"), depth=2), trees(("i", "j"), depth=2))
def test_whatever_matches_is_the_term(pattern: Tree, other: Tree) -> None:
    p, t = build(pattern), build(other)
    for binding in Matcher(frozenset((L, K)), Fresh()).unify(p, t):
        assert substitute(p, binding) is t


def test_a_bound_index_is_no_value_for_a_variable_outside() -> None:
    """sum_k x[l, k] against sum_k x[k, k]: no l makes them equal."""
    n = dim("n")
    i, k, l = idx("i", n), idx("k", n), idx("l", n)
    pattern = reduce("sum", get("A", (l, k)), (k,))
    diagonal = reduce("sum", get("A", (k, k)), (k,))
    matcher = Matcher(frozenset((l,)), Fresh())
    assert not list(matcher.unify(pattern, diagonal))
    assert [b[l] for b in matcher.unify(pattern, reduce("sum", get("A", (i, k)), (k,)))] == [i]


def test_a_variable_keeps_its_first_value() -> None:
    n = dim("n")
    i, k, l = (idx(s, n) for s in "ikl")
    pattern = mul(get("A", (l, l)), get("v", (l,)))
    matcher = Matcher(frozenset((l,)), Fresh())
    assert not list(matcher.unify(pattern, mul(get("A", (i, k)), get("v", (i,)))))
    assert list(matcher.unify(pattern, mul(get("A", (k, k)), get("v", (k,)))))


def test_a_subset_leaves_the_rest() -> None:
    x, z, w = get("x", (I, J)), get("z", (I, J)), get("w", (J,))
    found = list(Matcher(frozenset((P,)), Fresh()).subset([x, P], [z, x, w]))
    assert sorted((show(b[P]), [show(t) for t in rest]) for b, rest in found) == [
        ("w[j]", ["z[i, j]"]),
        ("z[i, j]", ["w[j]"]),
    ]


# ---- affine expressions ---------------------------------------------------------------------------------------------


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_affine_parts_make_the_expression_again(a: int, b: int, c: int) -> None:
    t = add(mul(num(a), I), mul(num(b), L), num(c))
    slope, rest = affine_in(t, I) or (None, None)
    assert slope is not None
    assert rest is not None
    assert add(mul(slope, I), rest) is t
    assert slope is num(a)


def test_a_square_is_not_affine() -> None:
    assert affine_in(mul(I, I), I) is None
    assert affine_in(get("v", (I,)), I) is None


@given(st.sampled_from([-2, -1, 0, 1, 2]), st.integers(-3, 3))
def test_an_equation_is_solved_only_for_a_unit_coefficient(a: int, c: int) -> None:
    e = solve_for(I, mul(num(a), I), add(L, num(c)))
    if abs(a) != 1:
        assert e is None
    else:
        assert e is not None
        assert sub(mul(num(a), e), add(L, num(c))) is num(0)


def test_a_bound_index_never_bears_the_name_of_an_index_of_another_extent_on_the_left_side() -> None:
    n, c = dim("n"), dim("c")
    j = idx("j", c)
    total = reduce("sum", get("w", (j,)), [j])
    assert show(total, None, [idx("i", n)]) != show(total, None, [idx("i", c)])
    assert show(total) == show(total, None, [idx("i", c)]) == "Sum(w[i], i)"
    assert show(total, None, [idx("i", n)]) == "Sum(w[j], j)"
