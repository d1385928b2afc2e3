"""Definitions read backwards: a branch that is relu or clip gets its name back."""

from __future__ import annotations

from symgrad.algebra.build import add, compare, fn, iverson, mul, neg, power, where
from symgrad.algebra.terms import (
    MINUS_ONE,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    factors_of,
    node,
    terms_of,
    walk,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


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


def _at_most(t: Term, context: Context) -> Term | None:
    """u [a < b] + u [a == b] = u [a <= b]."""
    if t.op != "add":
        return None
    for below in comparisons_in(t):
        a, b = below.args
        rest, u = under_bracket(t, below)
        rest, v = under_bracket(rest, compare("==", a, b))
        if u is v and u is not ZERO:
            return add(rest, mul(iverson(compare("<=", a, b)), u))
    return None


def comparisons_in(t: Term) -> list[Term]:
    """The conditions a < b on which summands stand."""
    brackets = (f.args[0] for a in t.args for f in factors_of(a) if f.op == "iv")
    return [c for c in dict.fromkeys(brackets) if c.op == "cmp" and c.data == "<"]


def under_bracket(t: Term, c: Term) -> tuple[Term, Term]:
    """The summands without the bracket [c], and what stands under it."""
    bracket = iverson(c)
    inside = [a for a in terms_of(t) if bracket in factors_of(a)]
    rest = add(*(a for a in terms_of(t) if a not in inside))
    return rest, add(*(mul(*(f for f in factors_of(a) if f is not bracket)) for a in inside))


GATES = {"silu": "sigmoid", "gelu": "normal_cdf"}


def _gate(t: Term, context: Context) -> Term | None:
    """x sigmoid(x) = silu(x) where the formula speaks of silu."""
    for name, inner in GATES.items():
        for f in t.args:
            if f.op == "fn" and f.data == inner and f.args[0] in t.args and _speaks_of(name, context):
                rest = (g for g in t.args if g is not f and g is not f.args[0])
                return mul(node("fn", f.args, name), *rest)
    return None


def _speaks_of(name: str, context: Context) -> bool:
    return any(x.op == "fn" and x.data == name for s in context.program.statements for x in walk(s.body))


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
GATE = Rule(
    "function/gate",
    ("mul",),
    r"x\,\sigma(x) = \operatorname{silu} x",
    "the formula has a name for it",
    _gate,
    Example("x[i, j]*sigmoid(x[i, j])", "silu(x[i, j])", let="{'v[i, j]': 'silu(x[i, j])'}"),
)
REFOLD = (CLIP, RELU, AT_MOST)
