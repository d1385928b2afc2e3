"""Forms for kernels where two values may be near to each other: their difference is formed before anything is rounded.

They cost more than plain ones, so that they are candidates, taken where they are measured better.
"""

from __future__ import annotations

from collections.abc import Callable

from symgrad.algebra.build import add, compare, fn, mul, neg, power, where
from symgrad.algebra.terms import MINUS_ONE, Term, coefficient, factors_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _difference_of_values(t: Term, context: Context) -> Term | None:
    """c f(a) - c f(b) for an exponential or a sigmoid f, by expm1(a - b)."""
    found = [(x, f) for x in t.args for f in factors_of(x) if f.op == "fn" and f.data in DIFFERENCES]
    for k, (x, f) in enumerate(found):
        for y, g in found[k + 1 :]:
            c = mul(x, power(f, MINUS_ONE))
            if g.data != f.data or y is x or neg(mul(c, g)) is not y:
                continue
            a, b = (f.args[0], g.args[0]) if coefficient(c)[0] > 0 else (g.args[0], f.args[0])
            c = c if coefficient(c)[0] > 0 else neg(c)
            if not (a.tensors and b.tensors):
                continue
            form = DIFFERENCES[str(f.data)]
            whole = where(compare("<", a, b), form(a, b), neg(form(b, a)))
            return add(mul(c, whole), *(z for z in t.args if z is not x and z is not y))
    return None


DIFFERENCES: dict[str, Callable[[Term, Term], Term]] = {
    "exp": lambda a, b: mul(fn("exp", b), fn("expm1", add(a, neg(b)))),
    "sigmoid": lambda a, b: mul(fn("sigmoid", b), fn("sigmoid", neg(a)), fn("expm1", add(a, neg(b)))),
}
"""f(a) - f(b) where a < b."""

DIFFERENCE_OF_VALUES = Rule(
    "near/difference-of-values",
    ("add",),
    r"e^{a} - e^{b} = e^{b} \operatorname{expm1}(a - b)",
    "values near to each other cancel, arguments near to each other do not",
    _difference_of_values,
    Example(
        "exp(x[i, j]) - exp(x[i, k])",
        "where(x[i, j] < x[i, k], exp(x[i, k])*expm1(x[i, j] - x[i, k]), -exp(x[i, j])*expm1(x[i, k] - x[i, j]))",
    ),
)
NEAR = (DIFFERENCE_OF_VALUES,)
