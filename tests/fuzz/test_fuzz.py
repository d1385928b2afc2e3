"""Random programs through the whole pipeline; `python -m tests.fuzz.run` runs more of them."""

from __future__ import annotations

import pytest

from tests.fuzz.constructs import FAMILIES, construct, family
from tests.fuzz.programs import program
from tests.fuzz.run import judge_seed


@pytest.mark.parametrize("seed", range(60))
def test_the_gradients_of_a_random_program_are_autograds(seed):
    assert judge_seed(seed, depth=2) is None, program(seed, depth=2)


@pytest.mark.parametrize("seed", range(2 * len(FAMILIES)))
def test_the_gradients_of_a_program_of_every_family_are_autograds(seed):
    assert judge_seed(seed, kind="constructs") is None, construct(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_the_gradients_of_a_deeper_random_program_are_autograds(seed):
    assert judge_seed(seed) is None, program(seed)


def test_a_seed_gives_one_program():
    assert program(7) == program(7)
    assert construct(7) == construct(7)
    assert len({program(s) for s in range(50)}) == 50
    assert len({construct(s) for s in range(50)}) >= 40
    assert len({family(s) for s in range(len(FAMILIES))}) == len(set(FAMILIES))
