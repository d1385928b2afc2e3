"""Accurate forms are chosen by measurement, and the derivation says by how many bits."""

from __future__ import annotations

import re

import pytest

from symgrad.closing import kernels
from symgrad.closing.derivation import derive_formula
from symgrad.closing.probe import Probe
from symgrad.formula.reader import read_text
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.machine import COMPLEMENT


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
    monkeypatch.setattr(kernels, "MACHINE", (rule,))
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
