"""Folding: what has a name in the formula goes back to its name.

A named statement `v = c * a**e * rest` is an equation; solved for its heaviest part `a` (the pivot) it says what to
write for `a` wherever it occurs: `exp(z_j) = y_j exp(lse)`, `x - m = u/s`. A folding is kept
where the form becomes shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from symgrad.algebra.build import add, exp, mul, neg, negation, open_reduction, power, rebuild, reduce, sub, substitute
from symgrad.algebra.match import Binding, Matcher
from symgrad.algebra.terms import (
    MINUS_ONE,
    ONE,
    TRUE,
    Term,
    base_exponent,
    by_name,
    coefficient,
    extent,
    factors_of,
    get,
    is_access,
    node,
    num,
    terms_of,
    value,
    walk,
)
from symgrad.algebra.weight import weight
from symgrad.formula.program import Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Match, Rule
from symgrad.rules.ranges import decided, is_zero_unless

Solve = Callable[[Term], Term | None]


@dataclass(frozen=True)
class Folding:
    """A statement as an equation solved for its pivot. `rest`: what the pivot is divided by or freed from."""

    statement: Statement
    pivot: Term
    rules: tuple[Rule]


def foldings(statements: Sequence[Statement], context: Context, machines: bool = False) -> list[Folding]:
    """The foldings of all statements that can be solved, later ones first: they stand for more.

    `machines`: no summand is written as its sum less the others, which cancels.
    """
    found = []
    for s in reversed(statements):
        f = folding(s, context, machines)
        if f is not None:
            found.append(f)
        found += _exponentials_of_names(s, statements, context)
        found += _foldings_of_branches(s, context)
    return found


def _foldings_of_branches(s: Statement, context: Context) -> list[Folding]:
    """y = where(c, f, g): under [c] what f is solved for is written by y, under [not c] what g is."""
    found = []
    for c, branch in _branches(s.body):
        f = folding(replace(s, body=branch), context) if branch.op == "fn" and branch.data != "exp" else None
        if f is not None and f.pivot is branch:
            rule = replace(f.rules[0], on=("mul",), match=_under(c, s, f.rules[0]))
            found.append(Folding(s, f.pivot, (rule,)))
    return found


def _branches(t: Term) -> list[tuple[Term, Term]]:
    """Values of a term with the conditions under which it has them."""
    if t.op == "where":
        return [(t.args[0], t.args[1]), (negation(t.args[0]), t.args[2])]
    brackets = [f for f in factors_of(t) if f.op == "iv"]
    return [(brackets[0].args[0], mul(*(f for f in t.args if f is not brackets[0])))] if len(brackets) == 1 else []


def _under(c: Term, s: Statement, rule: Rule) -> Match:
    """A folding that holds under a condition alone: [c] h(f) = [c] h(y)."""

    def match(t: Term, context: Context) -> Term | None:
        if t.op != "mul":
            return None
        new = mul(*(f if f.op == "iv" else inside(f, t, context) for f in t.args))
        return None if new is t else new

    def inside(t: Term, product: Term, context: Context) -> Term:
        if t.op in ("red", "idx", "get", "get0") or not t.tensors:
            return t
        y = rule.match(t, context)
        if y is not None and y.op == "get" and y.data == s.name:
            needed = substitute(c, dict(zip(s.indices, y.args, strict=True)))
            if _holds_in(product, needed, context):
                return y
        return rebuild(t, tuple(inside(a, product, context) for a in t.args))

    return match


def _holds_in(product: Term, c: Term, context: Context) -> bool:
    """Whether a product is 0 unless the condition holds: by its brackets, by ranges, or by a read outside."""
    held = frozenset(x for f in product.args if f.op == "iv" for x in _conjuncts(f.args[0]))
    if c in held or c is TRUE or decided(c, context) is TRUE:
        return True
    return any(f.op == "get0" and is_zero_unless(f, c, context) for f in product.args)


def _conjuncts(t: Term) -> tuple[Term, ...]:
    return t.args if t.op == "and" else (t,)


def _exponentials_of_names(s: Statement, statements: Sequence[Statement], context: Context) -> list[Folding]:
    """y = e^p and l = p (or l = -p) are both named: e^l is y."""
    if s.body.op != "fn" or s.body.data != "exp":
        return []
    found = []
    for other in statements:
        if other.body.op == "add" and len(other.indices) == len(s.indices):
            for sign in (ONE, MINUS_ONE):
                matcher = Matcher(frozenset(other.indices), context.fresh)
                binding = next(matcher.unify(mul(sign, other.body), s.body.args[0]), None)
                if binding is not None and frozenset(binding.values()) == frozenset(s.indices):
                    pivot = exp(mul(sign, get(other.name, tuple(binding[i] for i in other.indices))))
                    found.append(Folding(s, pivot, (_rule(_solved_exactly(s, pivot, context)),)))
    return found


def _solved_exactly(s: Statement, pivot: Term, context: Context) -> Solve:
    matcher = Matcher(frozenset(s.indices), context.fresh)

    def match(t: Term) -> Term | None:
        for binding in matcher.unify(pivot, t):
            if _covers(binding, s):
                return get(s.name, tuple(binding[i] for i in s.indices))
        return None

    return match


def folding(s: Statement, context: Context, machines: bool = False) -> Folding | None:
    """The statement solved for its heaviest part that holds all of its indices."""
    body = s.body
    if not body.tensors or s.kind == "loss":
        return None
    if is_access(body):
        return _alias(s, context)
    if body.op == "add":
        return _additive(s, context, machines)
    c, rest = coefficient(body)
    parts = sorted(factors_of(rest), key=lambda f: (-weight(base_exponent(f)[0]), f.digest))
    for f in parts:
        b, e = base_exponent(f)
        if f.op == "fn" and f.data == "exp":
            b, e = f, ONE
        others = mul(num(c), *(g for g in factors_of(rest) if g is not f))
        if frozenset(s.indices) <= b.free and b.op != "iv" and _solvable(b, e, others, context):
            return Folding(s, b, (_rule(_solved(s, b, e, others, context)),))
    return None


def _alias(s: Statement, context: Context) -> Folding | None:
    """q[i] = y[i, t[i]]: an access that is not the whole of another name."""
    if frozenset(s.indices) == s.body.free and all(a.op == "idx" for a in s.body.args):
        return None
    if not frozenset(s.indices) <= s.body.free:
        return None
    return Folding(s, s.body, (_rule(_solved(s, s.body, ONE, ONE, context)),))


def _holds(t: Term, pivot: Term, context: Context) -> bool:
    """Whether a term has the pivot in it, at any indices: what is solved for it would be written in itself."""
    matcher = Matcher(frozenset(by_name(pivot.free)), context.fresh)
    return any(next(_monomials(matcher, pivot, x), None) is not None for x in walk(t))


def _solvable(b: Term, e: Term, others: Term, context: Context) -> bool:
    if _holds(others, b, context):
        return False
    if not all(context.is_nonzero(g) for g in factors_of(others)):
        return False
    if e.op != "num":
        return False
    return abs(value(e)) == 1 or value(e).denominator % 2 == 0 or context.is_positive(b)


def _solved(s: Statement, b: Term, e: Term, others: Term, context: Context) -> Solve:
    matcher = Matcher(frozenset(s.indices), context.fresh)

    def value_at(binding: Binding) -> Term:
        access = get(s.name, tuple(binding[i] for i in s.indices))
        return power(mul(access, power(substitute(others, binding), MINUS_ONE)), power(e, MINUS_ONE))

    if b.op == "fn" and b.data == "exp":
        return lambda t: _match_exponential(t, s, b, others, matcher)
    if b.op == "red" and b.data == "sum":
        return lambda t: _match_sum(t, s, b, matcher, value_at, context)

    def match(t: Term) -> Term | None:
        for binding in matcher.unify(b, t):
            if _covers(binding, s):
                return value_at(binding)
        return None

    return match


def _covers(binding: Binding, s: Statement) -> bool:
    return all(
        i in binding
        and (binding[i].op != "idx" or extent(binding[i]) is extent(i))
        and _is_index_expression(binding[i])
        for i in s.indices
    )


def _is_index_expression(t: Term) -> bool:
    return t.op in ("idx", "num", "dim", "par", "add", "mul", "get", "fn")


def _match_exponential(t: Term, s: Statement, b: Term, others: Term, matcher: Matcher) -> Term | None:
    """exp(q) with q = k*p + r, where v = others*exp(p): v**k * others**-k * exp(r)."""
    if t.op != "fn" or t.data != "exp":
        return None
    p = b.args[0]
    main = _main_summand(p, s)
    if main is None:
        return None
    c, r = coefficient(main)
    for a in terms_of(t.args[0]):
        k, body = coefficient(a)
        for binding in matcher.unify(r, body):
            if not _covers(binding, s):
                continue
            ratio = num(k / c)
            rest = sub(t.args[0], mul_sum(ratio, substitute(p, binding)))
            if r.op == "get" and rest.tensors & r.tensors and rest.size >= t.args[0].size:
                continue  # it would write its own pivot again: exp(x[i, j] - x[i, 0]) for exp(x[i, j])
            access = get(s.name, tuple(binding[i] for i in s.indices))
            inverse = power(substitute(others, binding), neg(ratio))
            return mul(power(access, ratio), inverse, exp(rest))
    return None


def mul_sum(c: Term, t: Term) -> Term:
    """c*t, multiplied out over a sum."""
    return add(*(mul(c, a) for a in terms_of(t)))


def _main_summand(p: Term, s: Statement) -> Term | None:
    whole = [a for a in terms_of(p) if frozenset(s.indices) <= a.free]
    return max(whole, key=lambda a: (weight(a), a.digest), default=None)


def _match_sum(
    t: Term, s: Statement, b: Term, matcher: Matcher, value_at: Callable[[Binding], Term], context: Context
) -> Term | None:
    """The pivot sum as a part of a sum over more indices and factors."""
    if t.op != "red" or t.data != "sum" or len(t.args) < len(b.args):
        return None
    for binding in matcher.unify(b, t):
        if _covers(binding, s):
            return value_at(binding)
    return _match_part(t, s, b, value_at, context)


def _match_part(t: Term, s: Statement, b: Term, value_at: Callable[[Binding], Term], context: Context) -> Term | None:
    body, variables = open_reduction(t, context.fresh)
    pattern, bound = open_reduction(b, context.fresh)
    c, pattern = coefficient(pattern)
    matcher = Matcher(frozenset((*s.indices, *bound)), context.fresh)
    factors = factors_of(coefficient(body)[1])
    if len(factors) <= len(factors_of(pattern)):
        return None
    for binding, rest in matcher.subset(factors_of(pattern), factors):
        summed = [binding.get(v) for v in bound]
        if not _covers(binding, s) or any(v not in variables for v in summed) or len(set(summed)) < len(summed):
            continue
        outside = mul(*rest)
        used = frozenset(v for v in summed if v is not None)
        if used & outside.free or any(used & binding[i].free for i in s.indices):
            continue
        number = num(coefficient(body)[0] / c)
        return reduce("sum", mul(number, outside, value_at(binding)), [v for v in variables if v not in used])
    return None


def _additive(s: Statement, context: Context, machines: bool) -> Folding | None:
    whole = [a for a in s.body.args if frozenset(s.indices) <= a.free and a.tensors]
    if not whole:
        return None
    pivot = max(whole, key=lambda a: (weight(a), a.digest))
    c, monomial = coefficient(pivot)
    rest = sub(s.body, pivot)
    matcher = Matcher(frozenset(s.indices), context.fresh)
    only_whole = machines or is_access(monomial) or s.kind == "hoisted" or _holds(rest, monomial, context)

    def match(t: Term) -> Term | None:
        if t.op == "add":
            return _match_whole(t, s, matcher)
        if only_whole:
            return None
        for binding, left in _monomials(matcher, monomial, t):
            if _covers(binding, s):
                access = get(s.name, tuple(binding[i] for i in s.indices))
                value_ = mul_sum(num(1 / c), sub(access, substitute(rest, binding)))
                return mul(value_, *left) if left else value_
        return None

    return Folding(s, monomial, (_rule(match),))


def _monomials(matcher: Matcher, monomial: Term, t: Term) -> Iterator[tuple[Binding, list[Term]]]:
    if monomial.op == "mul":
        if t.op == "mul" and len(t.args) >= len(monomial.args):
            yield from matcher.subset(monomial.args, t.args)
        return
    for binding in matcher.unify(monomial, t):
        yield binding, []


def _match_whole(t: Term, s: Statement, matcher: Matcher) -> Term | None:
    """All summands of the statement among those of the term, or all with the other sign."""
    for sign in (ONE, MINUS_ONE):
        patterns = [mul(sign, a) for a in s.body.args]
        for binding, left in matcher.subset(patterns, t.args):
            if _covers(binding, s):
                return add(mul(sign, get(s.name, tuple(binding[i] for i in s.indices))), *left)
    return None


def logarithm_folding(s: Statement, context: Context) -> Folding | None:
    """y = e^p: p is log y. For people: kernels do not take the logarithm of what may be 0."""
    if s.body.op != "fn" or s.body.data != "exp" or s.body.args[0].op != "add":
        return None
    exponent = Statement(s.name, s.indices, s.body.args[0])
    matcher = Matcher(frozenset(s.indices), context.fresh)

    def match(t: Term) -> Term | None:
        if t.op != "add":
            return None
        for sign in (ONE, MINUS_ONE):
            patterns = [mul(sign, a) for a in exponent.body.args]
            for binding, left in matcher.subset(patterns, t.args):
                if _covers(binding, s):
                    log = node("fn", (get(s.name, tuple(binding[i] for i in s.indices)),), "log")
                    return add(mul(sign, log), *left)
        return None

    return Folding(s, s.body.args[0], (_rule(match),))


def _rule(solve: Solve) -> Rule:
    return Rule(FOLD.name, (), FOLD.law, FOLD.why, lambda t, _: solve(t), FOLD.example)


FOLD = Rule(
    "name/fold",
    (),
    r"y_j = e^{z_j - \operatorname{lse} z} \Rightarrow e^{z_j - \operatorname{lse} z} = y_j",
    "what the formula has a name for is written by that name",
    lambda t, context: None,
    Example("softmax(z[i, j], j)", "y[i, j]", let="{'y[i, j]': 'softmax(z[i, j], j)'}"),
)

__all__ = ["FOLD", "Folding", "folding", "foldings", "logarithm_folding", "mul_sum"]
