"""Random formulas of every construct of the language: a family a seed. `programs` has the plain index notation."""

from __future__ import annotations

from random import Random

from tests.fuzz import arrays, facts, parts, programs, recurrent, windows

FAMILIES = (*windows.FAMILIES, *arrays.FAMILIES, *facts.FAMILIES, *parts.FAMILIES, *recurrent.FAMILIES)


def construct(seed: int) -> str:
    """The YAML text of the random formula of that seed."""
    return FAMILIES[seed % len(FAMILIES)](Random(seed))


def family(seed: int) -> str:
    """The name of the family of that seed."""
    made = FAMILIES[seed % len(FAMILIES)]
    return f"{made.__module__.rsplit('.', 1)[-1]}.{made.__name__}"


__all__ = ["FAMILIES", "construct", "family", "programs"]
