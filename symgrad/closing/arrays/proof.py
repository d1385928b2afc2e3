"""Is what array notation says the closed form? Both are multiplied out, and sums of products merged.

Equal terms are then one object.
"""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.algebra.build import Fresh, add, mul, open_reduction, rebuild, reduce, substitute
from symgrad.algebra.show import INTERNAL
from symgrad.algebra.terms import Term, extent, factors_of, terms_of

MOST_SUMMANDS = 256


def _is_delta(f: Term, v: Term, w: Term) -> bool:
    """Whether a factor is [v == w]."""
    return f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "==" and set(f.args[0].args) == {v, w}


def _equal_to(product: Term, v: Term) -> Term | None:
    """The index of the same extent that a summed one is set equal to: Sum([v == w]*f(v), v) is f(w)."""
    for f in factors_of(product):
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "==" and v in f.args[0].args:
            (w,) = [a for a in f.args[0].args if a is not v]
            if w.op == "idx" and extent(w) is extent(v):
                return w
    return None


class TooManyError(Exception):
    """The term has too many summands to be multiplied out."""


def same(a: Term, b: Term) -> bool:
    """Whether two terms have one normal form."""
    if a is b:
        return True
    try:
        return Expansion().normal(a) is Expansion().normal(b)
    except TooManyError:
        return False


def multiplied_out(t: Term) -> Term:
    """The normal form of a term: a factor may stand between products of matrices that are chains by themselves."""
    try:
        return Expansion().normal(t)
    except TooManyError:
        return t


class Expansion:
    """Sums of monomials c * outer * Sum(inner): nested sums are one, what depends on no index of a sum is outside."""

    def __init__(self) -> None:
        self.fresh = Fresh()
        self.memo: dict[Term, Term] = {}

    def normal(self, t: Term) -> Term:
        """The normal form of a term."""
        if t not in self.memo:
            self.memo[t] = add(*(self.closed(fs, vs) for fs, vs in self.monomials(t)))
        return self.memo[t]

    def closed(self, factors: tuple[Term, ...], over: tuple[Term, ...]) -> Term:
        """A monomial under its sum."""
        product = mul(*factors)
        for v in over:
            if (w := _equal_to(product, v)) is not None:
                rest = substitute(mul(*(f for f in factors_of(product) if not _is_delta(f, v, w))), {v: w})
                others = tuple(u for u in over if u is not v)
                return add(*(self.closed(fs, (*vs, *others)) for fs, vs in self.monomials(rest)))
        inside = [f for f in factors_of(product) if any(v in f.free for v in over)]
        outside = [f for f in factors_of(product) if not any(v in f.free for v in over)]
        if not over:
            return product
        return mul(*outside, reduce("sum", mul(*inside), over))

    def monomials(self, t: Term) -> list[tuple[tuple[Term, ...], tuple[Term, ...]]]:
        """Factors and summed indices of each summand."""
        found = list(self._monomials(t))
        if len(found) > MOST_SUMMANDS:
            raise TooManyError
        return found

    def _monomials(self, t: Term) -> Iterator[tuple[tuple[Term, ...], tuple[Term, ...]]]:
        if t.op == "add":
            for a in terms_of(t):
                yield from self.monomials(a)
        elif t.op == "mul":
            found: list[tuple[tuple[Term, ...], tuple[Term, ...]]] = [((), ())]
            for f in t.args:
                found = [(a + c, b + d) for a, b in found for c, d in self.monomials(f)]
                if len(found) > MOST_SUMMANDS:
                    raise TooManyError
            yield from found
        elif t.op == "red" and t.data == "sum":
            body, over = open_reduction(t, self.fresh)
            yield from ((fs, (*vs, *over)) for fs, vs in self.monomials(body))
        elif t.op == "fn" and t.data in INTERNAL and t.data != "truth":
            yield from self.monomials(INTERNAL[str(t.data)](*t.args))
        else:
            yield (self.atom(t),), ()

    def atom(self, t: Term) -> Term:
        """A term that is no sum and no product, its arguments in normal form."""
        if t.op == "red":
            body, over = open_reduction(t, self.fresh)
            return reduce(str(t.data), self.normal(body), over)
        if t.op in ("idx", "get", "get0") or not t.args:
            return t
        return rebuild(t, tuple(self.normal(a) for a in t.args))
