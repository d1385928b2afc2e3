"""Arithmetic that simplifies: sums collect equal terms, products equal bases and all exponentials, numbers are folded.

Nothing is expanded, and what holds for every value of the arguments only is done, without a record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import (
    INFINITY,
    MINUS_ONE,
    ONE,
    ZERO,
    E,
    Term,
    base_exponent,
    coefficient,
    extent,
    factors_of,
    is_num,
    node,
    num,
    remembered,
    terms_of,
    value,
)

LARGEST_POWER_BITS = 4096


@remembered
def add(*items: Term) -> Term:
    """The sum, equal terms collected."""
    total: dict[Term, Fraction] = {}
    for item in items:
        for t in terms_of(item):
            c, r = _oriented(*coefficient(t))
            total[r] = total[r] + c if r in total else c
    parts = [scale(c, r) for r, c in total.items() if c]
    if not parts:
        return ZERO
    if len(parts) == 1:
        return parts[0]
    return node("add", tuple(sorted(parts, key=lambda t: t.digest)))


def _oriented(c: Fraction, t: Term) -> tuple[Fraction, Term]:
    """c*t with the sign of its one mixed sum fixed, so that a*(x - y) and a*(y - x) are known as opposites."""
    if t.op != "mul":
        return c, t
    mixed = [f for f in t.args if f.op == "add" and len({coefficient(a)[0] < 0 for a in f.args}) == 2]
    if len(mixed) != 1:
        return c, t
    if _leads(mixed[0]):
        return c, t
    flipped = (neg(f) if f is mixed[0] else f for f in t.args)
    return -c, node("mul", tuple(sorted(flipped, key=lambda f: f.digest)))


def _leads(t: Term) -> bool:
    """Whether a sum with summands of both signs is in the orientation of the two that is preferred."""
    first = min(t.args, key=lambda a: (skeleton(coefficient(a)[1]), coefficient(a)[1].digest))
    return coefficient(first)[0] > 0


def _join_opposites(powers: dict[Term, list[Term]]) -> int:
    """(a - b)**m (b - a)**n = (-1)**n (a - b)**(m + n) for an integer n; the sign."""
    sums = [b for b in powers if b.op == "add"] if len(powers) > 1 else []
    sign = 1
    for b in sums if len(sums) > 1 else ():
        opposite = neg(b)
        if b not in powers or opposite not in powers:
            continue
        kept, other = (b, opposite) if _leads(b) else (opposite, b)
        whole = add(*powers[other])
        if is_integer_valued(whole):
            powers[kept] += powers.pop(other)
            sign *= -1 if value(whole).numerator % 2 else 1
    return sign


def scale(c: Fraction, t: Term) -> Term:
    """c*t for a term without a numeric factor of its own."""
    if c == 1:
        return t
    if t is ONE:
        return num(c)
    if c < 0 and t.op == "mul" and any(f.op == "add" for f in t.args):
        return mul(num(c), t)  # the sign has one place
    return node("mul", (num(c), *factors_of(t)))


@remembered
def neg(t: Term) -> Term:
    """-t, distributed over a sum."""
    if t.op == "add":
        return node("add", tuple(sorted((neg(a) for a in t.args), key=lambda a: a.digest)))
    c, r = coefficient(t)
    return scale(-c, r) if c else ZERO


def sub(a: Term, b: Term) -> Term:
    """a - b."""
    return add(a, neg(b))


@remembered
def mul(*items: Term) -> Term:
    """The product: equal bases and all exponentials collected. Sums are not multiplied out; a sign goes into a sum."""
    c, powers, exponents = _gathered(items)
    if not c:
        return ZERO
    c *= _join_opposites(powers)
    parts: list[Term] = []
    for b, es in powers.items():
        if b.op == "iv" and len(es) > 1:
            f = b if any(e.op == "num" and value(e) > 0 for e in es) else power(b, add(*es))
        else:
            f = power(b, add(*es)) if len(es) > 1 else (b if es[0] is ONE else node("pow", (b, es[0])))
        parts.extend(factors_of(f))
    if exponents:
        parts.extend(factors_of(exp(add(*exponents))))
    for f in parts:
        if f.op == "num":
            c *= value(f)
    if not c:
        return ZERO
    c, parts = _signs(c, [f for f in parts if f.op != "num"])
    if c == -1 and len(parts) == 1 and parts[0].op == "add":
        return neg(parts[0])
    return _product(c, parts)


def _gathered(items: tuple[Term, ...]) -> tuple[Fraction, dict[Term, list[Term]], list[Term]]:
    """The number, the exponents by base, and the exponents of e of a product."""
    c = Fraction(1)
    powers: dict[Term, list[Term]] = {}
    exponents: list[Term] = []
    for item in items:
        for f in factors_of(item):
            if f.op == "num":
                c *= value(f)
            elif f.op == "fn" and f.data == "exp":
                exponents.append(f.args[0])
            else:
                b, e = base_exponent(f)
                powers.setdefault(b, []).append(e)
    return c, powers, exponents


def _signs(c: Fraction, parts: list[Term]) -> tuple[Fraction, list[Term]]:
    """One place for the sign: outside of a sum whose summands all have the same, inside of a mixed one."""
    sums = [k for k, f in enumerate(parts) if f.op == "add"]
    mixed = []
    for k in sums:
        negative = [coefficient(a)[0] < 0 for a in parts[k].args]
        if all(negative):
            c, parts[k] = -c, neg(parts[k])
        elif any(negative):
            mixed.append(k)
    if c < 0 and len(mixed) == 1:
        c, parts[mixed[0]] = -c, neg(parts[mixed[0]])
    return c, parts


def _product(c: Fraction, parts: list[Term]) -> Term:
    if not parts:
        return num(c)
    parts = sorted(parts, key=lambda t: t.digest)
    if c == 1:
        return parts[0] if len(parts) == 1 else node("mul", tuple(parts))
    return node("mul", (num(c), *parts))


def div(a: Term, b: Term) -> Term:
    """a / b."""
    return mul(a, power(b, MINUS_ONE))


def is_integer_valued(t: Term) -> bool:
    """Whether the term is an integer number."""
    return t.op == "num" and value(t).denominator == 1


@remembered
def power(b: Term, e: Term) -> Term:
    """b**e."""
    if e is ZERO:
        return ONE
    if e is ONE or b is ONE:
        return b
    if b.op == "num" and e.op == "num":
        return _number_power(value(b), value(e))
    if b.op == "pow" and (is_integer_valued(e) or _outer_exponent_joins(b)):
        return power(b.args[0], mul(b.args[1], e))
    if b.op == "fn" and b.data == "exp":
        return exp(mul(b.args[0], e))
    if b.op == "iv" and e.op == "num" and value(e) > 0:
        return b
    if b.op == "mul":
        return _power_of_product(b, e)
    if b is E:
        return exp(e)
    return node("pow", (b, e))


def _outer_exponent_joins(b: Term) -> bool:
    """(x**a)**e = x**(a*e) for every e where x**a is only defined for x >= 0."""
    a = b.args[1]
    return a.op == "num" and value(a).denominator % 2 == 0


def _power_of_product(b: Term, e: Term) -> Term:
    if is_integer_valued(e):
        return mul(*(power(f, e) for f in b.args))
    c, r = coefficient(b)
    if c > 0 and c != 1 and (root := power(num(c), e)).op == "num":
        return mul(root, power(r, e))
    return node("pow", (b, e))


def _number_power(b: Fraction, e: Fraction) -> Term:
    if e.denominator == 1:
        bits = abs(int(e)) * max(b.numerator.bit_length(), b.denominator.bit_length())
        if (b == 0 and e < 0) or bits > LARGEST_POWER_BITS:
            return node("pow", (num(b), num(e)))
        return num(b ** int(e))
    if b == 0 and e > 0:
        return ZERO
    root = _exact_root(b, e.denominator)
    if root is not None:
        return _number_power(root, Fraction(e.numerator))
    if b > 0 and (e < 0 or e > 1):
        whole = e.numerator // e.denominator
        return mul(num(b**whole), node("pow", (num(b), num(e - whole))))
    return node("pow", (num(b), num(e)))


def _exact_root(b: Fraction, n: int) -> Fraction | None:
    if b <= 0 or n > 64:
        return None
    p, q = round(b.numerator ** (1 / n)) if b.numerator < 1 << 200 else 0, 0
    q = round(b.denominator ** (1 / n)) if b.denominator < 1 << 200 else 0
    return Fraction(p, q) if p and q and p**n == b.numerator and q**n == b.denominator else None


def exp(t: Term) -> Term:
    """e**t; logarithms in the exponent come out as powers, except those of a softmax, which stays whole."""
    if t is ZERO:
        return ONE
    if neg(INFINITY) in terms_of(t):  # of a mask, beside what is finite
        return ZERO
    rest, outside = [], []
    whole = any(coefficient(a)[0] == -1 and _is_lse_of_logarithms(coefficient(a)[1]) for a in terms_of(t))
    for a in terms_of(t):
        factors = factors_of(a)
        logs = [f for f in factors if f.op == "fn" and f.data == "log"]
        if len(logs) == 1 and not whole:
            outside.append(power(logs[0].args[0], mul(*(f for f in factors if f is not logs[0]))))
        else:
            rest.append(a)
    if outside:
        return mul(*outside, exp(add(*rest)))
    return node("fn", (t,), "exp")


def _is_lse_of_logarithms(t: Term) -> bool:
    found = t.op == "red" and t.data == "lse"
    return found and any(f.op == "fn" and f.data == "log" for a in terms_of(t.args[0]) for f in factors_of(a))


def fn(name: str, *args: Term) -> Term:
    """A function; exact values at numbers and known symmetries are used."""
    if name == "exp":
        return exp(args[0])
    if name == "sqrt":
        return power(args[0], num(Fraction(1, 2)))
    if name in ("Max", "Min") and len(args) > 2:
        return fn(name, fn(name, *args[:-1]), args[-1])
    if name == "log" and args[0].op == "fn" and args[0].data == "exp":
        return args[0].args[0]
    if name in ODD and coefficient(args[0])[0] < 0:
        return neg(fn(name, neg(args[0])))
    if name in EVEN and coefficient(args[0])[0] < 0:
        return fn(name, neg(args[0]))
    if name in ("floordiv", "mod"):
        return _digit(name, *args)
    known = _value_at_number(name, args)
    return node("fn", args, name) if known is None else known


def _digit(name: str, e: Term, w: Term) -> Term:
    """e // w or e % w; summands that are multiples of w come out, and an index of extent w is below w."""
    whole = [(a, q) for a in terms_of(e) if (q := _multiple(a, w)) is not None]
    rest = add(e, *(neg(a) for a, _ in whole)) if whole else e
    if rest is ZERO or (rest.op == "idx" and rest.args[0] is w):
        known = ZERO if name == "floordiv" else rest
    else:
        known = _value_at_number(name, (rest, w)) or node("fn", (rest, w), name)
    return add(*(q for _, q in whole), known) if name == "floordiv" else known


