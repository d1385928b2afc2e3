"""Sums, functions and conditions of a statement become maps; products and powers stand in `products`.

A factor [c] is a `where`, so that nan or inf of a branch not taken never passes; the operands of partial functions
inside such a branch are made safe first, so that derivatives of the kernel itself stay finite too (the double where).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    disjunction,
    div,
    fn,
    mul,
    neg,
    negation,
    power,
    sub,
    where,
)
from symgrad.algebra.show import order_terms
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    coefficient,
)
from symgrad.lower.arrays import Broadcast, Cast, Expr, Fill, Map, Range, Scalar
from symgrad.lower.projections import lower_projected, lower_shifted, with_projections
from symgrad.lower.scope import Guard, Scope, is_integer, is_scalar
from symgrad.lower.softmax import centered_of, complement_of, difference_from_one, log_softmax_of, softmax_of
from symgrad.rules.series import by_series

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


# ---- sums ----------------------------------------------------------------------------------------------------------


def lower_add(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A sum; terms with a negative coefficient are subtracted."""
    found = log_softmax_of(t, scope) or centered_of(t, scope, guard)
    if found is not None:
        whole, minus, rest = found
        if rest is ZERO:
            return mapped(scope, "neg", whole) if minus else whole
        return mapped(scope, "sub" if minus else "add", as_real(scope.lower(rest, guard)), whole)
    projected = with_projections(t, scope)
    if projected is not None:
        return as_real(scope.lower(projected, guard))
    total: Expr | None = None
    for a in numbers_last(order_terms(t.args)):
        minus = coefficient(a)[0] < 0
        e = as_real(scope.lower(neg(a) if minus else a, guard))
        if total is None:
            total = mapped(scope, "neg", e) if minus else e
        else:
            total = mapped(scope, "sub" if minus else "add", total, e)
    assert total is not None
    return total


def numbers_last(terms: Sequence[Term]) -> list[Term]:
    """c + x - y as x - y + c: large x and y of nearly one size leave what c is not lost in."""
    arrays = [a for a in terms if not is_scalar(a)]
    signs = {coefficient(a)[0] < 0 for a in arrays}
    return [*arrays, *(a for a in terms if is_scalar(a))] if len(signs) > 1 else list(terms)


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
        return complement_of(t.args[0], scope) or scope.lower(difference_from_one(t.args[0], scope), guard)
    if name in SPECIAL:
        return SPECIAL[name](t, scope, guard)
    args = [as_real(scope.lower(a, guard)) for a in t.args]
    if name in SAFE:
        args[-1] = guarded(t.args[-1], args[-1], SAFE[name], scope, guard)
    if name in COMBINED:
        return COMBINED[name](name, args, scope)
    if name == "atan2":
        like = next(a for a in args if not isinstance(a, Scalar))
        args = [Fill(like.frame, "real", like, a) if isinstance(a, Scalar) else a for a in args]
    return mapped(scope, name, *args)


def lower_ratio(name: str, args: Sequence[Expr], scope: Scope) -> Expr:
    """x/y, before anything else is multiplied."""
    return mapped(scope, "div", *args)


def lower_extremum(name: str, args: Sequence[Expr], scope: Scope) -> Expr:
    """Max and Min of any number of arguments, two at a time, numbers last."""
    ordered = sorted(args, key=lambda a: isinstance(a, Scalar))
    total = ordered[0]
    for a in ordered[1:]:
        total = mapped(scope, name, total, a)
    return total


COMBINED = {"ratio": lower_ratio, "Max": lower_extremum, "Min": lower_extremum}


def lower_heaviside(t: Term, scope: Scope, guard: Guard) -> Expr:
    """0 below zero, 1 above, the second argument at zero."""
    x, h = t.args
    return scope.lower(where(compare("<", x, ZERO), ZERO, where(compare("<", ZERO, x), ONE, h)), guard)


def lower_series(t: Term, scope: Scope, guard: Guard) -> Expr:
    """A sum by its series near 0, as it stands elsewhere."""
    return scope.lower(by_series(t), guard)


SPECIAL: Mapping[str, Callable[[Term, Scope, Guard], Expr]] = {
    "Heaviside": lower_heaviside,
    "projected": lower_projected,
    "shifted": lower_shifted,
    "series": lower_series,
}
"""Functions that are lowered in a way of their own."""


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
