"""The derivative table: every scalar function, one line each, its kinks as torch has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgrad.algebra.build import add, compare, div, exp, fn, iverson, mul, neg, power, sub
from symgrad.algebra.terms import HALF, MINUS_ONE, ONE, PI, TWO, ZERO, Term, lead_of, mat, matrix_of, node, num

Partial = Callable[..., Term | None]
_INVERSE_SQRT = num(Fraction(-1, 2))


def _square(x: Term) -> Term:
    return power(x, TWO)


def _one_minus_square(x: Term) -> Term:
    return sub(ONE, _square(x))


def _tie_halves(x: Term, y: Term) -> Term:
    """Derivative of Max(x, y) by x: 1 where x is larger, 1/2 at a tie."""
    return add(iverson(compare("<", y, x)), mul(HALF, iverson(compare("==", x, y))))


# name: derivatives by each argument; None: the argument is not differentiated
DERIVATIVES: Mapping[str, tuple[Partial | None, ...]] = {
    "exp": (exp,),
    "log": (lambda x: power(x, MINUS_ONE),),
    "log1p": (lambda x: power(add(ONE, x), MINUS_ONE),),
    "expm1": (exp,),
    "sigmoid": (lambda x: mul(fn("sigmoid", x), fn("sigmoid", neg(x))),),
    "log_sigmoid": (lambda x: fn("sigmoid", neg(x)),),
    "softplus": (lambda x: fn("sigmoid", x),),
    "logit": (lambda x: div(ONE, mul(x, sub(ONE, x))),),
    "sin": (lambda x: fn("cos", x),),
    "cos": (lambda x: neg(fn("sin", x)),),
    "tan": (lambda x: add(ONE, _square(fn("tan", x))),),
    "sinh": (lambda x: fn("cosh", x),),
    "cosh": (lambda x: fn("sinh", x),),
    "tanh": (lambda x: node("fn", (x,), "sech2"),),
    "sech2": (lambda x: mul(num(-2), fn("tanh", x), node("fn", (x,), "sech2")),),
    "logcosh": (lambda x: fn("tanh", x),),
    "asin": (lambda x: power(_one_minus_square(x), _INVERSE_SQRT),),
    "acos": (lambda x: neg(power(_one_minus_square(x), _INVERSE_SQRT)),),
    "atan": (lambda x: power(add(ONE, _square(x)), MINUS_ONE),),
    "atan2": (
        lambda y, x: div(x, add(_square(x), _square(y))),
        lambda y, x: neg(div(y, add(_square(x), _square(y)))),
    ),
    "asinh": (lambda x: power(add(ONE, _square(x)), _INVERSE_SQRT),),
    "acosh": (lambda x: mul(power(sub(x, ONE), _INVERSE_SQRT), power(add(x, ONE), _INVERSE_SQRT)),),
    "atanh": (lambda x: power(_one_minus_square(x), MINUS_ONE),),
    "erf": (lambda x: mul(TWO, power(PI, _INVERSE_SQRT), exp(neg(_square(x)))),),
    "erfc": (lambda x: mul(num(-2), power(PI, _INVERSE_SQRT), exp(neg(_square(x)))),),
    "normal_cdf": (lambda x: node("fn", (x,), "normal_pdf"),),
    "normal_pdf": (lambda x: neg(mul(x, node("fn", (x,), "normal_pdf"))),),
    "loggamma": (lambda x: fn("digamma", x),),
    "digamma": (lambda x: fn("polygamma", ONE, x),),
    "polygamma": (None, lambda n, x: fn("polygamma", add(n, ONE), x)),
    "Abs": (lambda x: fn("sign", x),),
    "relu": (lambda x: iverson(compare("<", ZERO, x)),),
    "clip": (
        lambda x, a, b: mul(iverson(compare("<=", a, x)), iverson(compare("<=", x, b))),
        lambda x, a, b: iverson(compare("<", x, a)),
        lambda x, a, b: mul(iverson(compare("<=", a, x)), iverson(compare("<", b, x))),
    ),
    "sign": (lambda x: ZERO,),
    "floor": (lambda x: ZERO,),
    "ceiling": (lambda x: ZERO,),
    "Heaviside": (lambda x, h: ZERO, None),
    "mod": (lambda x, y: ONE, lambda x, y: neg(fn("floor", div(x, y)))),
    "floordiv": (lambda x, y: ZERO, lambda x, y: ZERO),
    "Max": (_tie_halves, lambda x, y: _tie_halves(y, x)),
    "Min": (lambda x, y: _tie_halves(y, x), _tie_halves),
}


def _of_inverse(t: Term, p: Term, q: Term) -> Term:
    i, j = t.args[-3:-1]
    return neg(mul(_inverse(t, i, p), _inverse(t, q, j)))


def _of_adjugate(t: Term, p: Term, q: Term) -> Term:
    i, j = t.args[-3:-1]
    both = sub(mul(_inverse(t, q, p), _inverse(t, i, j)), mul(_inverse(t, i, p), _inverse(t, q, j)))
    return mul(_determinant(t), both)


def _determinant(t: Term) -> Term:
    return mat("det", matrix_of(t)[1], lead_of(t), t.args[-1])


def _inverse(t: Term, i: Term, j: Term) -> Term:
    return mat("inv", matrix_of(t)[1], (*lead_of(t), i, j), t.args[-1])


OF_MATRIX: Mapping[str, Callable[[Term, Term, Term], Term]] = {
    "inv": _of_inverse,
    "det": lambda t, p, q: mul(_determinant(t), _inverse(t, q, p)),
    "logdet": lambda t, p, q: _inverse(t, q, p),
    "logabsdet": lambda t, p, q: _inverse(t, q, p),
    "adj": _of_adjugate,
}
"""Derivative of a function of a matrix A by A[p, q], one line each."""
