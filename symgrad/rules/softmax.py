"""A softmax whose weights came out of its exponent as factors is put together again."""

from __future__ import annotations

from symgrad.algebra.build import add, exp, mul, neg, substitute
from symgrad.algebra.show import softmax_parts
from symgrad.algebra.terms import Term, by_name, coefficient, extent, factors_of, terms_of, walk
from symgrad.rewrite.rule import Example, Rule


def whole_softmax(t: Term) -> Term | None:
    """softmax/weights for an exponential that holds the lse of an exponent with logarithms, and lacks these itself."""
    if t.op != "fn" or t.data != "exp" or softmax_parts(t.args[0]) is not None:
        return None
    for a in terms_of(t.args[0]):
        c, lse = coefficient(a)
        if c == -1 and lse.op == "red" and lse.data == "lse" and len(lse.args) == 2 and _has_logarithm(lse.args[0]):
            for j in by_name(t.free - lse.free):
                whole = add(substitute(lse.args[0], {lse.args[1]: j}), neg(lse))
                weights = exp(add(t.args[0], neg(whole)))
                if extent(j) is extent(lse.args[1]) and not any(x.data == "exp" for x in factors_of(weights)):
                    return mul(exp(whole), weights)
    return None


def _has_logarithm(t: Term) -> bool:
    return any(x.op == "fn" and x.data == "log" for x in walk(t))


WEIGHTED_SOFTMAX = Rule(
    "softmax/weighted",
    ("fn",),
    r"e^{f_j - \operatorname{lse}_k(f_k + \log w_k)} = \frac{1}{w_j}\,\operatorname{softmax}_j(f_j + \log w_j)",
    "its weights belong to the softmax",
    lambda t, context: whole_softmax(t),
    Example(
        "exp(x[i, j] - logsumexp(x[i, k] + log(p[k]), k))",
        "softmax(x[i, j] + log(p[j]), j)/p[j]",
        "{x: [n, c], p: {shape: [c], domain: positive}}",
    ),
)

__all__ = ["WEIGHTED_SOFTMAX", "whole_softmax"]
