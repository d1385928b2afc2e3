"""Positions in mixed radix: an axis of groups*m elements read at m*g + c is an axis g and an axis c.

An index k that is read through k//w and k % w is replaced by its digits, k = w*p + q. Then reshapes, groups and heads
are axes of their own, and a grouped convolution is a batch of contractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.affine import affine_in
from symgrad.algebra.binders import ROW_MAJOR
from symgrad.algebra.build import Fresh, add, fn, mul, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.terms import ONE, ZERO, Term, by_name, extent, factors_of, idx, is_access, terms_of, walk
from symgrad.formula.polynomial import TooLargeError, divide, polynomial, same, term
from symgrad.formula.program import Statement
from symgrad.lower.scope import is_scalar, is_short

QUOTIENTS = ("floordiv", "mod")


def digits(position: Term, size: Term) -> tuple[Term, ...] | None:
    """The indices of which a subscript is the row-major number: w*p + q with q < w and p < size/w gives p, q."""
    indices = by_name(position.free)
    if position.tensors or len(indices) < 2 or position.op != "add":
        return None
    try:
        position = term(polynomial(position))
    except TooLargeError:
        return None
    slopes: dict[Term, Term] = {}
    rest = position
    for i in indices:
        found = affine_in(rest, i)
        if found is None or not is_scalar(found[0]):
            return None
        slopes[i], rest = found
    if rest is not ZERO:
        return None
    order: list[Term] = []
    below: Term = ONE
    while slopes:
        lowest = next((i for i, c in slopes.items() if same(c, below)), None)
        if lowest is None:
            return None
        order.insert(0, lowest)
        below = mul(slopes.pop(lowest), extent(lowest))
    return tuple(order) if same(below, size) else None


def rising(slope: Term) -> bool:
    """Whether a coefficient of an index counts upwards: a positive number, a dimension, an int parameter, a product."""
    if slope.op == "num":
        return slope.data > 0  # type: ignore[operator]
    return is_scalar(slope) and all(f.op in ("dim", "par") or (f.op == "num" and rising(f)) for f in factors_of(slope))


def by_length(pairs: Sequence[tuple[Term, Term]]) -> list[tuple[Term, Term]]:
    """Indices with their slopes, the one that slides first: of the longer extent, or else of the greater slope."""
    return sorted(pairs, key=lambda p: (is_short(p[0]), -extent(p[0]).size, p[1] is ONE, extent(p[0]).digest))


def _runs_as_far(t: Term, size: Term) -> bool:
    """Whether the term is an index of that extent, or the digits of one."""
    return extent(t) is size if t.op == "idx" else digits(t, size) is not None


@dataclass(frozen=True)
class Digits:
    """A free index of a statement and the digits that stand for it."""

    index: Term
    digits: tuple[Term, ...]


def split(s: Statement) -> tuple[Statement, tuple[Digits, ...]]:
    """The statement with its indices replaced by their digits where it reads these; the free ones are told."""
    splitting = _Splitting()
    body = splitting.inside(s.body)
    free: dict[Term, tuple[Term, ...]] = {}
    indices = list(s.indices)
    while (found := _radix(body, indices)) is not None:
        k, w, p = found
        high, low = idx(f"{k.data} high", p), idx(f"{k.data} low", w)
        body = _simplified(substitute(body, {k: add(mul(w, high), low)}))
        at = indices.index(k)
        indices[at : at + 1] = [high, low]
        free = {i: tuple(x for d in ds for x in ((high, low) if d is k else (d,))) for i, ds in free.items()}
        if not any(high in ds for ds in free.values()):
            free[k] = (high, low)
    if free:
        body = splitting.inside(body, always=True)
    if body is s.body:
        return s, ()
    return replace(s, indices=tuple(indices), body=body), tuple(Digits(i, ds) for i, ds in free.items())


class _Splitting:
    """Bound indices, from the inside out."""

    def __init__(self) -> None:
        self.fresh = Fresh()

    def inside(self, t: Term, always: bool = False) -> Term:
        """The term with its sums over digits. `always`: sums without quotients are looked at as well."""
        if not always and not any(x.op == "fn" and x.data in QUOTIENTS for x in walk(t)):
            return t
        if t.op != "red":
            return rebuild(t, tuple(self.inside(a, always) for a in t.args)) if t.args and t.op != "idx" else t
        body, variables = open_reduction(t, self.fresh)
        body = self.inside(body, always)
        while t.data not in ROW_MAJOR and (found := _radix(body, variables)) is not None:
            k, w, p = found
            high, low = self.fresh.index(idx("high", p)), self.fresh.index(idx("low", w))
            body = _simplified(substitute(body, {k: add(mul(w, high), low)}))
            variables = [*(v for v in variables if v is not k), high, low]
        if t.data == "sum":
            body, variables = _met(body, variables)
        return reduce(str(t.data), body, variables)


def _met(body: Term, variables: Sequence[Term]) -> tuple[Term, list[Term]]:
    """sum_q [m == q] f(q) = f(m) for a digit q that runs as far as m."""
    left = list(variables)
    for f in factors_of(body):
        conditions = (f.args[0].args if f.args[0].op == "and" else (f.args[0],)) if f.op == "iv" else ()
        for c in conditions:
            for q, m in ((0, 1), (1, 0)) if c.op == "cmp" and c.data == "==" else ():
                digit, other = c.args[q], c.args[m]
                if digit in left and not other.free & frozenset(left) and _runs_as_far(other, extent(digit)):
                    body = substitute(body, {digit: other})
                    left.remove(digit)
                    break
    return body, left


def _radix(body: Term, indices: Sequence[Term]) -> tuple[Term, Term, Term] | None:
    """k, w and p: an index that is read through k//w or k % w and bare alone, with extent w*p."""
    for x in sorted((x for x in walk(body) if x.op == "fn" and x.data in QUOTIENTS), key=lambda x: (x.size, x.digest)):
        k, w = x.args
        if k in indices and is_scalar(w) and not w.tensors:
            p = _quotient(extent(k), w)
            if p is not None and p is not ONE and _is_read_by_digits(body, k):
                return k, w, p
    return None


