"""Sums, products and Kronecker deltas: the normal form of an adjoint."""

from __future__ import annotations

from math import prod

from symgrad.algebra.affine import range_conditions, solve_for
from symgrad.algebra.build import (
    add,
    conjunction,
    exp,
    iverson,
    mul,
    neg,
    open_reduction,
    reduce,
    substitute,
)
from symgrad.algebra.show import softmax_parts
from symgrad.algebra.terms import (
    ZERO,
    Term,
    by_name,
    coefficient,
    extent,
    factors_of,
    get0,
    is_access,
    terms_of,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.digits import DIGITS, QUOTIENTS, is_whole, possible, reduces_at
from symgrad.rules.multiples import MULTIPLES
from symgrad.rules.powers import JOIN_POWERS, SPLIT_POWER

MOST_TERMS = 200
"""Products that would have more terms stay as they are."""


def _distribute(t: Term, context: Context) -> Term | None:
    if t.op != "mul":
        return None
    sums = [f for f in t.args if f.op == "add"]
    if not sums or prod(len(s.args) for s in sums) > MOST_TERMS:
        return None
    rest = mul(*(f for f in t.args if f.op != "add"))
    products = [rest]
    for s in sums:
        products = [mul(p, a) for p in products for a in s.args]
    return add(*products)


def _linear(t: Term, context: Context) -> Term | None:
    if t.op != "red" or t.data != "sum" or t.args[0].op != "add":
        return None
    body, variables = open_reduction(t, context.fresh)
    return add(*(reduce("sum", a, variables) for a in terms_of(body)))


def _separate(t: Term, context: Context) -> Term | None:
    """Independent factors leave the sum; groups of factors that share no index become sums of their own."""
    if t.op != "red" or t.data != "sum" or t.args[0].op == "add":
        return None
    bound = frozenset(t.args[1:])
    groups = _components(_split_exponentials(t.args[0], bound, context), bound)
    outside = [f for f, shared in groups if not shared]
    inside = [(f, shared) for f, shared in groups if shared]
    covered = frozenset().union(*(shared for _, shared in inside)) if inside else frozenset()
    unused = by_name(bound - covered)
    if not outside and not unused and len(inside) <= 1:
        return None
    parts = [*outside, *(extent(v) for v in unused)]
    for factor, shared in inside:
        parts.append(_reopened(t, factor, by_name(shared), context))
    return mul(*parts)


def _reopened(t: Term, body: Term, variables: list[Term], context: Context) -> Term:
    names = {v: context.fresh.index(v) for v in variables}
    return reduce("sum", substitute(body, names), names.values())


def _split_exponentials(body: Term, bound: frozenset[Term], context: Context) -> list[Term]:
    """The factors, exponentials by the indices of their exponents; a softmax whose lse the sum counts stays whole."""
    factors: list[Term] = []
    for f in factors_of(body):
        if f.op == "fn" and f.data == "exp" and f.args[0].op == "add":
            shared: dict[frozenset[Term], list[Term]] = {}
            exponent, softmax = _without_softmax(f.args[0], bound, context)
            for a in terms_of(exponent):
                shared.setdefault(a.free & bound, []).append(a)
            factors.extend(exp(add(*items)) for items in shared.values())
            factors.extend(softmax)
        else:
            factors.append(f)
    return factors


def _without_softmax(exponent: Term, bound: frozenset[Term], context: Context) -> tuple[Term, list[Term]]:
    """What is left of an exponent beside f - lse f, and exp(f - lse f): e^(-lse) alone may overflow, and so may e^f.

    Nothing is left of one that is no softmax as it stands: where a bracket holds, it may be one.
    """
    whole: list[Term] = []
    for a in exponent.args:
        c, name = coefficient(a)
        lse = context.body(name) if is_access(name) else name
        if c < 0 and lse is not None and lse.op == "red" and lse.data == "lse" and lse.free & bound:
            parts = softmax_parts(add(exponent, name, neg(lse))) if c == -1 else None
            if parts is not None:
                return parts[2], [exp(add(exponent, neg(parts[2])))]
            whole = [exp(exponent)]
    return (ZERO, whole) if whole else (exponent, [])


def _components(factors: list[Term], bound: frozenset[Term]) -> list[tuple[Term, frozenset[Term]]]:
    groups: list[tuple[list[Term], frozenset[Term]]] = []
    for f in factors:
        shared = f.free & bound
        members = [f]
        rest: list[tuple[list[Term], frozenset[Term]]] = []
        for items, indices in groups:
            if shared & indices:
                members, shared = items + members, shared | indices
            else:
                rest.append((items, indices))
        groups = [*rest, (members, shared)]
    return [(mul(*items), indices) for items, indices in groups]


def _flatten(t: Term, context: Context) -> Term | None:
    if t.op != "red" or t.data != "sum":
        return None
    inner = [f for f in factors_of(t.args[0]) if f.op == "red" and f.data == "sum"]
    if not inner:
        return None
    body, variables = open_reduction(t, context.fresh)
    factors: list[Term] = []
    for f in factors_of(body):
        if (
            f.op == "red"
            and f.data == "sum"
            and "..." not in {str(v.data) for v in f.args[1:]} & {str(v.data) for v in variables}
        ):
            part, more = open_reduction(f, context.fresh)
            factors.append(part)
            variables += more
        else:
            factors.append(f)
    new = reduce("sum", mul(*factors), variables)
    return None if new is t else new


def _equalities(body: Term) -> list[tuple[Term, Term, Term]]:
    """Factors [a == b] of a product, as factor, a, b."""
    found = []
    for f in factors_of(body):
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "==":
            a, b = f.args[0].args
            found.append((f, a, b))
    return found


def _solve_bare(t: Term, context: Context) -> Term | None:
    """sum_j [j == e] f(j) = f(e) where e stays inside: an index, an integer input, the first or last place."""
    return _solve(t, context, bare=True)


def _solve_affine(t: Term, context: Context) -> Term | None:
    """The same for any e; what leaves the range of the summed index contributes nothing."""
    return _solve(t, context, bare=False)


def _solve(t: Term, context: Context, bare: bool) -> Term | None:
    if t.op != "red" or t.data != "sum":
        return None
    bound = t.args[1:]
    for factor, a, b in _equalities(t.args[0]):
        # of a window and its taps the window goes: a sum over taps is shorter
        for v in bound if bare else sorted(bound, key=lambda i: -extent(i).size):
            e = solve_for(v, a, b)
            if e is None or (str(v.data) == "..." and e.op != "idx"):
                continue
            inside = _stays_inside(e, v, context)
            rest = mul(*(f for f in factors_of(t.args[0]) if f is not factor))
            if bare and not inside and not (_is_digit(e) and not reduces_at(rest, v)):
                continue
            new = rest if inside else _guarded(rest, v, e, context)
            remaining = [x for x in bound if x is not v]
            names = {x: context.fresh.index(x) for x in remaining}
            return reduce("sum", substitute(substitute(new, {v: e}), names), names.values())
    return None


def _stays_inside(e: Term, v: Term, context: Context) -> bool:
    if e.op == "idx":
        return extent(e) is extent(v)
    if is_whole(e, context):
        return context.bounds.inside(e, extent(v))
    return _is_integer_input(e, context)


def _is_integer_input(e: Term, context: Context) -> bool:
    return e.op == "get" and str(e.data) in context.inputs and context.inputs[str(e.data)].dtype == "int"


def _is_digit(e: Term) -> bool:
    """Whether the position is a quotient or a remainder: no scatter is simpler than a read there."""
    return e.op == "fn" and e.data in QUOTIENTS


def _guarded(body: Term, v: Term, e: Term, context: Context) -> Term:
    """The body where e is in the range of v: reads at v give 0 outside, or a bracket says so."""
    new, covered = [], False
    for f in factors_of(body):
        covered = covered or (is_access(f) and _spans(f, v, context)) or _holds_inside(f, v)
        new.append(outside_zero(f, v))
    if covered:
        return mul(*new)
    return mul(*new, iverson(conjunction(*possible(range_conditions(e, extent(v)), context))))


def _holds_inside(f: Term, v: Term) -> bool:
    """Whether the factor is [v == argmax ...], which is in the range of v by itself."""
    if f.op != "iv" or f.args[0].op != "cmp" or f.args[0].data != "==":
        return False
    a, b = f.args[0].args
    e = b if a is v else a
    return v in (a, b) and e.op == "red" and e.data == "argmax" and extent(v) is mul(*(extent(x) for x in e.args[1:]))


def _spans(access: Term, v: Term, context: Context) -> bool:
    """Whether the access reads a whole axis at the index, so that outside of its range is outside of the tensor."""
    axes = context.axes(str(access.data))
    return axes is not None and any(a is v and e is extent(v) for a, e in zip(access.args, axes, strict=True))


def outside_zero(t: Term, v: Term) -> Term:
    """The term with reads that hold v made safe; they are masked by another factor."""
    from symgrad.algebra.build import rebuild

    if v not in t.free:
        return t
    if t.op == "get" and any(v in a.free for a in t.args):
        return get0(str(t.data), t.args)
    if t.op in ("red", "idx"):
        return t
    return rebuild(t, tuple(outside_zero(a, v) for a in t.args))


def _unify_delta(t: Term, context: Context) -> Term | None:
    """[i == j] f(j) = [i == j] f(i), and the same for [t_i == j] with an integer input t."""
    if t.op != "mul":
        return None
    for factor, a, b in _equalities(t):
        if a.op == "idx" and b.op == "idx" and extent(a) is extent(b):
            keep, drop = sorted((a, b), key=lambda x: (str(x.data)[0] in "%$", str(x.data)))
        elif a.op == "idx" and _is_integer_input(b, context):
            keep, drop = b, a
        elif b.op == "idx" and _is_integer_input(a, context):
            keep, drop = a, b
        else:
            continue
        rest = mul(*(f for f in t.args if f is not factor))
        if drop in rest.free:
            return mul(factor, substitute(rest, {drop: keep}))
    return None


def _shift_lse(t: Term, context: Context) -> Term | None:
    """lse_j (a_j + b) = b + lse_j a_j."""
    if t.op != "red" or t.data != "lse":
        return None
    body, variables = open_reduction(t, context.fresh)
    bound = frozenset(variables)
    moved = [a for a in terms_of(body) if not a.free & bound]
    if not moved or len(moved) == len(terms_of(body)):
        return None
    return add(*moved, reduce("lse", add(*(a for a in terms_of(body) if a.free & bound)), variables))


DISTRIBUTE = Rule(
    "product/distribute",
    ("mul",),
    r"a\,(b + c) = a\,b + a\,c",
    "a product of sums is multiplied out",
    _distribute,
    Example("x[i, j]*(z[i, j] + w[i, j])", "x[i, j]*z[i, j] + x[i, j]*w[i, j]"),
)
LINEAR = Rule(
    "sum/linear",
    ("red",),
    r"\sum_j (a_j + b_j) = \sum_j a_j + \sum_j b_j",
    "a sum is taken term by term",
    _linear,
    Example("Sum(x[i, j] + z[i, j], j)", "Sum(x[i, j], j) + Sum(z[i, j], j)"),
)
SEPARATE = Rule(
    "sum/separate",
    ("red",),
    r"\sum_j a\,b_j = a \sum_j b_j, \quad \sum_{j=1}^{n} a = n\,a",
    "what does not depend on the summed index leaves the sum",
    _separate,
    Example("Sum(x[i, 0]*z[i, j], j)", "x[i, 0]*Sum(z[i, j], j)"),
)
FLATTEN = Rule(
    "sum/flatten",
    ("red",),
    r"\sum_j a_j \sum_k b_{jk} = \sum_{j,k} a_j b_{jk}",
    "nested sums are one sum over all indices",
    _flatten,
    Example("Sum(x[i, j]*Sum(z[k, j]*w[k, i], k), j)", "Sum(x[i, j]*z[k, j]*w[k, i], j, k)"),
)
SOLVE = Rule(
    "delta/solve",
    ("red",),
    r"\sum_j [j = k]\,a_j = a_k",
    "a delta picks one term of the sum",
    _solve_bare,
    Example("Sum(where(j == k, x[i, j], 0)*z[i, k], j, k)", "Sum(x[i, j]*z[i, j], j)"),
)
SOLVE_AFFINE = Rule(
    "delta/solve-affine",
    ("red",),
    r"\sum_j [m = s\,i + j]\,a_j = a_{m - s\,i}",
    "a delta picks one term of the sum; outside of its range the term is 0",
    _solve_affine,
    Example("Sum(where(k == i + j, x[i, j]*w[k], 0), j)", "w[k]*x[i, k - i]", "{x: [n, c], w: [c]}"),
)
UNIFY = Rule(
    "delta/unify",
    ("mul",),
    r"[i = j]\,a_j = [i = j]\,a_i",
    "under a delta its two indices are the same",
    _unify_delta,
    Example("where(i == l, x[l, j], 0)", "where(i == l, x[i, j], 0)"),
)
SHIFT_LSE = Rule(
    "lse/shift",
    ("red",),
    r"\operatorname{lse}_j(a_j + b) = b + \operatorname{lse}_j a_j",
    "a constant leaves the log-sum-exp",
    _shift_lse,
    Example("logsumexp(x[i, j] + z[i, 0], j)", "z[i, 0] + logsumexp(x[i, j], j)"),
)
SUMS = (UNIFY, SOLVE, *DIGITS, *MULTIPLES, FLATTEN, LINEAR, SEPARATE, SHIFT_LSE, SPLIT_POWER, JOIN_POWERS)
"""The normal form of sums; products are not multiplied out."""
EXPAND = (DISTRIBUTE, *SUMS)
"""The full normal form."""

__all__ = ["DISTRIBUTE", "EXPAND", "SEPARATE", "SOLVE_AFFINE", "SUMS"]
