"""Definitions read backwards: a branch that is relu or clip gets its name back."""

from __future__ import annotations

from symgrad.algebra.build import compare, fn, mul, neg, where
from symgrad.algebra.terms import ZERO, Term, node
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
        for sign in (x, neg(x)):
            if yes is sign and no is mul(high, fn("sign", sign)) and context.is_nonnegative(high):
                return node("fn", (sign, neg(high), high), "clip")
        return None
    if c.data in ("<", "<=") and high.op == "fn" and high.data == "Abs":
        return _clip(where(compare("<=", high, low), no, yes), context) if yes.op != "where" else None
    if yes is high and c.data in ("<", "<=") and no.op == "where":
        return _two_sided(low, high, no)
    if yes is low and c.data in ("<", "<=") and no.op == "where":
        return _two_sided_from_above(low, high, no)
    return None


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
REFOLD = (CLIP, RELU)
