"""Rules together: random terms through every set of rules keep their value, come to an end, and stay there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.algebra.terms import Term
from symgrad.closing.collect import collect
from symgrad.closing.derivation import FORWARD_RULES
from symgrad.closing.facts import INFERRED, NORMALIZED
from symgrad.closing.refold import REFOLD
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import MOST_FIRINGS, rewrite
from symgrad.rewrite.rule import Rule
from symgrad.rules.elementary import ELEMENTARY, PEOPLE
from symgrad.rules.stabilize import EXP_SIGMOID, STABILIZE
from symgrad.rules.sums import EXPAND, SOLVE_AFFINE, SUMS
from tests.algebra.trees import (
    EXAMPLES,
    MP,
    PROGRAM,
    SIZES,
    Tree,
    build,
    evaluate,
    finite,
    meaning,
    points,
    rewritten,
    same,
    trees,
)

CELLS = [dict(zip("ij", at, strict=True)) for at in product(range(SIZES["n"]), range(SIZES["c"]))]
FACTS = (NORMALIZED, INFERRED)
SETS: dict[str, tuple[Rule, ...]] = {
    "sums": SUMS,
    "expand": EXPAND,
    "expand affine": (*EXPAND, SOLVE_AFFINE),
    "elementary": ELEMENTARY,
    "people": PEOPLE,
    "stabilize": STABILIZE,
    "forward": FORWARD_RULES,
    "tidy": (EXP_SIGMOID, *ELEMENTARY, *FACTS, *SUMS, SOLVE_AFFINE),
    "normal": (*PEOPLE, EXP_SIGMOID, *ELEMENTARY, *FACTS, *EXPAND, SOLVE_AFFINE),
    "refold": (*ELEMENTARY, *REFOLD),
}


def rewritten_by(rules: tuple[Rule, ...], term: Term) -> Term:
    return rewrite(term, rules, Context(PROGRAM))


def assert_value(tree: Tree, term: Term, point: Any) -> None:
    for at in CELLS:
        expected = meaning(tree, point, at)
        if finite(expected) and abs(expected) < 1e12:
            assert same(expected, evaluate(term, point, at), 12), (tree, term, at)


@pytest.mark.parametrize("name", SETS)
def test_a_set_of_rules_keeps_values_and_comes_to_an_end(name: str) -> None:
    rules = SETS[name]

    @EXAMPLES
    @given(trees(), points())
    def check(tree: Tree, point: Any) -> None:
        once = rewritten_by(rules, build(tree))
        assert_value(tree, once, point)
        assert rewritten_by(rules, once) is once

    check()


@EXAMPLES
@given(trees(), points())
def test_factoring_keeps_values(tree: Tree, point: Any) -> None:
    context = Context(PROGRAM)
    assert_value(tree, collect(build(tree), context.fresh), point)
    normal = rewritten_by(SETS["normal"], build(tree))
    assert_value(tree, collect(normal, context.fresh), point)


@EXAMPLES
@given(st.data(), trees())
def test_the_normal_form_does_not_depend_on_how_a_term_was_written(data: st.DataObject, tree: Tree) -> None:
    other = data.draw(rewritten(tree))
    assert rewritten_by(SETS["normal"], build(other)) is rewritten_by(SETS["normal"], build(tree))


def test_a_pair_of_rules_that_undo_each_other_is_seen_as_such() -> None:
    """The engine stops after MOST_FIRINGS; the test above would see that its result is not settled."""
    from symgrad.rules.elementary import COMPLEMENT, ONE_MINUS_SIGMOID

    fired: list[str] = []

    def counted(rule: Rule) -> Rule:
        def match(t: Term, context: Context) -> Term | None:
            new = rule.match(t, context)
            if new is not None:
                fired.append(rule.name)
            return new

        return Rule(rule.name, rule.on, rule.law, rule.why, match, rule.example)

    tree = ("fn", "sigmoid", ("mul", ("num", -1), ("get", "x", ("i", "j"))))
    term = build(("fn", "sigmoid", ("add", ("get", "x", ("i", "j")), ("get", "w", ("j",)))))
    rules = (counted(ONE_MINUS_SIGMOID), counted(COMPLEMENT))
    for t in (term, build(tree)):
        rewritten_by(rules, t)
    assert len(fired) <= 2 * MOST_FIRINGS


@pytest.mark.parametrize("first", ["<", "<=", "==", "!=", ">", ">="])
@pytest.mark.parametrize("second", ["<", "<=", "==", "!=", ">", ">="])
def test_two_comparisons_of_the_same_sides_are_joined_rightly(first: str, second: str) -> None:
    a, b = ("get", "s", ()), ("get", "v", ("i",))
    tree = ("mul", ("iv", ("cmp", first, a, b)), ("iv", ("cmp", second, a, b)), ("get", "w", ("j",)))
    joined = rewritten_by(ELEMENTARY, build(tree))
    for value in (-1, 0, 1):
        rows = {(0,): MP.mpf(value), (1,): MP.mpf(0)}
        point = {"s": {(): MP.mpf(0)}, "v": rows, "w": dict.fromkeys([(0,), (1,), (2,)], MP.mpf(3))}
        assert_value(tree, joined, point)
