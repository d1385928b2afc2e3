"""Python numbers of a kernel: numbers, dimensions and parameters, as source text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from fractions import Fraction

from symgrad.algebra.build import neg, power
from symgrad.algebra.show import order_factors, order_terms
from symgrad.algebra.terms import BATCH, HALF, Term, base_exponent, coefficient, factors_of, value
from symgrad.errors import UnsupportedError

TERNARY, NOT, COMPARE, BIT_OR, BIT_AND, ADD, MUL, UNARY, POWER, ATOM = range(10)

Code = tuple[str, int]
"""Source text and how tightly it binds."""

MATH = {
    "exp": "exp",
    "log": "log",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "asin": "asin",
    "acos": "acos",
    "atan": "atan",
    "atan2": "atan2",
    "asinh": "asinh",
    "acosh": "acosh",
    "atanh": "atanh",
    "erf": "erf",
    "erfc": "erfc",
    "expm1": "expm1",
    "log1p": "log1p",
    "loggamma": "lgamma",
    "floor": "floor",
    "ceiling": "ceil",
    "Abs": "fabs",
}

HELPED = (
    "sign",
    "relu",
    "clip",
    "sigmoid",
    "softplus",
    "log_sigmoid",
    "logcosh",
    "logit",
    "normal_pdf",
    "normal_cdf",
    "silu",
    "gelu",
    "digamma",
    "polygamma",
)
HELPED_AS = {name: f"_number_{name}" for name in HELPED}
HELPED_AS |= {"Heaviside": "_number_heaviside", "sech2": "_number_sech_squared"}
"""Functions of Python numbers that `math` lacks: helpers of the module."""


def wrap(code: Code, level: int) -> str:
    """The text, in parentheses where it binds less tightly than its place demands."""
    text, own = code
    return text if own >= level else f"({text})"


def decimal(v: Fraction) -> str | None:
    """A short exact decimal of a fraction, if there is one."""
    text = repr(float(v))
    exact = "inf" not in text and Fraction(text) == v and len(text) <= 12
    return text if exact else None


MOST_INTEGER = 2**63
"""Integers from here on are written as floats: torch takes none."""

MOST_WRITTEN = 2**20
"""A denominator from which on a double is written as one."""


def number_code(v: Fraction) -> Code:
    """An exact number."""
    if v.denominator == 1:
        if MOST_INTEGER <= abs(v) < sys.float_info.max:
            return repr(float(v)), ATOM if v >= 0 else UNARY
        return str(v.numerator), ATOM if v >= 0 else UNARY
    short = decimal(v)
    if short is not None:
        return short, ATOM if v >= 0 else UNARY
    if Fraction(float(v)) == v and v.denominator >= MOST_WRITTEN:
        return repr(float(v)), ATOM if v >= 0 else UNARY
    return f"{v.numerator} / {v.denominator}", MUL


def simple(text: str) -> bool:
    """Whether ruff sets no blanks around `**` beside the operand: a name, an attribute or a number."""
    return text.removeprefix("-").replace(".", "").replace("_", "").isalnum()


def power_code(base: Code, exponent: Code) -> Code:
    """base**exponent."""
    b, e = wrap(base, ATOM), wrap(exponent, UNARY)
    return (f"{b}**{e}" if simple(b) and simple(e) else f"{b} ** {e}"), POWER


def split_powers(factors: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    """Factors above and below the line."""
    above: list[Term] = []
    below: list[Term] = []
    for f in factors:
        b, e = base_exponent(f)
        if f.op == "pow" and coefficient(e)[0] < 0:
            below.append(power(b, neg(e)))
        else:
            above.append(f)
    return above, below


class ScalarPrinter:
    """Prints terms without tensors and indices; notes the dimensions and modules that they need."""

    def __init__(self, note: Callable[[str], str]) -> None:
        self.note = note
        """Called with `dim NAME`, `parameter NAME` or `module NAME`; returns what to write."""

    def code(self, t: Term) -> Code:
        """The expression of a term."""
        method = getattr(self, f"_{t.op}", None)
        if method is None:
            raise UnsupportedError(f"the number {t!r} in a kernel")
        result: Code = method(t)
        return result

    def text(self, t: Term, level: int = TERNARY) -> str:
        """The expression, in parentheses where its place demands."""
        return wrap(self.code(t), level)

    def _num(self, t: Term) -> Code:
        return number_code(value(t))

    def _const(self, t: Term) -> Code:
        return f"{self.note('module math')}.{ {'pi': 'pi', 'E': 'e', 'oo': 'inf'}[str(t.data)] }", ATOM

    def _dim(self, t: Term) -> Code:
        if str(t.data) == BATCH:
            return f"{self.note('module math')}.prod({self.note('dim ...')})", ATOM
        return self.note(f"dim {t.data}"), ATOM

    def _par(self, t: Term) -> Code:
        return self.note(f"parameter {t.data}"), ATOM

    def _add(self, t: Term) -> Code:
        text = ""
        for a in order_terms(t.args):
            minus = coefficient(a)[0] < 0
            part = self.text(neg(a) if minus else a, MUL)
            text += (f" - {part}" if minus else f" + {part}") if text else (f"-{part}" if minus else part)
        return text, ADD

    def _mul(self, t: Term) -> Code:
        c, rest = coefficient(t)
        above, below = split_powers(order_factors(factors_of(rest)))
        tops = [number_code(Fraction(abs(c.numerator)))] if abs(c.numerator) != 1 or not above else []
        tops += [self.code(f) for f in above]
        bottoms = [number_code(Fraction(c.denominator))] if c.denominator != 1 else []
        bottoms += [self.code(f) for f in below]
        if decimal(c) is not None and c.denominator != 1:
            tops = [number_code(abs(c)), *(self.code(f) for f in above)]
            bottoms = [self.code(f) for f in below]
        text = " * ".join(wrap(f, MUL if k == 0 else UNARY) for k, f in enumerate(tops))
        text += "".join(f" / {wrap(f, UNARY)}" for f in bottoms)
        single = len(tops) == 1 and not bottoms
        if c < 0 and tops[0][1] == POWER:
            text = f"({tops[0][0]}){text.removeprefix(tops[0][0])}"  # -(x**2), as formatters have it
        return (f"-{text}", UNARY if single else MUL) if c < 0 else (text, MUL if not single else tops[0][1])

    def _pow(self, t: Term) -> Code:
        b, e = t.args
        if coefficient(e)[0] < 0:
            return f"1 / {self.text(power(b, neg(e)), UNARY)}", MUL
        if e is HALF:
            return f"{self.note('module math')}.sqrt({self.text(b)})", ATOM
        return power_code(self.code(b), self.code(e))

    def _fn(self, t: Term) -> Code:
        name, args = str(t.data), [self.text(a) for a in t.args]
        if name in ("floordiv", "mod"):
            sign = "//" if name == "floordiv" else "%"
            return f"{self.text(t.args[0], MUL)} {sign} {self.text(t.args[1], UNARY)}", MUL
        if name in ("Max", "Min"):
            return self._extremum(">=" if name == "Max" else "<=", t.args)
        if name in HELPED_AS:
            return f"{self.note(f'helper {HELPED_AS[name]}')}({', '.join(args)})", ATOM
        if name not in MATH:
            raise UnsupportedError(f"{name} of a parameter")
        return f"{self.note('module math')}.{MATH[name]}({', '.join(args)})", ATOM

    def _extremum(self, sign: str, args: Sequence[Term]) -> Code:
        a = self.text(args[0], ADD)
        if len(args) == 1:
            return self.code(args[0])
        b = wrap(self._extremum(sign, args[1:]), ADD)
        return f"{a} if {a} {sign} {b} else {b}", TERNARY

    def _cmp(self, t: Term) -> Code:
        return f"{self.text(t.args[0], ADD)} {t.data} {self.text(t.args[1], ADD)}", COMPARE

    def _and(self, t: Term) -> Code:
        return " and ".join(self.text(a, COMPARE) for a in t.args), TERNARY

    def _or(self, t: Term) -> Code:
        return " or ".join(self.text(a, COMPARE) for a in t.args), TERNARY

    def _not(self, t: Term) -> Code:
        return f"not {self.text(t.args[0], COMPARE)}", NOT

    def _lit(self, t: Term) -> Code:
        return str(bool(t.data)), ATOM

    def _iv(self, t: Term) -> Code:
        return f"1 if {self.text(t.args[0])} else 0", TERNARY

    def _where(self, t: Term) -> Code:
        c, a, b = t.args
        return f"{self.text(a, NOT)} if {self.text(c, NOT)} else {self.text(b, TERNARY)}", TERNARY
