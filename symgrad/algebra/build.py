"""The constructors of terms in one place: what holds for every value is simplified, nothing is expanded."""

from symgrad.algebra.arithmetic import add, div, exp, fn, is_integer_valued, mul, neg, power, scale, sub
from symgrad.algebra.binders import Fresh, fresh_in, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.conditions import (
    assume,
    compare,
    conjunction,
    disjunction,
    iverson,
    negation,
    where,
)

__all__ = [
    "Fresh",
    "add",
    "assume",
    "compare",
    "conjunction",
    "disjunction",
    "div",
    "exp",
    "fn",
    "fresh_in",
    "is_integer_valued",
    "iverson",
    "mul",
    "neg",
    "negation",
    "open_reduction",
    "power",
    "rebuild",
    "reduce",
    "scale",
    "sub",
    "substitute",
    "where",
]
