"""Summands, factors, fractions and softmaxes as people write them: their order and signs, shared by all printers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symgrad.algebra.build import add, exp, mul, neg, power, substitute
from symgrad.algebra.terms import (
    ONE,
    ZERO,
    Term,
    base_exponent,
    by_name,
    coefficient,
    extent,
    factors_of,
    is_num,
    node,
    num,
    terms_of,
    value,
)


def split_fraction(t: Term) -> tuple[Fraction, list[Term], list[Term]]:
    """Number, numerator factors and denominator factors of a product; a softmax in it is one factor."""
    softmax, t = softmax_apart(t)
    c, rest = coefficient(t)
    above, below = [softmax] if softmax is not None else [], []
    for f in factors_of(rest):
        b, e = base_exponent(f)
        k, symbol = coefficient(e)
        if k < 0 and b is not ONE:
            below.append(power(b, mul(num(-k), symbol)))
        else:
            above.append(f)
    return c, order_factors(_turned(above)), order_factors(below)


def softmax_apart(t: Term) -> tuple[Term | None, Term]:
    """softmax(e, j) and what it is multiplied by, where the product holds it in an exponential of more."""
    for f in factors_of(t):
        found = softmax_parts(f.args[0]) if f.op == "fn" and f.data == "exp" else None
        if found is not None and found[2] is not ZERO:
            own = node("fn", (add(f.args[0], neg(found[2])),), "exp")
            return own, mul(*(g for g in factors_of(t) if g is not f), exp(found[2]))
    return None, t


_RANK = {
    "par": 0,
    "dim": 1,
    "const": 1,
    "idx": 1,
    "get": 2,
    "get0": 2,
    "mat": 3,
    "pow": 3,
    "fn": 4,
    "add": 5,
    "where": 6,
    "red": 7,
}


def _factor_key(t: Term) -> tuple[int, int, str]:
    b, _ = base_exponent(t)
    return (_RANK.get(b.op, 4), 0 if t.op != "pow" else 1, _plain(t))


def _plain(t: Term) -> str:
    return str(t.data or "") + "".join(_plain(a) for a in t.args[:3]) if t.size < 60 else t.digest.hex()


def order_factors(factors: Sequence[Term]) -> list[Term]:
    """Factors in the order in which people write them: numbers, names, powers, functions, sums."""
    return sorted(factors, key=_factor_key)


def order_terms(summands: Sequence[Term]) -> list[Term]:
    """Summands in the order in which people write them: positive ones first, a number last among its sign."""
    return sorted(summands, key=lambda t: (coefficient(t)[0] < 0, is_num(t), t.size > 40, _plain(t)))


def signed_terms(summands: Sequence[Term]) -> list[tuple[bool, Term]]:
    """Summands in the order of people, each as its sign (true: minus) and the rest: x - a*(1 - b) for x + a*(b - 1)."""
    flipped = [t for t in summands if coefficient(t)[0] > 0 and _has_negative_number(t)]
    plain = [t for t in summands if coefficient(t)[0] > 0 and t not in flipped]
    minus = [t for t in summands if coefficient(t)[0] < 0]
    if not plain:
        return [(coefficient(t)[0] < 0, neg(t) if coefficient(t)[0] < 0 else t) for t in order_terms(summands)]
    return [(False, t) for t in order_terms(plain)] + [
        (True, t) for t in order_terms([neg(t) for t in (*minus, *flipped)])
    ]


def _turned(factors: Sequence[Term]) -> list[Term]:
    """The same product with (1 - x)*(1 - y) for (x - 1)*(y - 1)."""
    against = [f for f in factors if _has_negative_number(f)]
    pairs = against[: len(against) // 2 * 2]
    return [neg(f) if f in pairs else f for f in factors]


def _has_negative_number(t: Term) -> bool:
    """Whether the product holds one sum of both signs, a number among its negative summands."""
    sums = [f for f in factors_of(t) if f.op == "add" and len({coefficient(a)[0] < 0 for a in f.args}) == 2]
    return t.op in ("mul", "add") and len(sums) == 1 and any(is_num(a) and value(a) < 0 for a in sums[0].args)


def softmax_parts(t: Term) -> tuple[Term, Term, Term] | None:
    """e, j, rest where exp(t) = softmax(e, j)*exp(rest)."""
    for a in terms_of(t):
        c, r = coefficient(a)
        if c != -1 or r.op != "red" or r.data != "lse" or len(r.args) != 2:
            continue
        rest = add(t, r)
        for j in by_name(rest.free - r.free):
            if extent(j) is extent(r.args[1]):
                e = substitute(r.args[0], {r.args[1]: j})
                if j in e.free and (remainder := add(rest, neg(e))).size < rest.size:
                    return e, j, remainder
    return None


def softmax_power(t: Term) -> tuple[Term, Fraction] | None:
    """softmax(e, j) and k > 1 where exp(t) = softmax(e, j)**k."""
    spread = spread_out(t)
    for a in terms_of(spread):
        c, r = coefficient(a)
        if c < -1 and r.op == "red" and r.data == "lse":
            root = add(*(mul(num(1 / -c), x) for x in terms_of(spread)))
            found = softmax_parts(root)
            if found is not None and found[2] is ZERO:
                return node("fn", (root,), "exp"), -c
    return None


def spread_out(t: Term) -> Term:
    """c*(a + b) as c*a + c*b."""
    c, rest = coefficient(t)
    return add(*(mul(num(c), a) for a in rest.args)) if c != 1 and rest.op == "add" else t
