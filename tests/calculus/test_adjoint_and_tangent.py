"""Reverse mode against forward mode: <cotangent, tangent of the output> = <gradient, tangent of the input>."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from symgrad.algebra.build import mul
from symgrad.algebra.terms import TWO
from symgrad.calculus.hoist import hoist
from symgrad.closing.derivation import stabilize
from symgrad.closing.forward_mode import Tangents
from symgrad.closing.reverse import Adjoints
from symgrad.formula.program import Program, Statement
from symgrad.formula.reader import read_text
from symgrad.rewrite.context import Context
from symgrad.validate.evaluate import Evaluation
from symgrad.validate.points import Point, normal_points
from tests.fuzz.programs import program as random_formula

SEEDS = range(300, 325)


@dataclass(frozen=True)
class Modes:
    """A program in both modes, before any closed form is looked for."""

    program: Program
    adjoints: Adjoints
    tangents: Tangents


def both_modes(program: Program) -> Modes:
    context = Context(program)
    hoisted = hoist(stabilize(program, context))
    context.definitions = {s.name: s for s in hoisted.statements}
    adjoints = Adjoints(hoisted, context)
    adjoints.derive()
    return Modes(hoisted, adjoints, Tangents(hoisted, context))


def evaluation(
    program: Program, point: Point, values: Mapping[str, Any], statements: Sequence[Statement]
) -> Evaluation:
    work = Evaluation(program, point.inputs, point.parameters, strict=False)
    work.run(program.statements)
    work.bind(values)
    work.run(statements)
    return work


def both_sides(modes: Modes, point: Point, seed: int) -> tuple[float, float, float]:
    """<dy, y'>, <dx, x'> and the size of their summands."""
    rng = np.random.default_rng(seed)
    program, names, adjoints = modes.program, modes.tangents.names, modes.adjoints
    moved = {name: rng.standard_normal(np.shape(point.inputs[name])) for name in program.wrt}
    forward = evaluation(program, point, {names[n]: v for n, v in moved.items()}, modes.tangents.statements)
    pushed = {s.name: forward.tensors[names[s.name]] for s in program.outputs}
    pulled = {name: rng.standard_normal(np.shape(v)) for name, v in pushed.items()}
    backward = evaluation(program, point, {adjoints.cotangents[n]: v for n, v in pulled.items()}, adjoints.statements)
    left = [np.sum(pulled[n] * pushed[n]) for n in pulled]
    right = [np.sum(moved[n] * backward.tensors[adjoints.gradient_of[n]]) for n in moved]
    return float(sum(left)), float(sum(right)), float(sum(map(abs, (*left, *right))))


def assert_transposed(program: Program, seed: int = 0) -> None:
    modes = both_modes(program)
    for point in normal_points(program, seed, 2, 20_000):
        left, right, size = both_sides(modes, point, seed)
        if np.isfinite(left) and np.isfinite(right):
            assert abs(left - right) <= 1e-9 * size + 1e-12, (left, right)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_adjoint_is_the_transpose_of_the_tangent(seed: int) -> None:
    assert_transposed(read_text(random_formula(seed), f"seed {seed}").program, seed)


def test_a_wrong_gradient_is_seen() -> None:
    program = read_text("name: a\ninputs: {x: [n]}\noutput: {'y[i]': 'x[i]**2'}\n", "a").program
    modes = both_modes(program)
    modes.adjoints.statements = tuple(replace(s, body=mul(TWO, s.body)) for s in modes.adjoints.statements)
    point = next(iter(normal_points(program, 0, 1, 100)))
    left, right, _ = both_sides(modes, point, 0)
    assert abs(2 * left - right) < 1e-9 * abs(left)


FAULTS = {
    "an exponent with indices of its own": (
        "{x: [n, c], z: [n, c]}",
        "(log_softmax(where(p < i, z[p, i], 1), i)**2 + 1)**sigmoid(x[p, i])",
    ),
    "one base under two kinds of exponents": ("{x: [n, c]}", "(1 + x[p, i]**2)**(1/n) + log(1 + x[p, i]**2) + x[p, i]"),
}
"""What random formulas found."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_was_found_once_stays_away(fault: str) -> None:
    inputs, body = FAULTS[fault]
    text = f"name: fault\ninputs: {inputs}\noutput: {{'y[p, i]': '{body}'}}\n"
    assert_transposed(read_text(text, fault).program)
