"""Accurate forms are chosen by measurement, and the derivation says by how many bits."""

from __future__ import annotations

import random
import re
from itertools import product

import numpy as np
import pytest

from symgrad.algebra.build import fn
from symgrad.closing import choice
from symgrad.closing.arithmetic import Draw, Leaves
from symgrad.closing.choice import CHOOSING, JUDGING, candidates, sharpened
from symgrad.closing.derivation import derive_formula
from symgrad.closing.doubles import Singles
from symgrad.closing.probe import DRAWS, Probe
from symgrad.formula.reader import read_text
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.machine import COMPLEMENT
from symgrad.rules.series import AT_ZERO


def formula(output: str):  # type: ignore[no-untyped-def]
    return read_text(f"name: f\nsummary: s\ninputs: {{x: [...]}}\noutput:\n  y[...]: {output}\n", "f.yaml")


def test_the_step_says_how_many_bits_both_forms_lose() -> None:
    steps = [s for s in derive_formula(formula("exp(x[...]) - 1")).steps if s.rule is COMPLEMENT]
    assert steps
    assert steps[0].subject == "kernel of y"
    found = re.match(r"(\d+) bits lost at worst.* instead of (\d+) bits", steps[-1].note)
    assert found, steps[-1].note
    assert int(found[1]) <= 2 < 20 <= int(found[2])


def test_a_form_that_is_worse_where_it_was_not_chosen_is_not_taken(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from symgrad.algebra.build import add, fn
    from symgrad.algebra.terms import MINUS_ONE

    def worse(t, context):  # type: ignore[no-untyped-def]
        return add(fn("exp", t.args[0]), MINUS_ONE) if t.data == "expm1" else None

    rule = Rule("machine/worse", ("fn",), "a", "b", worse, Example("expm1(x[i, j])", "exp(x[i, j]) - 1"))
    monkeypatch.setattr(choice, "FAMILIES", {"in a worse form": (rule,)})
    derivation = derive_formula(formula("expm1(x[...])"))
    assert [s.body.data for s in derivation.forward if s.name == "y"] == ["expm1"]
    assert not [s for s in derivation.steps if s.rule is rule]


def test_the_probe_says_the_same_in_every_run() -> None:
    program = derive_formula(formula("exp(x[...]) - 1")).program
    s = program.statements[0]
    losses = [Probe(program, {}).losses((s.body,), s, 0) for _ in range(2)]
    assert losses[0] == losses[1]
    assert losses[0] is not None


def test_forms_for_people_do_not_change() -> None:
    text = "name: g\nsummary: s\ninputs: {x: [n], t: {shape: [n], domain: unit_interval, given: true}}\n"
    text += "loss: -t[i]*log(sigmoid(x[i])) - (1 - t[i])*log(1 - sigmoid(x[i]))\n"
    text += "expect: {'x[i]': '(sigmoid(x[i]) - t[i])/n'}\n"
    derivation = derive_formula(read_text(text, "g.yaml"))
    assert all(e.ok for e in derivation.expected)
    from symgrad.algebra.show import show

    assert show(derivation.gradients[0].closed) == "(sigmoid(x[i]) - t[i])/n"


@pytest.mark.parametrize(
    "output", ["where(x[...] < 0, log(1 - exp(x[...])), 0)", "log(1 + x[...])/x[...]", "sqrt(x[...] - 1) - 1"]
)
def test_points_without_a_value_are_passed_over(output: str) -> None:
    assert derive_formula(formula(output)).gradients


def test_kernels_do_not_depend_on_whether_steps_are_told_first() -> None:
    from symgrad.emit.package import emit_package

    asked = formula("exp(x[...])*sin(x[...]) - exp(x[...]) + log(1 + x[...]**2)")
    first, second = derive_formula(asked), derive_formula(asked)
    told = [(s.rule.name, s.before, s.after, s.note) for s in first.steps]
    assert emit_package(first) == emit_package(second)
    assert told == [(s.rule.name, s.before, s.after, s.note) for s in second.steps]


@pytest.mark.parametrize(
    "output", ["exp(x[...]) - cos(x[...])", "x[...] - tanh(x[...])", "x[...]*cos(x[...]) - sin(x[...])"]
)
def test_sums_that_cancel_near_0_are_computed_by_their_series_there(output: str) -> None:
    derivation = derive_formula(formula(output))
    assert [s for s in derivation.steps if s.rule is AT_ZERO and s.subject == "kernel of y"]
    assert all("series" not in str(g.closed) for g in derivation.gradients)


def test_a_sum_that_does_not_cancel_has_no_series() -> None:
    assert not [s for s in derive_formula(formula("exp(x[...]) + cos(x[...])")).steps if s.rule is AT_ZERO]


def test_the_first_of_several_forms_that_lose_least_is_taken() -> None:
    program = derive_formula(formula("exp(x[...]) - 1")).program
    s, context = program.statements[0], Context(program)
    found = sharpened(s, context, Probe(program, {}))
    assert found is not None
    assert [f.what for f in candidates(s.body, context)] == [
        "as it stands",
        "in an accurate form",
        "by its series at 0",
    ]
    assert found[0] is fn("expm1", s.body.args[0].args[0] if s.body.args[0].op == "fn" else s.body.args[1].args[0])
    assert found[1][-1].note.endswith("of 3 forms")


def test_points_that_choose_are_not_those_that_judge_and_are_drawn_in_two_ways_in_two_precisions() -> None:
    assert {(d.by_bits, d.in_single, d.near) for d in DRAWS} == set(product((True, False), repeat=3))
    program = derive_formula(formula("exp(x[...]) - 1")).program
    s = program.statements[0]
    chosen, judged = (Probe(program, {}).losses((s.body,), s, draw) for draw in (CHOOSING, JUDGING))
    assert chosen is not None
    assert chosen != judged


def test_float32_decides_where_it_alone_loses() -> None:
    program = derive_formula(formula("exp(x[...]) - 1")).program
    leaves = Leaves(program, random.Random(1), Draw(by_bits=True, in_single=True))
    drawn = [leaves.read("x", (k,)) for k in range(20)]
    assert all(np.float32(x) == x and 1e-38 < abs(x) < 1e38 for x in drawn)
    t, here = program.statements[0].body, {program.statements[0].indices[0]: 0}
    assert Singles({}, leaves).value(t, here) == np.float32(np.exp(np.float32(drawn[0]))) - np.float32(1)
