"""Powers of products and of powers, apart in the normal form and together where that is shorter."""

from __future__ import annotations

from symgrad.algebra.build import add, exp, mul, neg, power, sub
from symgrad.algebra.terms import (
    MINUS_ONE,
    ONE,
    ZERO,
    Term,
    coefficient,
    factors_of,
    is_num,
    node,
    num,
    terms_of,
    walk,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _sum_of_power(t: Term, context: Context) -> Term | None:
    """(a*b)**e with what is not a sum outside: powers of products are split where the factors are positive.

    Where all factors are known to be at least 0 they are split too.
    """
    if t.op != "pow" or t.args[0].op != "mul":
        return None
    if all(_is_constant(f) for f in t.args[0].args):
        return None
    positive = [f for f in t.args[0].args if context.is_positive(f)]
    if all(context.is_nonnegative(f) for f in t.args[0].args):
        positive = list(t.args[0].args)
    if not positive:
        return None
    rest = mul(*(f for f in t.args[0].args if f not in positive))
    constants = mul(*(f for f in positive if _is_constant(f)))
    outside = mul(power(constants, t.args[1]), *(power(f, t.args[1]) for f in positive if not _is_constant(f)))
    return mul(outside, node("pow", (rest, t.args[1])) if rest is not ONE else ONE)


def _is_constant(t: Term) -> bool:
    return all(x.op in ("num", "const", "pow", "mul", "add") for x in walk(t))


def _join_powers(t: Term, context: Context) -> Term | None:
    """(x**a)**e = x**(a*e) for x > 0."""
    if t.op != "pow" or t.args[0].op != "pow" or not context.is_nonnegative(t.args[0].args[0]):
        return None
    inner = t.args[0]
    return power(inner.args[0], mul(inner.args[1], t.args[1]))


def _power_of_quotient(t: Term, context: Context) -> Term | None:
    """a**e * b**(-e) = (a/b)**e, where e is no number."""
    powers = [f for f in t.args if f.op == "pow" and not is_num(f.args[1]) and context.is_nonnegative(f.args[0])]
    for f in powers:
        for g in powers:
            if f is not g and coefficient(f.args[1])[0] > 0 and add(f.args[1], g.args[1]) is ZERO:
                whole = node("pow", (mul(f.args[0], power(g.args[0], num(-1))), f.args[1]))
                return mul(whole, *(h for h in t.args if h is not f and h is not g))
    return None


def _logarithm_in_exponent(t: Term, context: Context) -> Term | None:
    """exp(r*(x - log(u)/r)) = exp(r*x)/u."""
    if t.data != "exp":
        return None
    apart = [p for a in terms_of(t.args[0]) for p in multiplied_out(a)]
    if any(_is_multiple_of_logarithm(a) for a in apart):
        return exp(add(*apart))
    return None


def _growing_exponential(t: Term, context: Context) -> Term | None:
    """exp(-u)/(1 - exp(-u)) = 1/(exp(u) - 1)."""
    for f in t.args:
        if f.op == "fn" and f.data == "exp" and (other := power(sub(ONE, f), MINUS_ONE)) in t.args:
            rest = (g for g in t.args if g is not f and g is not other)
            return mul(power(sub(exp(neg(f.args[0])), ONE), MINUS_ONE), *rest)
    return None


def multiplied_out(t: Term) -> list[Term]:
    """The summands of a product with one sum."""
    sums = [f for f in factors_of(t) if f.op == "add"]
    if len(sums) != 1:
        return [t]
    rest = mul(*(f for f in factors_of(t) if f is not sums[0]), num(coefficient(t)[0]))
    return [mul(rest, a) for a in sums[0].args]


def _is_multiple_of_logarithm(t: Term) -> bool:
    rest = coefficient(t)[1]
    return rest.op == "fn" and rest.data == "log"


SPLIT_POWER = Rule(
    "power/split",
    ("pow",),
    r"(a\,b)^e = a^e\,b^e \quad (a > 0)",
    "a positive factor leaves the power",
    _sum_of_power,
    Example("sqrt(p[i]*x[i, 0])", "sqrt(p[i])*sqrt(x[i, 0])", "{x: [n, c], p: {shape: [n], domain: positive}}"),
    needs=("sign",),
)
JOIN_POWERS = Rule(
    "power/join",
    ("pow",),
    r"(a^b)^c = a^{b c} \quad (a \ge 0)",
    "a power of a power is one power",
    _join_powers,
    Example("(p[i]**2)**(3/2)", "p[i]**3", "{p: {shape: [n], domain: positive}}"),
    needs=("sign",),
)
POWER_OF_QUOTIENT = Rule(
    "power/quotient",
    ("mul",),
    r"a^e\,b^{-e} = (a/b)^e \quad (a, b \ge 0)",
    "powers to opposite exponents are one power of a quotient",
    _power_of_quotient,
    Example(
        "p[i]**q[i]*r[i]**(-q[i])",
        "(p[i]/r[i])**q[i]",
        "{p: {shape: [n], domain: positive}, q: [n], r: {shape: [n], domain: positive}}",
    ),
    needs=("sign",),
)
LOGARITHM_IN_EXPONENT = Rule(
    "power/logarithm",
    ("fn",),
    r"e^{r (x - \log(u)/r)} = e^{r x}/u",
    "a logarithm leaves the exponent",
    _logarithm_in_exponent,
    Example(
        "exp(s[i]*(x[i] - log(1 + x[i]**2)/s[i]))",
        "exp(s[i]*x[i])/(1 + x[i]**2)",
        "{x: [n], s: {shape: [n], domain: positive}}",
    ),
)
GROWING_EXPONENTIAL = Rule(
    "exponential/growing",
    ("mul",),
    r"\frac{e^{-u}}{1 - e^{-u}} = \frac{1}{e^u - 1}",
    "one exponential says it",
    _growing_exponential,
    Example("exp(-p[i])/(1 - exp(-p[i]))", "1/(exp(p[i]) - 1)", "{p: {shape: [n], domain: positive}}"),
)
POWERS = (POWER_OF_QUOTIENT, LOGARITHM_IN_EXPONENT, GROWING_EXPONENTIAL)
"""For people: after the normal form."""

__all__ = [
    "GROWING_EXPONENTIAL",
    "JOIN_POWERS",
    "LOGARITHM_IN_EXPONENT",
    "POWERS",
    "POWER_OF_QUOTIENT",
    "SPLIT_POWER",
    "multiplied_out",
]
