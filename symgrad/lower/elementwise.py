"""Sums, products, powers, functions and conditions of a statement become maps.

A factor [c] is a `where`, so that nan or inf of a branch not taken never passes; the operands of partial functions
inside such a branch are made safe first, so that derivatives of the kernel itself stay finite too (the double where).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    disjunction,
    div,
    fn,
    is_integer_valued,
    mul,
    neg,
    negation,
    power,
    sub,
    where,
)
from symgrad.algebra.show import order_factors, order_terms
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    factors_of,
    is_num,
    num,
)
from symgrad.lower.arrays import Broadcast, Cast, Expr, Fill, Map, Range, Scalar
from symgrad.lower.scope import Guard, Scope, is_integer, is_scalar
from symgrad.lower.softmax import centered_of, complement_of, log_softmax_of, softmax_of

SAFE = {"log": ONE, "logit": HALF, "acosh": TWO, "asin": ZERO, "acos": ZERO, "atanh": ZERO, "log1p": ZERO, "exp": ZERO}
SAFE |= {"expm1": ZERO, "sinh": ZERO, "cosh": ZERO, "tan": ZERO, "loggamma": ONE, "digamma": ONE, "polygamma": ONE}
"""Partial or quickly growing functions, and where each is harmless."""

NUMBER_RULES: dict[str, Callable[..., Term]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "neg": neg,
    "pow": power,
    "sqrt": lambda x: power(x, HALF),
    "and": conjunction,
    "or": disjunction,
    "not": negation,
    "where": where,
    "select": where,
    "clamp_index": lambda x, last: fn("Max", ZERO, fn("Min", x, last)),
}
COMPARISONS = ("<", "<=", "==", "!=")


def number(t: Term) -> Scalar:
    """A Python number."""
    return Scalar((), "real", t)


def mapped(scope: Scope, op: str, *args: Expr, dtype: str = "real") -> Expr:
    """An elementwise operation over the merged frame of its operands; of Python numbers it is a number itself."""
    if all(isinstance(a, Scalar) for a in args):
        found = _number_of(op, [a.term for a in args if isinstance(a, Scalar)])
        if found is not None:
            return Scalar((), dtype, found)
    return Map(scope.order.merge([a.frame for a in args]), dtype, op, args)


def _number_of(op: str, args: Sequence[Term]) -> Term | None:
    """The term of an operation on numbers; None where it has none."""
    if op == "div" and args[1] is ZERO:
        return None
    if op in NUMBER_RULES:
        return NUMBER_RULES[op](*args)
    if op in COMPARISONS:
        return compare(op, *args)
    return fn(op, *args) if op not in ("copy", "truth") else None


def as_real(e: Expr) -> Expr:
    """The expression as real numbers; Python numbers stay, they never promote."""
    return e if e.dtype == "real" or isinstance(e, Scalar) else Cast(e.frame, "real", e)


def select(scope: Scope, c: Expr, a: Expr, b: Expr) -> Expr:
    """a where c holds, else b, in the real dtype."""
    if isinstance(c, Scalar):
        if not isinstance(a, Scalar) or not isinstance(b, Scalar):
            frame = scope.order.merge([a.frame, b.frame])
            a, b = (Broadcast(frame, "real", x) if isinstance(x, Scalar) else x for x in (a, b))
        return mapped(scope, "select", c, a, b)
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        if a.term is ONE and b.term is ZERO:
            return Cast(c.frame, "real", c)
        a = Fill(c.frame, "real", c, a)
    return mapped(scope, "where", c, a, b)


def guarded(t: Term, e: Expr, safe: Term, scope: Scope, guard: Guard) -> Expr:
    """The operand of a partial function: itself where its value is used, a safe number elsewhere."""
    held = [c for c in guard if (c.free or c.tensors) and c.free <= t.free]
    if not held or isinstance(e, Scalar):
        return e
    return select(scope, scope.lower(conjunction(*held)), e, number(safe))


# ---- sums and products ----------------------------------------------------------------------------------------------


def lower_add(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A sum; terms with a negative coefficient are subtracted."""
    found = log_softmax_of(t, scope) or centered_of(t, scope, guard)
    if found is not None:
        whole, minus, rest = found
        if rest is ZERO:
            return mapped(scope, "neg", whole) if minus else whole
        return mapped(scope, "sub" if minus else "add", as_real(scope.lower(rest, guard)), whole)
    total: Expr | None = None
    for a in order_terms(t.args):
        minus = coefficient(a)[0] < 0
        e = as_real(scope.lower(neg(a) if minus else a, guard))
        if total is None:
            total = mapped(scope, "neg", e) if minus else e
        else:
            total = mapped(scope, "sub" if minus else "add", total, e)
    assert total is not None
    return total


