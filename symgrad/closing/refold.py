"""Definitions read backwards: a branch that is relu or clip gets its name back."""

from __future__ import annotations

from fractions import Fraction

from symgrad.algebra.build import add, compare, fn, iverson, mul, neg, power, sub, where
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
    node,
    num,
    terms_of,
    value,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.comparisons import MODULUS


def _clip(t: Term, context: Context) -> Term | None:
    """where(|x| <= a, x, a sign x) = clip(x, -a, a); where(x < a, a, where(b < x, b, x)) = clip(x, a, b)."""
    if t.op != "where":
        return None
    c, yes, no = t.args
    if c.op != "cmp":
        return None
    low, high = c.args
    if c.data in ("<", "<=") and low.op == "fn" and low.data == "Abs":
        x = low.args[0]
        return _between(x, high, yes, no) if context.is_nonnegative(high) else None
    if c.data in ("<", "<=") and high.op == "fn" and high.data == "Abs":
        return _clip(where(compare("<=", high, low), no, yes), context) if yes.op != "where" else None
    if yes is high and c.data in ("<", "<=") and no.op == "where":
        return _two_sided(low, high, no)
    if yes is low and c.data in ("<", "<=") and no.op == "where":
        return _two_sided_from_above(low, high, no)
    return None


def _between(x: Term, a: Term, yes: Term, no: Term) -> Term | None:
    """where(|x| <= a, k x, k a sign x) = k clip(x, -a, a)."""
    k = mul(yes, power(x, MINUS_ONE))
    if any(base_exponent(f)[0] is x for f in factors_of(k)) or no is not mul(k, a, fn("sign", x)):
        return None
    c = coefficient(k)[0]
    return mul(k, node("fn", (x, neg(a), a), "clip")) if c > 0 else mul(neg(k), node("fn", (neg(x), neg(a), a), "clip"))


def _two_sided(x: Term, a: Term, inner: Term) -> Term | None:
    """where(x < a, a, inner) with inner = where(b < x, b, x)."""
    c, yes, no = inner.args
    if c.op == "cmp" and c.data in ("<", "<=") and c.args[1] is x and yes is c.args[0] and no is x:
        return node("fn", (x, a, yes), "clip")
    return None


def _two_sided_from_above(b: Term, x: Term, inner: Term) -> Term | None:
    """where(b < x, b, inner) with inner = where(x < a, a, x)."""
    c, yes, no = inner.args
    if c.op == "cmp" and c.data in ("<", "<=") and c.args[0] is x and yes is c.args[1] and no is x:
        return node("fn", (x, yes, b), "clip")
    return None


