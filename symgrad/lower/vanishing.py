"""Products of what vanishes and what grows: e**(-x**2)*(1 - 2*x**2) is 0 far out, where its factors are 0 and infinite.

A factor that vanishes exponentially decides alone: where it is 0 the growing factors are left out. So does the weight
of a softmax of squares of exponentials, as those of a mixture of densities with scales are.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.terms import Term, factors_of, is_access, is_num, terms_of, value
from symgrad.lower.scope import Scope
from symgrad.lower.softmax import softmax_of

FAST = frozenset(("sech2", "normal_pdf", "erfc"))
"""Functions that vanish at least as fast as an exponential of their argument grows."""
DEPTH = 3
"""Names behind names that are looked through."""
VANISHING = FAST | {"exp", "sigmoid", "normal_cdf"}
BOUNDED = VANISHING | {"tanh", "erf", "sin", "cos", "atan", "sign", "complement"}


def without_limit(single: Sequence[Term], twice: Sequence[Term], scope: Scope) -> tuple[Term | None, frozenset[Term]]:
    """A factor that may be 0 where others are infinite, and those; None where there is none.

    `twice`: exponentials and squares, which are multiplied in halves.
    """
    exponentials = frozenset(f for f in twice if f.op == "fn")
    polynomials = frozenset(f for f in single if grows(f, scope))
    for f in (*single, *(f for f in twice if f.op == "fn")):
        if _is_doubly_exponential(f, scope):
            growing = polynomials | exponentials
            if growing - {f}:
                return f, growing - {f}
        if f.op != "fn" or f.data not in VANISHING or (f.data == "exp" and softmax_of(f, scope, None) is not None):
            continue
        growing = polynomials | (exponentials if f.data in FAST else frozenset())
        if growing - {f}:
            return f, growing - {f}
    unbounded = exponentials | {f for f in single if _has_exponential(f, scope)}
    for f in single:
        if unbounded - {f} and is_weighted(f, scope):
            return f, frozenset(unbounded - {f})
    return None, frozenset()


def is_weighted(t: Term, scope: Scope, depth: int = DEPTH) -> bool:
    """Whether a factor, by itself or by name, is the weight of a softmax: it vanishes with the square that makes it."""
    if is_access(t):
        s = scope.definitions.get(str(t.data)) if depth else None
        return s is not None and any(is_weighted(f, scope, depth - 1) for f in factors_of(s.body))
    return t.op == "fn" and t.data == "exp" and softmax_of(t, scope, None) is not None


def _has_exponential(t: Term, scope: Scope) -> bool:
    """Whether a name stands for a product with an exponential that has no bound."""
    s = scope.definitions.get(str(t.data)) if is_access(t) else None
    if s is None or s.kind in ("adjoint", "tangent"):
        return False
    return any(f.op == "fn" and f.data == "exp" and softmax_of(f, scope, None) is None for f in factors_of(s.body))


def _is_doubly_exponential(t: Term, scope: Scope) -> bool:
    """Whether a factor is e^(-e^x), by itself or by name: it vanishes faster than e^x grows."""
    s = scope.definitions.get(str(t.data)) if is_access(t) else None
    body = s.body if s is not None and s.kind not in ("adjoint", "tangent") else t
    if body.op != "fn" or body.data != "exp":
        return False
    return any(f.op == "fn" and f.data == "exp" for a in terms_of(body.args[0]) for f in factors_of(a))


def with_own_argument(factors: Sequence[Term]) -> list[Term]:
    """a*sigmoid(a) before the other factors: it vanishes where a is large, and a*b may overflow there."""
    for f in factors if len(factors) > 2 else ():
        if f.op == "fn" and f.data in VANISHING:
            own = [g for g in factors if g is f or (is_access(g) and g in terms_of(f.args[0]))]
            if len(own) > 1:
                return [*own, *(g for g in factors if g not in own)]
    return list(factors)


def grows(t: Term, scope: Scope) -> bool:
    """Whether a term is like a square or more: it overflows long before its arguments do."""
    if is_access(t):
        s = scope.definitions.get(str(t.data))
        return s is not None and s.kind not in ("adjoint", "tangent") and _has_power(s.body)
    if t.op == "mul":
        return any(grows(f, scope) for f in t.args) or sum(is_access(f) for f in factors_of(t)) > 1
    return _has_power(t) or (t.op == "add" and any(grows(a, scope) for a in t.args))


def _has_power(t: Term) -> bool:
    if t.op == "pow":
        return is_num(t.args[1]) and value(t.args[1]) > 1 and _is_unbounded(t.args[0])
    return t.op in ("add", "mul") and any(map(_has_power, t.args))


def _is_unbounded(t: Term) -> bool:
    return bool(t.tensors) and not (t.op == "fn" and t.data in BOUNDED)