def _quotient(size: Term, w: Term) -> Term | None:
    try:
        found = divide(polynomial(size), polynomial(w))
    except TooLargeError:
        return None
    return None if found is None else term(found)


def _is_read_by_digits(t: Term, k: Term) -> bool:
    """Whether no subscript counts on from k itself: s*k + u slides over an axis, and digits of k would not."""
    return not any(is_access(x) and any(_slides(s, k) for s in x.args) for x in walk(t))


def _slides(s: Term, k: Term) -> bool:
    if s is k or k not in s.free or (s.op == "fn" and s.data in QUOTIENTS):
        return False
    if digits(s, mul(*(extent(i) for i in by_name(s.free)))) is not None:
        return False
    return s.op != "add" or any(a is k or (a.op == "mul" and k in a.args) for a in s.args)


def _simplified(t: Term) -> Term:
    """Quotients and remainders of w*p + q by w, inside out."""
    memo: dict[Term, Term] = {}
    for x in walk(t):
        if x.op == "fn" and x.data in QUOTIENTS and not any(a.op == "red" for a in walk(x)):
            whole = _rewritten(x, memo)
            memo[x] = _quotient_of_digits(whole)
    changed = {x: y for x, y in memo.items() if x is not y}
    return substitute(t, changed) if changed else t


def _rewritten(x: Term, memo: Mapping[Term, Term]) -> Term:
    if x in memo:
        return memo[x]
    return rebuild(x, tuple(_rewritten(a, memo) for a in x.args)) if x.args and x.op != "idx" else x


def _quotient_of_digits(t: Term) -> Term:
    """(w*p + q)//w = p and (w*p + q) % w = q; (w*p + q)//(w*h) = p//h and (w*p + q) % (w*h) = w*(p % h) + q."""
    if t.op != "fn" or t.data not in QUOTIENTS:
        return t
    e, w = t.args
    low = [a for a in terms_of(e) if a.op == "idx"]
    for q in low:
        size = extent(q)
        high = [_quotient(a, size) for a in terms_of(e) if a is not q]
        if any(h is None for h in high):
            continue
        p = add(*(h for h in high if h is not None))
        if same(size, w):
            return p if t.data == "floordiv" else q
        radix = _quotient(w, size)
        if radix is None:
            continue
        inner = _quotient_of_digits(fn(str(t.data), p, radix))
        return inner if t.data == "floordiv" else add(mul(size, inner), q)
    if t.data == "mod" and e.op == "idx" and same(extent(e), w):
        return e
    if t.data == "floordiv" and e.op == "idx" and same(extent(e), w):
        return ZERO
    return t


__all__ = ["Digits", "by_length", "digits", "rising", "split"]
