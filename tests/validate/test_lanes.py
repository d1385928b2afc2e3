"""Several points at once: lanes say what each point says alone; large exponentials cost no more than small ones."""

from __future__ import annotations

import time

import mpmath
import numpy as np
import pytest

import symgrad
from symgrad.validate.mpmath_backend import MpmathBackend, exponential
from symgrad.validate.points import normal_points
from symgrad.validate.precise import Precise
from symgrad.validate.reach import reach_of, statements_of


@pytest.mark.parametrize("name", ["lstm_cell", "linear_chain_crf", "embedding", "quadratic_form_inverse", "max_pool2d"])
def test_moves_made_at_once_are_the_moves_made_one_by_one(name):
    program = symgrad.derive(name).derivation.program
    point = next(iter(normal_points(program, 0, 1, 1000)))
    precise = Precise(program, point)
    real, rng = precise.backend(40).real, np.random.default_rng(0)
    moves = [{n: real(rng.standard_normal(point.inputs[n].shape))} for n in program.wrt] * 2
    moves.append({n: real(rng.standard_normal(point.inputs[n].shape)) for n in program.wrt})
    together = precise.after(moves, 40)
    for move, total in zip(moves, together, strict=True):
        (alone,) = precise.after([move], 40)
        assert abs(alone - total) <= abs(alone) * real(np.array(1e-36))


@pytest.mark.parametrize("x", ["-1e50", "1e50", "-123456789.25", "3", "-1e200"])
def test_exp_of_a_large_whole_number_is_right_and_quick(x):
    c = MpmathBackend(240).context
    exact = mpmath.MPContext()
    exact.dps = 480
    start = time.process_time()
    got = exponential(c, c.mpf(x))
    assert time.process_time() - start < 0.5
    assert abs(exact.mpf(got) / exact.exp(exact.mpf(c.mpf(x))) - 1) < exact.mpf(10) ** -235


def test_the_operations_of_closed_forms_are_counted():
    derivation = symgrad.derive("lstm_cell").derivation
    reach = reach_of(derivation.program, derivation.formula, [], derivation.gradients)
    assert "operations at the judged sizes" in reach.words
    assert int(reach.words.split(", ")[1].split()[0]) > int(reach.words.split()[1])
    assert len(set(statements_of(derivation.gradients))) == len(statements_of(derivation.gradients))