def _relu(t: Term, context: Context) -> Term | None:
    """[0 < x] x = relu(x)."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data in ("<", "<="):
            for g in t.args:
                if g is not f and compare(str(f.args[0].data), ZERO, g) is f.args[0]:
                    return mul(fn("relu", g), *(h for h in t.args if h is not f and h is not g))
    return None


def _heaviside(t: Term, context: Context) -> Term | None:
    """u [a < b] + (u + w)/2 [a == b] + w [b < a] = w + (u - w) H(b - a), H one half at 0."""
    if t.op != "add":
        return None
    for below in _comparisons(t):
        a, b = below.args
        rest, u = _under(t, below)
        rest, v = _under(rest, compare("==", a, b))
        rest, w = _under(rest, compare("<", b, a))
        if v is ZERO or u is w or u.tensors or w.tensors:
            continue
        if add(*(mul(TWO, x) for x in terms_of(v)), neg(u), neg(w)) is ZERO:
            return add(rest, w, mul(sub(u, w), fn("Heaviside", sub(b, a), HALF)))
    return None


def _other_step(t: Term, context: Context) -> Term | None:
    """k - k H(x) = k H(-x), H one half at 0."""
    number = next((a for a in t.args if is_num(a)), None)
    for a in t.args:
        c, h = coefficient(a)
        if number is not None and h.op == "fn" and h.data == "Heaviside" and h.args[1] is HALF and value(number) == -c:
            rest = (b for b in t.args if b is not a and b is not number)
            return add(mul(num(-c), fn("Heaviside", neg(h.args[0]), HALF)), *rest)
    return None


def _join_logarithms(t: Term, context: Context) -> Term | None:
    """c log a - c log b = c log(a/b)."""
    groups: dict[tuple[Fraction, Term], list[tuple[Term, Term]]] = {}
    for a in t.args:
        c, rest = coefficient(a)
        logs = [f for f in factors_of(rest) if f.op == "fn" and f.data == "log"]
        if len(logs) == 1:
            others = mul(*(f for f in factors_of(rest) if f is not logs[0]))
            sign = MINUS_ONE if c < 0 else ONE
            groups.setdefault((abs(c), others), []).append((a, power(logs[0].args[0], sign)))
    for (c, others), members in groups.items():
        if len({coefficient(a)[0] < 0 for a, _ in members}) == 2:
            gone = [a for a, _ in members]
            joined = mul(num(c), others, fn("log", mul(*(x for _, x in members))))
            return add(joined, *(a for a in t.args if a not in gone))
    return None


def _at_most(t: Term, context: Context) -> Term | None:
    """u [a < b] + u [a == b] = u [a <= b]."""
    if t.op != "add":
        return None
    for below in _comparisons(t):
        a, b = below.args
        rest, u = _under(t, below)
        rest, v = _under(rest, compare("==", a, b))
        if u is v and u is not ZERO:
            return add(rest, mul(iverson(compare("<=", a, b)), u))
    return None


def _comparisons(t: Term) -> list[Term]:
    brackets = (f.args[0] for a in t.args for f in factors_of(a) if f.op == "iv")
    return [c for c in dict.fromkeys(brackets) if c.op == "cmp" and c.data == "<"]


def _under(t: Term, c: Term) -> tuple[Term, Term]:
    """The summands without the bracket [c], and what stands under it."""
    bracket = iverson(c)
    inside = [a for a in terms_of(t) if bracket in factors_of(a)]
    rest = add(*(a for a in terms_of(t) if a not in inside))
    return rest, add(*(mul(*(f for f in factors_of(a) if f is not bracket)) for a in inside))


CLIP = Rule(
    "function/clip",
    ("where",),
    r"\begin{cases} x & |x| \le a \\ a \operatorname{sign} x & \text{else} \end{cases} = \operatorname{clip}(x, -a, a)",
    "the branches are those of clip",
    _clip,
    Example(
        "where(Abs(x[i, j]) <= a, x[i, j], a*sign(x[i, j]))",
        "clip(x[i, j], -a, a)",
        parameters="{a: {value: 1.5, domain: positive}}",
    ),
    needs=("sign",),
)
RELU = Rule(
    "function/relu",
    ("mul",),
    r"x\,[x > 0] = \operatorname{relu} x",
    "the branches are those of relu",
    _relu,
    Example("where(x[i, j] > 0, x[i, j], 0)", "relu(x[i, j])"),
)
HEAVISIDE = Rule(
    "function/heaviside",
    ("add",),
    r"[a < b] + \tfrac12 [a = b] = \operatorname{H}(b - a)",
    "a step that is one half at its tie",
    _heaviside,
    Example("where(x[i, j] < z[i, j], 1, 0) + where(x[i, j] == z[i, j], 1, 0)/2", "Heaviside(z[i, j] - x[i, j], 1/2)"),
)
AT_MOST = Rule(
    "bracket/at-most",
    ("add",),
    r"[a < b] + [a = b] = [a \le b]",
    "less or equal",
    _at_most,
    Example(
        "where(x[i, j] < z[i, j], w[i, j], 0) + where(x[i, j] == z[i, j], w[i, j], 0)",
        "where(x[i, j] <= z[i, j], w[i, j], 0)",
    ),
)
OTHER_STEP = Rule(
    "function/other-step",
    ("add",),
    r"1 - \operatorname{H}(x) = \operatorname{H}(-x)",
    "what is left of a step is the step the other way",
    _other_step,
    Example("1 - Heaviside(x[i, j] - z[i, j], 1/2)", "Heaviside(z[i, j] - x[i, j], 1/2)"),
)
JOIN_LOGARITHMS = Rule(
    "log/join",
    ("add",),
    r"\log a - \log b = \log \frac{a}{b}",
    "one logarithm of a ratio",
    _join_logarithms,
    Example(
        "log(p[i]) - log(q[i])",
        "log(p[i]/q[i])",
        "{p: {shape: [n], domain: positive}, q: {shape: [n], domain: positive}}",
    ),
)
REFOLD = (CLIP, RELU, AT_MOST)
STEPS = (HEAVISIDE, OTHER_STEP, MODULUS, JOIN_LOGARITHMS)
"""For closed forms only."""