def _multiple(a: Term, w: Term) -> Term | None:
    """q where the term a is w*q, seen from its factors."""
    c, r = coefficient(a)
    d, s = coefficient(w)
    if not d or (c / d).denominator != 1:
        return None
    left = list(factors_of(r))
    for f in factors_of(s):
        if f not in left:
            return None
        left.remove(f)
    return scale(c / d, mul(*left))


def _value_at_number(name: str, args: tuple[Term, ...]) -> Term | None:
    if args[0] is ZERO and name in AT_ZERO:
        return AT_ZERO[name]
    if name == "log" and args[0] is ONE:
        return ZERO
    if name == "floordiv" and args[1] is ONE:
        return args[0]
    if name in ("floordiv", "mod") and args[0].op == "idx" and extent(args[0]) is args[1]:
        return ZERO if name == "floordiv" else args[0]
    if name in _INTEGER_FUNCTIONS and all(is_num(a) for a in args):
        folded = _INTEGER_FUNCTIONS[name](*(value(a) for a in args))
        return None if folded is None else num(folded)
    return None


ODD = frozenset(["sin", "tan", "sinh", "tanh", "asin", "atan", "asinh", "atanh", "erf", "sign"])
EVEN = frozenset(["cos", "cosh", "Abs"])
AT_ZERO: Mapping[str, Term] = {
    **dict.fromkeys(ODD, ZERO),
    **dict.fromkeys("Abs expm1 log1p relu silu gelu".split(), ZERO),
    **dict.fromkeys("cos cosh erfc".split(), ONE),
    "sigmoid": num(Fraction(1, 2)),
}
_INTEGER_FUNCTIONS: Mapping[str, Callable[..., Fraction | None]] = {
    "floordiv": lambda a, b: Fraction(a // b) if b else None,
    "mod": lambda a, b: Fraction(a % b) if b else None,
    "Abs": abs,
    "sign": lambda a: Fraction((a > 0) - (a < 0)),
    "floor": lambda a: Fraction(a // 1),
    "ceiling": lambda a: Fraction(-(-a // 1)),
    "Max": lambda *a: max(a),
    "Min": lambda *a: min(a),
}
