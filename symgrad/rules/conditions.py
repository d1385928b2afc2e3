"""Laws of comparisons: common factors, monotone functions, extreme values."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symgrad.algebra.build import compare, conjunction, disjunction, mul, power, rebuild
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, factors_of, is_num, num
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule

RISING: Mapping[str, tuple[Term, Term]] = {
    "exp": (ONE, ZERO),
    "expm1": (ZERO, ZERO),
    "log": (ZERO, ONE),
    "log1p": (ZERO, ZERO),
    "tanh": (ZERO, ZERO),
    "sinh": (ZERO, ZERO),
    "atan": (ZERO, ZERO),
    "asinh": (ZERO, ZERO),
    "erf": (ZERO, ZERO),
    "sigmoid": (num(Fraction(1, 2)), ZERO),
}
"""Rising functions, with one value and the argument that has it."""


def _common_factor(t: Term, context: Context) -> Term | None:
    """a*x < a*y is x < y for a > 0."""
    if t.op != "cmp":
        return None
    a, b = t.args
    if ZERO in (a, b):
        known = [f for f in factors_of(a if b is ZERO else b) if f.op != "num" and context.is_positive(f)]
        inverse = power(mul(*known), MINUS_ONE)
        return compare(str(t.data), mul(a, inverse), mul(b, inverse)) if known else None
    common = [f for f in factors_of(a) if f.op != "num" and f in factors_of(b) and context.is_positive(f)]
    if not common:
        return None
    inverse = power(mul(*common), MINUS_ONE)
    return compare(str(t.data), mul(a, inverse), mul(b, inverse))


def _monotone(t: Term, context: Context) -> Term | None:
    """f(x) < f(y) is x < y for a rising f; a known value is that of its argument."""
    if t.op != "cmp":
        return None
    a, b = t.args
    for x, y, flipped in ((a, b, False), (b, a, True)):
        if x.op != "fn" or x.data not in RISING:
            continue
        known, argument = RISING[str(x.data)]
        if y is known:
            other = argument
        elif y.op == "fn" and y.data == x.data:
            other = y.args[0]
        else:
            continue
        sides = (other, x.args[0]) if flipped else (x.args[0], other)
        return compare(str(t.data), *sides)
    return None


def _extreme(t: Term, context: Context) -> Term | None:
    """c < Min(a, b) is c < a and c < b; Min(a, b) < c is a < c or b < c."""
    if t.op != "cmp" or t.data not in ("<", "<="):
        return None
    a, b = t.args
    op = str(t.data)
    if b.op == "fn" and b.data in ("Max", "Min"):
        join = conjunction if b.data == "Min" else disjunction
        return join(*(compare(op, a, x) for x in b.args))
    if a.op == "fn" and a.data in ("Max", "Min"):
        join = disjunction if a.data == "Min" else conjunction
        return join(*(compare(op, x, b) for x in a.args))
    return None


def _equal_extreme(t: Term, context: Context) -> Term | None:
    """Min(a, b) == c is a == c <= b or b == c <= a."""
    if t.op != "cmp" or t.data != "==":
        return None
    for x, c in (t.args, t.args[::-1]):
        if x.op == "fn" and x.data in ("Max", "Min"):
            a, b = x.args
            op = "<=" if x.data == "Min" else ">="
            return disjunction(
                conjunction(compare("==", a, c), compare(op, c, b)),
                conjunction(compare("==", b, c), compare(op, c, a)),
            )
    return None


def _known_value(t: Term, context: Context) -> Term | None:
    """[x == 0] f(x) = [x == 0] f(0)."""
    if t.op != "mul":
        return None
    for f in t.args:
        c = f.args[0] if f.op == "iv" else f
        if c.op != "cmp" or c.data != "==":
            continue
        for x, known in (c.args, c.args[::-1]):
            if x.op == "get" and is_num(known):
                rest = mul(*(g for g in t.args if g is not f))
                new = _replaced(rest, x, known)
                if new is not rest and new is not None:
                    return mul(f, new)
    return None


def _replaced(t: Term, x: Term, known: Term) -> Term | None:
    """The term with an access replaced by its value; None where that divides by 0."""
    if t is x:
        return known
    if t.op in ("red", "idx") or not t.args or not t.tensors & x.tensors:
        return t
    args = [_replaced(a, x, known) for a in t.args]
    if any(a is None for a in args):
        return None
    new = rebuild(t, tuple(a for a in args if a is not None))
    undefined = new.op == "pow" and new.args[0] is ZERO
    return None if undefined or (new.op == "fn" and new.data == "log" and new.args[0] is ZERO) else new


COMMON_FACTOR = Rule(
    "condition/factor",
    ("cmp",),
    r"a\,x < a\,y \Leftrightarrow x < y \quad (a > 0)",
    "a positive factor does not change a comparison",
    _common_factor,
    Example(
        "where(p[i]*x[i] < p[i]*z[i], 1, 0)",
        "where(x[i] < z[i], 1, 0)",
        "{x: [n], z: [n], p: {shape: [n], domain: positive}}",
    ),
    needs=("sign",),
)
MONOTONE = Rule(
    "condition/monotone",
    ("cmp",),
    r"e^{x} < e^{y} \Leftrightarrow x < y",
    "a rising function does not change a comparison",
    _monotone,
    Example("where(exp(x[i, j]) < 1, 1, 0)", "where(x[i, j] < 0, 1, 0)"),
)
EXTREME = Rule(
    "condition/extreme",
    ("cmp",),
    r"c < \min(a, b) \Leftrightarrow c < a \wedge c < b",
    "below the smaller is below both",
    _extreme,
    Example("where(Min(1, x[i, j]) > 0, 1, 0)", "where(x[i, j] > 0, 1, 0)"),
)
EQUAL_EXTREME = Rule(
    "condition/equal-extreme",
    ("cmp",),
    r"\min(a, b) = c \Leftrightarrow a = c \le b \vee b = c \le a",
    "the smaller is one of the two",
    _equal_extreme,
    Example("where(Min(1, x[i, j]) == 0, 1, 0)", "where(x[i, j] == 0, 1, 0)"),
)
KNOWN_VALUE = Rule(
    "condition/value",
    ("mul",),
    r"[x = 0]\,f(x) = [x = 0]\,f(0)",
    "the value is known under its condition",
    _known_value,
    Example("where(x[i, j] == 0, exp(x[i, j])*z[i, j], 0)", "where(x[i, j] == 0, z[i, j], 0)"),
)
CONDITIONS = (KNOWN_VALUE, COMMON_FACTOR, MONOTONE, EXTREME, EQUAL_EXTREME)
