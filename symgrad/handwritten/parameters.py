"""The parameters of a formula as they are in a check: given, told to the function, or fixed at their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.algebra.terms import num
from symgrad.errors import UsageError, nearest
from symgrad.formula.program import Domain, Parameter, Program


def settled(program: Program, accepted: Sequence[str], given: Mapping[str, Fraction]) -> Program:
    """The program with the values of parameters that were given, and fixed those that the function cannot be told."""
    names = [p.name for p in program.parameters]
    for name in given:
        if name not in names:
            close = nearest(name, names)
            known = f"its parameters are {', '.join(names)}" if names else "it has none"
            help = f"did you mean {close}?" if close else known
            raise UsageError(f"the formula has no parameter {name}\n = help: {help}")
    return replace(
        program, parameters=tuple(_settled(p, p.name in accepted, given.get(p.name)) for p in program.parameters)
    )


def _settled(p: Parameter, accepted: bool, given: Fraction | None) -> Parameter:
    if given is None and accepted:
        return p
    v = p.value if given is None else given
    if p.dtype == "int":
        return replace(p, value=v)
    return replace(p, value=v, domain=Domain("interval", (num(v), num(v))))
