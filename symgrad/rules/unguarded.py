"""Guards of kinks that closed forms drop: the kink is listed, and its convention beside it. Kernels keep them."""

from __future__ import annotations

from symgrad.algebra.build import add, div, mul, sub, substitute
from symgrad.algebra.terms import ONE, ZERO, Term, by_name, coefficient, extent, is_num
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _unguarded_norm(t: Term, context: Context) -> Term | None:
    """[norm x != 0] / norm x = 1 / norm x: the kink is reported, its convention too."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "!=" and ZERO in f.args[0].args:
            x = next((a for a in f.args[0].args if a is not ZERO), ZERO)
            if _is_zero_norm(x):
                return ZERO
            below = any(g.op == "pow" and g.args[0] is x and coefficient(g.args[1])[0] < 0 for g in t.args)
            if below and _is_norm(x, context) and not _vanishes_on_a_diagonal(x, context):
                return mul(*(g for g in t.args if g is not f))
    return None


def _unguarded_power(t: Term, context: Context) -> Term | None:
    """[b != 0] b**e log b = b**e log b, [e != 0] e b**(e - 1) = e b**(e - 1): so is [b != 0] or [e != 0] dropped."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "!=":
            gap = sub(*f.args[0].args)
            gap = gap.args[0] if gap.op == "pow" else gap
            if any(_is_of_power(gap, g) for g in t.args if g.op == "pow" and not is_num(g.args[1])):
                return mul(*(g for g in t.args if g is not f))
    return None


def _is_of_power(gap: Term, t: Term) -> bool:
    """Whether the gap is the base of a power, or its exponent raised by 1, but for a number."""
    return any(is_num(div(gap, x)) for x in (t.args[0], add(t.args[1], ONE)) if x is not ZERO)


def _is_norm(x: Term, context: Context) -> bool:
    """Whether the term is a norm, or the name of one."""
    body = context.body(x) if x.op == "get" else x
    return body is not None and body.op == "red" and body.data == "norm"


def _vanishes_on_a_diagonal(x: Term, context: Context) -> bool:
    """Whether the norm is 0 wherever two of its indices are equal: norm_k (x_ik - x_jk)."""
    body = _unfolded(x, context)
    indices = by_name(body.free)
    return any(
        extent(i) is extent(j) and _is_zero_norm(substitute(body, {j: i}))
        for k, i in enumerate(indices)
        for j in indices[k + 1 :]
    )


def _unfolded(t: Term, context: Context) -> Term:
    body = context.body(t) if t.op == "get" else None
    return t if body is None else _unfolded(body, context)


def _is_zero_norm(t: Term) -> bool:
    return t.op == "red" and t.data == "norm" and t.args[0] is ZERO


POWERS = "{x: {shape: [n, c], domain: nonnegative}, p: {shape: [n], domain: nonnegative}}"
UNGUARDED_NORM = Rule(
    "norm/kink",
    ("mul",),
    r"\frac{[\lVert x \rVert \ne 0]}{\lVert x \rVert} = \frac{1}{\lVert x \rVert}",
    "the point where the norm is 0 is listed as a kink",
    _unguarded_norm,
    Example("where(norm(x[i, j], j) != 0, 1/norm(x[i, j], j), 0)", "1/norm(x[i, j], j)"),
)
UNGUARDED_POWER = Rule(
    "power/kink",
    ("mul",),
    r"[b \ne 0]\,b^e \log b = b^e \log b, \quad [e \ne 0]\,e\,b^{e-1} = e\,b^{e-1}",
    "the point where the base of a power is 0 is listed as a kink",
    _unguarded_power,
    Example("where(x[i, j] != 0, x[i, j]**p[i]*log(x[i, j]), 0)", "x[i, j]**p[i]*log(x[i, j])", POWERS),
)
UNGUARDED = (UNGUARDED_NORM, UNGUARDED_POWER)
