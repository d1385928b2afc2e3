"""Laws of several comparisons of one quantity: what one condition says about another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgrad.algebra.build import add, compare, conjunction, fn, iverson, mul, neg, negation, sub, where
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import INFINITY, MINUS_ONE, ONE, ZERO, Term, coefficient, is_num, num, terms_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.whole import WHOLE


def _implied(t: Term, context: Context) -> Term | None:
    """[a < x][b < x] = [b < x] for a <= b, and [x < a][b < x] = 0 for a <= b."""
    brackets = [f for f in t.args if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data in ("<", "<=")]
    for k, f in enumerate(brackets):
        for g in brackets[k + 1 :]:
            for first, second in ((f, g), (g, f)):
                new = _weaker(first.args[0], second.args[0], context)
                if new is not None:
                    return ZERO if new else mul(*(h for h in t.args if h is not first))
    return None


def _weaker(weak: Term, strong: Term, context: Context) -> bool | None:
    """False where the first condition follows from the second, True where they exclude each other, None if neither."""
    quantity, other = sub(*weak.args[::-1]), sub(*strong.args[::-1])
    k = _ratio(quantity, other)
    if k is None:
        return None
    margin = sub(quantity, add(*(mul(num(k), a) for a in terms_of(other))))  # weak: k*other + margin > 0
    if k > 0:
        follows = weak.data == "<=" or strong.data == "<"
        return False if (context.is_nonnegative(margin) if follows else context.is_positive(margin)) else None
    strict = "<" in (weak.data, strong.data)
    return True if (context.is_nonnegative(neg(margin)) if strict else context.is_positive(neg(margin))) else None


def _ratio(a: Term, b: Term) -> Fraction | None:
    """k where a - k*b holds no access that is not in both alike."""
    theirs = {r: c for c, r in map(coefficient, terms_of(b)) if r.tensors or r.free}
    ours = {r: c for c, r in map(coefficient, terms_of(a)) if r.tensors or r.free}
    if not ours or set(ours) != set(theirs):
        return None
    first = next(iter(sorted(ours, key=lambda r: r.digest)))
    k = ours[first] / theirs[first]
    return k if all(ours[r] == k * theirs[r] for r in ours) else None


def _modulus(t: Term, context: Context) -> Term | None:
    """[-a < x][x < a] = [|x| < a], and the same of conditions."""
    bounds = {f: f.args[0] if f.op == "iv" else f for f in t.args if f.op in ("cmp", "iv")}
    ordered = [(f, c) for f, c in bounds.items() if c.op == "cmp" and c.data in ("<", "<=")]
    for k, (f, c) in enumerate(ordered):
        for g, d in ordered[k + 1 :]:
            if c.data == d.data and (found := _as_modulus(sub(*c.args[::-1]), sub(*d.args[::-1]), str(c.data))):
                rest = [h for h in t.args if h is not f and h is not g]
                return mul(iverson(found), *rest) if t.op == "mul" else conjunction(found, *rest)
    return None


def _as_modulus(p: Term, q: Term, op: str) -> Term | None:
    """p > 0 and q > 0 for p = a - x and q = a + x, x the part that changes its sign."""
    half = Fraction(1, 2)
    a = add(*(mul(num(half), x) for x in (*terms_of(p), *terms_of(q))))
    x = add(*(mul(num(half), y) for y in (*terms_of(q), *terms_of(neg(p)))))
    if a.tensors or not x.tensors or not (is_num(a) or a.op == "par"):
        return None
    c = coefficient(x)[0]
    return compare(op, fn("Abs", neg(x) if c < 0 else x), a)


IMPLIED = Rule(
    "bracket/implied",
    ("mul",),
    r"[x > a]\,[x > b] = [x > b] \quad (a \le b), \qquad [x < a]\,[x > b] = 0",
    "one condition follows from the other, or excludes it",
    _implied,
    Example("where(x[i, j] > 1, where(x[i, j] > -2, z[i, j], 0), 0)", "where(x[i, j] > 1, z[i, j], 0)"),
)
MODULUS = Rule(
    "bracket/modulus",
    ("mul", "and"),
    r"[-a < x]\,[x < a] = [|x| < a]",
    "between -a and a",
    _modulus,
    Example("where(And(x[i, j] < 2, -2 < x[i, j]), z[i, j], 0)", "where(Abs(x[i, j]) < 2, z[i, j], 0)"),
)


def _split(t: Term, context: Context) -> Term | None:
    """where(c, a, b) = [c] a + [not c] b."""
    if any(x is INFINITY or x is neg(INFINITY) for x in t.args[1:]):
        return None
    c, a, b = t.args
    return add(mul(iverson(c), a), mul(iverson(negation(c)), b))


def _partition(t: Term, context: Context) -> Term | None:
    """[a <= b] = [a < b] + [a == b], [a != b] = 1 - [a == b], [b < a] = 1 - [a < b] - [a == b]."""
    c = t.args[0]
    if c.op == "or":
        return sub(ONE, iverson(negation(c)))
    if c.op != "cmp":
        return None
    a, b = c.args
    equal = iverson(compare("==", a, b))
    if c.data == "<=":
        return add(iverson(compare("<", a, b)), equal)
    if c.data == "!=":
        return sub(ONE, equal)
    if c.data == "<" and skeleton(b) < skeleton(a):  # whatever the indices are called
        return add(ONE, neg(iverson(compare("<", b, a))), neg(equal))
    return None


def _modulus_of_bracket(t: Term, context: Context) -> Term | None:
    """[|x| < a] = [-a < x][x < a]."""
    a, b = t.args
    if t.data not in ("<", "<="):
        return None
    op, opposite = str(t.data), "<=" if t.data == "<" else "<"
    if a.op == "fn" and a.data == "Abs":
        return conjunction(compare(op, a.args[0], b), compare(op, neg(b), a.args[0]))
    if b.op == "fn" and b.data == "Abs":
        inside = conjunction(compare(opposite, b.args[0], a), compare(opposite, neg(a), b.args[0]))
        return negation(inside)
    return None


def _written_by_branches(t: Term, context: Context) -> Term | None:
    return BRANCHES[str(t.data)](*t.args) if t.data in BRANCHES else None


BRANCHES: Mapping[str, Callable[..., Term]] = {
    "relu": lambda x: mul(iverson(compare("<", ZERO, x)), x),
    "clip": lambda x, a, b: where(compare("<", x, a), a, where(compare(">", x, b), b, x)),
    "Heaviside": lambda x, h: where(compare("<", x, ZERO), ZERO, where(compare(">", x, ZERO), ONE, h)),
    "sign": lambda x: where(compare("<", x, ZERO), MINUS_ONE, where(compare(">", x, ZERO), ONE, ZERO)),
    "Abs": lambda x: where(compare("<", x, ZERO), neg(x), x),
    "Max": lambda a, b: where(compare("<", a, b), b, a),
    "Min": lambda a, b: where(compare("<", a, b), a, b),
}
"""Functions by cases: where two forms are compared."""

SPLIT = Rule(
    "proof/branches",
    ("where",),
    r"\begin{cases} a & c \\ b & \text{else} \end{cases} = [c]\,a + [\lnot c]\,b",
    "one summand a branch",
    _split,
    Example("where(x[i, j] > 1, z[i, j], w[i, j])", "where(x[i, j] > 1, z[i, j], 0) + where(x[i, j] <= 1, w[i, j], 0)"),
)
PARTITION = Rule(
    "proof/partition",
    ("iv",),
    r"[a \le b] = [a < b] + [a = b]",
    "few kinds of conditions",
    _partition,
    Example("where(x[i, j] <= 1, 1, 0)", "1 - where(x[i, j] > 1, 1, 0)"),
)
BETWEEN = Rule(
    "proof/between",
    ("cmp",),
    r"|x| < a \Leftrightarrow -a < x \wedge x < a",
    "two bounds",
    _modulus_of_bracket,
    Example("where(Abs(x[i, j]) < 2, z[i, j], 0)", "where(And(x[i, j] < 2, -2 < x[i, j]), z[i, j], 0)"),
)
CASES = Rule(
    "proof/cases",
    ("fn",),
    r"\operatorname{relu} x = [x > 0]\,x",
    "the definition by cases",
    _written_by_branches,
    Example("relu(x[i, j])", "where(x[i, j] > 0, x[i, j], 0)"),
)
COMPARISONS = (IMPLIED,)
"""`MODULUS` is for closed forms only: kernels compare without taking the modulus first."""
BOUNDS = (BETWEEN,)
BY_CASES = (CASES, SPLIT, *WHOLE, PARTITION)
"""For proofs only, one after the other: piecewise forms as sums over brackets of few kinds."""

__all__ = ["BOUNDS", "BY_CASES", "COMPARISONS", "IMPLIED", "MODULUS", "SPLIT"]
