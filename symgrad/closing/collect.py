"""Factoring: from a normal form to the short form that a textbook prints. Everything here is an identity of algebra."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from symgrad import limits
from symgrad.algebra.build import (
    Fresh,
    add,
    mul,
    negation,
    open_reduction,
    power,
    rebuild,
    reduce,
    substitute,
    where,
)
from symgrad.algebra.show import softmax_parts
from symgrad.algebra.terms import (
    ONE,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    extent,
    factors_of,
    is_num,
    num,
    terms_of,
    value,
    walk,
)
from symgrad.algebra.weight import inner_fraction, weight
from symgrad.closing.factors import (
    common_number,
    denominators_of,
    divisors_of,
    inner_denominator,
    is_divisor,
    least_exponents,
    multiple_of,
    multiplied_through,
    quotient_by,
    weight_of_factor,
)


def collect(t: Term, fresh: Fresh, written: frozenset[Term] = frozenset(), guarded: bool = False) -> Term:
    """The term with common factors taken out, inside out, where that makes it no longer.

    `written`: the conditions of the formula; a branch is on one of these rather than on its opposite. `guarded`: what
    may be undefined or overflow stays under the brackets that it stands under.
    """
    return _Collecting(fresh, written, guarded).apply(t)


class _Collecting:
    def __init__(self, fresh: Fresh, written: frozenset[Term], guarded: bool) -> None:
        self.fresh, self.written, self.guarded = fresh, written, guarded
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        found = self.memo.get(t)
        if found is None:
            limits.check()
            found = self.memo[t] = self.collected(t)
        return found

    def collected(self, t: Term) -> Term:
        if not t.args or t.op == "idx":
            return t
        if t.op == "red":
            body, variables = open_reduction(t, self.fresh)
            new = self.apply(body)
            return t if new is body else reduce(str(t.data), new, variables)
        new = rebuild(t, tuple(self.apply(a) for a in t.args))
        if new.op == "where":
            factored = _branch(*new.args)
            return factored if weight(factored) < weight(new) else new
        if new.op == "mul":
            return self.one_fraction(self.cleared(new))
        if new.op != "add":
            return new
        new = self.sum(new)
        new = self.together(new) if new.op == "add" else new
        return self.one_fraction(self.cleared(new))

    # ---- fractions --------------------------------------------------------------------------------------------------

    def together(self, t: Term) -> Term:
        """A sum over one denominator, where the numerator becomes shorter."""
        powers = [base_exponent(f) for a in t.args for f in factors_of(a)]
        for base in denominators_of(t):
            most = max(-value(e) for b, e in powers if b is base and is_num(e))
            whole = power(base, num(most))
            above = add(*(x for a in t.args for x in multiplied_through(mul(a, whole))))
            if most.denominator > 1 and len(terms_of(above)) > len(t.args):  # a root is read better alone
                continue
            numerator = self.sum(above)
            k = multiple_of(numerator, base)
            new = mul(numerator, power(whole, num(-1))) if k is None else mul(num(k), power(base, num(1 - most)))
            new = self.one_fraction(new)
            if weight(new) < weight(t) or (new.op == "mul" and weight(new) == weight(t)):
                return self.together(new) if new.op == "add" else new
        return t

    def cleared(self, t: Term) -> Term:
        """Fractions inside of a denominator taken out, and of a numerator with it: 1/(1 + x/a) = a/(a + x)."""
        if t.op != "mul" or not any(
            b is not f and inner_denominator(b) is not ONE for f in t.args for b in [base_exponent(f)[0]]
        ):
            return t
        parts, changed = [], False
        for f in t.args:
            b, e = base_exponent(f)
            if b.op == "add" and is_num(e) and value(e).denominator == 1 and (d := inner_denominator(b)) is not ONE:
                inner = self.sum(add(*(mul(a, d) for a in b.args)))
                parts += [power(inner, e), power(d, mul(num(-1), e))]
                changed = True
            else:
                parts.append(f)
        new = mul(*parts) if changed else t
        return new if weight(new) <= weight(t) else t

    def one_fraction(self, t: Term) -> Term:
        """(1 - t/p)/q = (p - t)/(p q), where the numerator comes down to names."""
        if self.guarded or t.op != "mul":
            return t
        divided = any(coefficient(base_exponent(f)[1])[0] < 0 and f.tensors for f in t.args)
        for f in t.args if divided else ():
            d = inner_fraction(f)
            if d is not None:
                numerator = add(*(mul(a, d) for a in f.args))
                return mul(numerator, power(d, num(-1)), *(g for g in t.args if g is not f))
        return t

    def sum(self, t: Term) -> Term:
        """A sum: brackets to branches, sums over the same index to one, then common factors, most saving first."""
        if t.op != "add":
            return t
        for step in (self.branches, self.merge_sums):
            new = step(t)
            if new is not None:
                return new
        return self.factor(t)

    # ---- common factors ---------------------------------------------------------------------------------------------

    def factor(self, t: Term) -> Term:
        best = self.best_factor(t.args)
        if best is None:
            return self.content(t)
        f, members = best
        inside = self.sum(add(*(quotient_by(a, f) for a in members)))
        rest = add(*(a for a in t.args if a not in members))
        product = mul(f, inside)
        if rest is ZERO:
            return product
        if (k := multiple_of(rest, inside)) is not None:
            return mul(inside, self.sum(add(f, num(k))))
        joined = add(product, rest)
        if joined.op == "add" and len(joined.args) < len(t.args):
            return self.factor(joined)
        return joined

    def best_factor(self, summands: Sequence[Term]) -> tuple[Term, list[Term]] | None:
        candidates: dict[Term, list[Term]] = {}
        least = least_exponents(summands)
        shared = () if self.guarded else _whole_exponentials(summands)
        for a in summands:
            for f in dict.fromkeys((*divisors_of(a, least), *(f for f in shared if is_divisor(f, a)))):
                candidates.setdefault(f, []).append(a)
        best: tuple[tuple[int, int, int, bytes], Term, list[Term]] | None = None
        for f, members in candidates.items():
            if len(members) < 2 or (self.guarded and _leaves_its_brackets(f, members)):
                continue
            saving = (len(members) - 1) * (weight_of_factor(f)) - (0 if len(members) == len(summands) else 2)
            literal = sum(f in factors_of(a) for a in members)
            key = (saving + (1000 if len(members) == len(summands) else 0), len(members), literal, f.digest)
            if saving >= 0 and (best is None or key > best[0]):
                best = (key, f, members)
        return None if best is None else (best[1], best[2])

    def content(self, t: Term) -> Term:
        """A common number taken out: 2*x - 2*t = 2*(x - t)."""
        coefficients = [coefficient(a)[0] for a in t.args]
        numerator, denominator = 0, 1
        for c in coefficients:
            numerator, denominator = gcd(numerator, abs(c.numerator)), lcm(denominator, c.denominator)
        best = t
        for c in dict.fromkeys((Fraction(numerator, denominator), *map(abs, coefficients))):
            new = mul(num(c), add(*(_absorbed(mul(num(1 / c), a)) for a in t.args)))
            if weight(new) < weight(best) or (best is t and c != 1 and weight(new) == weight(t)):
                best = new
        return best

    # ---- brackets ---------------------------------------------------------------------------------------------------

    def branches(self, t: Term) -> Term | None:
        """[c] a + [not c] b = where(c, a, b)."""
        for c in _conditions(t.args, self.written):
            opposite = negation(c)
            yes = [a for a in t.args if _has_bracket(a, c)]
            no = [a for a in t.args if _has_bracket(a, opposite)]
            if not yes or not no:
                continue
            a = self.sum(add(*(_without_bracket(x, c) for x in yes)))
            b = self.sum(add(*(_without_bracket(x, opposite) for x in no)))
            rest = [x for x in t.args if x not in yes and x not in no]
            return self.sum(add(_branch(c, a, b), *rest)) if rest else _branch(c, a, b)
        return None

    # ---- sums -------------------------------------------------------------------------------------------------------

    def merge_sums(self, t: Term) -> Term | None:
        """f sum_j a + f sum_j b = f sum_j (a + b), where both have the same free indices (else no contraction)."""
        groups: dict[tuple[Term, tuple[bytes, ...], frozenset[Term]], list[tuple[Term, Term]]] = {}
        for a in t.args:
            reds = [f for f in factors_of(a) if f.op == "red" and f.data == "sum"]
            if len(reds) != 1 or any(f.op == "iv" and f.args[0].data == "==" for f in factors_of(reds[0].args[0])):
                continue  # a delta under a sum is a scatter
            rest = mul(*(f for f in factors_of(a) if f is not reds[0] and (self.guarded or not _is_scalar(f))))
            _c, rest = coefficient(rest)
            shape = tuple(sorted(extent(v).digest for v in reds[0].args[1:]))
            groups.setdefault((rest, shape, reds[0].free), []).append((a, reds[0]))
        for (outside, _, _), members in groups.items():
            if len(members) < 2:
                continue
            merged = self.merged(members)
            if merged is None:
                continue
            gone = [a for a, _ in members]
            new = add(mul(outside, *merged), *(a for a in t.args if a not in gone))
            if weight(new) < weight(t):
                return self.sum(new) if new.op == "add" else new
        return None

    def merged(self, members: list[tuple[Term, Term]]) -> list[Term] | None:
        """The sums of the members in one, and the scalars that all of them have."""
        first = members[0][1]
        scalars = [] if self.guarded else [[f for f in factors_of(a) if _is_scalar(f)] for a, _ in members]
        common = [f for f in scalars[0] if all(f in own for own in scalars)] if scalars else []
        variables = [self.fresh.index(v) for v in first.args[1:]]
        parts = []
        for k, (a, red) in enumerate(members):
            names = _aligned(red.args[1:], first.args[1:], variables)
            if names is None:
                return None
            own = [f for f in scalars[k] if f not in common] if scalars else []
            parts.append(mul(num(coefficient(a)[0]), *own, substitute(red.args[0], names)))
        c, body = coefficient(self.sum(add(*parts)))
        if body.op != "mul" and any(set(own) - set(common) for own in scalars):
            return None  # they have nothing in common but the index
        return [num(c), reduce("sum", body, variables), *common]


def _is_scalar(f: Term) -> bool:
    """A factor of parameters and dimensions alone."""
    return f.op != "num" and not f.tensors and not f.free


TOTAL = frozenset("sin cos tanh atan asinh erf erfc sigmoid softplus log_sigmoid Abs sign relu clip Max Min".split())
"""Functions that are finite for every finite argument."""


def _leaves_its_brackets(f: Term, members: Sequence[Term]) -> bool:
    """Whether a factor that may be nan or infinite stands under a bracket in every summand: [false]*inf is 0."""
    partial = any(
        (x.op == "fn" and x.data not in TOTAL) or (x.op == "pow" and not (is_num(x.args[1]) and value(x.args[1]) >= 0))
        for x in walk(f)
        if x.tensors
    )
    return partial and all(any(g.op == "iv" for g in factors_of(a)) for a in members)


def _branch(c: Term, a: Term, b: Term) -> Term:
    """where(c, a, b) with common factors outside."""
    common = [f for f in factors_of(a) if f in factors_of(b) and f.op != "num"]
    for f in common:
        a, b = quotient_by(a, f), quotient_by(b, f)
    best = where(c, a, b)
    k = common_number(coefficient(a)[0], coefficient(b)[0])
    for number in (k, -k) if k not in (0, 1) or coefficient(a)[0] < 0 else ():
        scaled = mul(num(number), where(c, mul(num(1 / number), a), mul(num(1 / number), b)))
        best = scaled if weight(scaled) < weight(best) else best
    return mul(*common, best)


def _conditions(summands: Sequence[Term], written: frozenset[Term]) -> list[Term]:
    counts: dict[Term, int] = {}
    for a in summands:
        for f in factors_of(a):
            if f.op == "iv":
                counts[f.args[0]] = counts.get(f.args[0], 0) + 1
    for c in [c for c in counts if c.op == "or"]:
        counts[negation(c)] = counts.pop(c)

    def key(c: Term) -> tuple[int, bool, bool, bytes]:
        return (-counts[c] - counts.get(negation(c), 0), c not in written, c.op != "cmp" or c.data == "!=", c.digest)

    return sorted(counts, key=key)


def _parts(c: Term) -> tuple[Term, ...]:
    return c.args if c.op == "and" else (c,)


def _has_bracket(t: Term, c: Term) -> bool:
    brackets = {f.args[0] for f in factors_of(t) if f.op == "iv"}
    return all(p in brackets for p in _parts(c))


def _without_bracket(t: Term, c: Term) -> Term:
    return mul(*(f for f in factors_of(t) if not (f.op == "iv" and f.args[0] in _parts(c))))


def _aligned(ours: Sequence[Term], theirs: Sequence[Term], names: Sequence[Term]) -> dict[Term, Term] | None:
    free = list(zip(theirs, names, strict=True))
    mapping: dict[Term, Term] = {}
    for v in ours:
        k = next((k for k, (u, _) in enumerate(free) if extent(u) is extent(v)), None)
        if k is None:
            return None
        mapping[v] = free.pop(k)[1]
    return mapping


def _absorbed(t: Term) -> Term:
    """A product with its number inside of a sum, where that is shorter: 2*a*(b/2 + 1) = a*(b + 2)."""
    c, rest = coefficient(t)
    best = t
    for f in factors_of(rest) if abs(c) != 1 else ():
        if f.op == "add":
            new = mul(*(g for g in factors_of(rest) if g is not f), add(*(mul(num(c), a) for a in f.args)))
            best = new if weight(new) < weight(best) else best
    return best


def _whole_exponentials(summands: Sequence[Term]) -> list[Term]:
    """Softmaxes in the summands that are part of another exponential: e^a in e^(a + b)."""
    found = dict.fromkeys(f for a in summands for f in factors_of(a) if f.op == "fn" and f.data == "exp")
    whole = [f for f in found if (parts := softmax_parts(f.args[0])) is not None and parts[2] is ZERO]
    return [f for f in whole if any(is_divisor(f, g) for g in found)]
