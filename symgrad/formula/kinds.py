"""Kinds of terms while reading: conditions, integers, infinities, numbers that a float can hold."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from symgrad.algebra.build import neg
from symgrad.algebra.terms import INFINITY, Term, is_num, value
from symgrad.formula.syntax import Parsed

if TYPE_CHECKING:
    from symgrad.formula.environment import Environment

LARGEST_BITS = 1023
_WHOLE_FUNCTIONS = frozenset({"floor", "ceiling", "floordiv", "mod", "sign"})


def is_condition(t: Term) -> bool:
    """Whether a term is a condition."""
    return t.op in ("lit", "cmp", "and", "or", "not") or (t.op == "fn" and t.data == "truth")


def is_infinite(t: Term) -> bool:
    """Whether a term is oo or -oo."""
    return t is INFINITY or t is neg(INFINITY)


def is_position(t: Term) -> bool:
    """Whether a term is an argmax: the number of a place among those that its indices take."""
    return t.op == "red" and t.data == "argmax"


def is_integer(t: Term, env: Environment) -> bool:
    """Whether every value of a term is an integer, by its form."""
    if is_num(t):
        return value(t).denominator == 1
    if t.op in ("idx", "dim"):
        return True
    if t.op == "par":
        return env.parameters[str(t.data)].dtype == "int"
    if t.op in ("get", "get0"):
        tensor = env.tensors.get(str(t.data))
        return tensor is not None and (tensor.dtype == "int" or tensor.integer)
    if t.op == "red":
        return is_position(t) or (t.data not in ("lse", "norm") and is_integer(t.args[0], env))
    if t.op == "pow":
        return is_integer(t.args[0], env) and is_num(t.args[1]) and value(t.args[1]) > 0 and is_integer(t.args[1], env)
    if t.op == "fn":
        return t.data in _WHOLE_FUNCTIONS or (t.data in ("Abs", "Max", "Min", "clip") and _all(t.args, env))
    return t.op in ("add", "mul") and _all(t.args, env)


def _all(items: tuple[Term, ...], env: Environment) -> bool:
    return all(is_integer(a, env) for a in items)


def check_number(parsed: Parsed, n: ast.AST, t: Term) -> None:
    """Refuse numbers, and powers of numbers, that no float can hold."""
    for part in (t, *(t.args if t.op in ("mul", "add") else ())):
        bits = _bits(part)
        if bits is not None and bits > LARGEST_BITS:
            raise parsed.error(
                f"{parsed.source(n)} is too large for a floating-point number", n, help="the largest is about 1.8e308"
            )
        if bits is not None and bits < -LARGEST_BITS:
            raise parsed.error(f"{parsed.source(n)} is too small for a floating-point number: it would be 0", n)


def _bits(t: Term) -> float | None:
    """About the binary logarithm of a number or of a power of two numbers."""
    if is_num(t):
        v = value(t)
        return v.numerator.bit_length() - v.denominator.bit_length() if v else 0.0
    if t.op == "pow" and is_num(t.args[0]) and is_num(t.args[1]):
        base, e = _bits(t.args[0]), value(t.args[1])
        assert base is not None
        if abs(e) > 1 << 20 and value(t.args[0]) not in (0, 1, -1):
            return float("inf") if (e > 0) == (abs(value(t.args[0])) > 1) else float("-inf")
        return base * float(e)
    return None