def lower_mul(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A product. Brackets become one `where` around the rest."""
    conditions = [f.args[0] for f in factors_of(t) if f.op == "iv"]
    rest = [f for f in factors_of(t) if f.op != "iv"]
    if not conditions:
        return lower_fraction(rest, scope, guard)
    c = conjunction(*conditions)
    if len(rest) == 1 and c is compare("<", ZERO, rest[0]):
        return mapped(scope, "relu", as_real(scope.lower(rest[0], guard)))
    for f in rest:
        masked = softmax_of(f, scope, c)
        if masked is not None:
            return times(scope, [masked, scope.lower(mul(*(g for g in rest if g is not f)), guard)])
    inner = scope.lower(mul(*rest), (*guard, c)) if rest else number(ONE)
    return select(scope, scope.lower(c), as_real(inner), number(ZERO))


def split_powers(factors: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    """Factors above and below the line."""
    above, below = [], []
    for f in factors:
        b, e = base_exponent(f)
        if f.op == "pow" and coefficient(e)[0] < 0:
            below.append(power(b, neg(e)))
        else:
            above.append(f)
    return above, below


def lower_fraction(factors: Sequence[Term], scope: Scope, guard: Guard) -> Expr:
    """A product of factors without brackets, negative powers as divisions."""
    c, rest = coefficient(mul(*factors))
    above, below = split_powers(factors_of(rest))
    tops = [as_real(scope.lower(f, guard)) for f in order_factors(above) if not is_scalar(f)]
    bottoms = [lower_divisor(f, scope, guard) for f in order_factors(below) if not is_scalar(f)]
    scalars = [f for f in above if is_scalar(f)], [f for f in below if is_scalar(f)]
    return fraction(scope, c, scalars, tops, bottoms)


def lower_divisor(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A denominator; where its value is not used its base is made 1."""
    b, e = base_exponent(t)
    return lower_power(b, e, scope, guard, (b,))


def fraction(
    scope: Scope, c: Fraction, scalars: tuple[list[Term], list[Term]], tops: list[Expr], bottoms: list[Expr]
) -> Expr:
    """c * scalars * tops / scalars / bottoms, arrays before divisions so that a dimension of 0 divides an array."""
    exact = abs(c) if float(c) == c and abs(c.denominator) <= 1024 else Fraction(abs(c.numerator))
    above = mul(num(exact), *scalars[0])
    below = mul(num(1 if exact == abs(c) else c.denominator), *scalars[1])
    e = times(scope, tops)
    if e == number(ONE):
        e = number(above)
    elif above is not ONE:
        pair = (number(above), e) if above.op == "num" else (e, number(above))
        e = mapped(scope, "mul", *pair)
    if c < 0:
        e = mapped(scope, "neg", e)
    if below is not ONE:
        e = mapped(scope, "div", e, number(below))
    for b in bottoms:
        e = mapped(scope, "div", e, b)
    return e


def times(scope: Scope, factors: Sequence[Expr]) -> Expr:
    """The product of arrays, small frames first."""
    ordered = sorted((f for f in factors if not (isinstance(f, Scalar) and f.term is ONE)), key=lambda f: len(f.frame))
    if not ordered:
        return number(ONE)
    total = as_real(ordered[0])
    for f in ordered[1:]:
        total = mapped(scope, "mul", total, as_real(f))
    return total


def lower_pow(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A power; a negative exponent is a division."""
    b, e = t.args
    if coefficient(e)[0] < 0:
        return lower_fraction([t], scope, guard)
    return lower_power(b, e, scope, guard, () if is_integer_valued(e) else (b,))


def lower_power(b: Term, e: Term, scope: Scope, guard: Guard, partial: tuple[Term, ...]) -> Expr:
    """b**e for an exponent without a minus sign; the base is guarded where the power is partial."""
    base = as_real(scope.lower(b, guard))
    if partial:
        base = guarded(b, base, ONE, scope, guard)
    if e is ONE:
        return base
    if e is HALF:
        return mapped(scope, "sqrt", base)
    exponent = as_real(scope.lower(e, guard))
    if not is_num(e):  # k - 1 where k != 0
        exponent = guarded(e, exponent, ONE, scope, guard)
    return mapped(scope, "pow", base, exponent)


# ---- functions and conditions ---------------------------------------------------------------------------------------


def lower_fn(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A function of arrays."""
    name = str(t.data)
    if name == "truth":
        return scope.lower(t.args[0], guard)
    if name in ("floordiv", "mod") and is_integer(t, scope.signatures):
        return mapped(scope, name, *(lower_integer(a, scope) for a in t.args), dtype="int")
    if name == "exp":
        recognized = softmax_of(t, scope, None)
        if recognized is not None:
            return recognized
    if name == "complement":
        return complement_of(t.args[0], scope) or scope.lower(add(ONE, neg(t.args[0])), guard)
    if name == "Heaviside":
        return lower_heaviside(t, scope, guard)
    args = [as_real(scope.lower(a, guard)) for a in t.args]
    if name in SAFE:
        args[-1] = guarded(t.args[-1], args[-1], SAFE[name], scope, guard)
    if name in ("Max", "Min"):
        return lower_extremum(name, args, scope)
    if name == "atan2":
        like = next(a for a in args if not isinstance(a, Scalar))
        args = [Fill(like.frame, "real", like, a) if isinstance(a, Scalar) else a for a in args]
    return mapped(scope, name, *args)


def lower_extremum(name: str, args: Sequence[Expr], scope: Scope) -> Expr:
    """Max and Min of any number of arguments, two at a time, numbers last."""
    ordered = sorted(args, key=lambda a: isinstance(a, Scalar))
    total = ordered[0]
    for a in ordered[1:]:
        total = mapped(scope, name, total, a)
    return total


def lower_heaviside(t: Term, scope: Scope, guard: Guard) -> Expr:
    """0 below zero, 1 above, the second argument at zero."""
    x, h = t.args
    return scope.lower(where(compare("<", x, ZERO), ZERO, where(compare("<", ZERO, x), ONE, h)), guard)


def lower_condition(t: Term, scope: Scope, guard: Guard) -> Expr:
    """Comparisons and their combinations, as truth values."""
    if t.op == "lit":
        return Scalar((), "bool", t)
    if t.op == "cmp":
        whole = all(is_integer(a, scope.signatures) for a in t.args)
        left, right = (lower_integer(a, scope) if whole else as_real(scope.lower(a, guard)) for a in t.args)
        e = mapped(scope, str(t.data), left, right, dtype="bool")
        return scope.part(e, "mask") if whole and not t.tensors and len(e.frame) > 1 else e
    args = [scope.lower(a, guard) for a in t.args]
    if t.op == "not":
        return mapped(scope, "not", args[0], dtype="bool")
    total = args[0]
    for a in args[1:]:
        total = mapped(scope, t.op, total, a, dtype="bool")
    return total


def lower_where(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A choice; each branch is used only where it is taken."""
    c, a, b = t.args
    first = as_real(scope.lower(a, (*guard, c)))
    second = as_real(scope.lower(b, (*guard, negation(c))))
    return select(scope, scope.lower(c), first, second)


def lower_integer(t: Term, scope: Scope) -> Expr:
    """An integer expression of indices and integer tensors: a subscript, or a side of a comparison."""
    if is_scalar(t):
        return Scalar((), "int", t)
    if t.op == "idx":
        scope.order.add(t)
        return Range((t,), "int")
    if t.op in ("add", "mul"):
        ordered = order_terms(t.args) if t.op == "add" else list(t.args)
        total: Expr | None = None
        for a in ordered:
            minus = t.op == "add" and coefficient(a)[0] < 0
            e = lower_integer(neg(a) if minus else a, scope)
            if total is None:
                total = mapped(scope, "neg", e, dtype="int") if minus else e
            else:
                total = mapped(scope, "sub" if minus else t.op, total, e, dtype="int")
        assert total is not None
        return total
    return scope.lower(t)


def last_position(n: Term) -> Expr:
    """The last position of an axis of that extent."""
    return Scalar((), "int", add(n, MINUS_ONE))


def lower_index(t: Term, scope: Scope, guard: Guard) -> Expr:
    """An index used as a number."""
    return Cast((t,), "real", Range((t,), "int"))
