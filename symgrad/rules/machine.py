"""Forms for kernels alone: the same value, computed so that it keeps its digits. People's forms never see these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.algebra.build import add, fn, mul, neg, power, sub
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    Term,
    coefficient,
    factors_of,
    is_num,
    num,
    terms_of,
    value,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule

IN_UNIT = ("unit_interval", "simplex", "one_hot", "boolean")


def weight_of(t: Term, context: Context) -> Term | None:
    """1 - t for a softmax, a sigmoid or a name of one, without cancellation; None for other terms."""
    body = context.body(t) if t.op == "get" else t
    if body is not None and body.op == "get":
        return weight_of(body, context)
    if body is None or body.op != "fn":
        return None
    if body.data == "sigmoid":
        return fn("sigmoid", neg(body.args[0]))
    return fn("complement", t) if body.data == "exp" and is_normalized(body, context) else None


def is_normalized(t: Term, context: Context) -> bool:
    """Whether an exponential is exp(f - lse f), one of weights that sum to 1."""
    for a in terms_of(t.args[0]):
        c, r = coefficient(a)
        lse = context.body(r) if r.op == "get" else r
        if c == -1 and lse is not None and lse.op == "red" and lse.data == "lse":
            return True
    return False


def _one_minus(f: Term, context: Context) -> Term | None:
    """1 - f in a form that does not cancel."""
    known = weight_of(f, context)
    if known is not None:
        return known
    body = context.body(f) if f.op == "get" else f
    own = _COMPLEMENTS.get(str(body.data)) if body is not None and body.op == "fn" else None
    return None if own is None or body is None else own(body.args[0])


_COMPLEMENTS: Mapping[str, Callable[[Term], Term]] = {
    "exp": lambda u: neg(fn("expm1", u)),
    "tanh": lambda u: mul(TWO, fn("sigmoid", mul(num(-2), u))),
    "erf": lambda u: fn("erfc", u),
    "normal_cdf": lambda u: fn("normal_cdf", neg(u)),
    "cos": lambda u: mul(TWO, power(fn("sin", mul(HALF, u)), TWO)),
    "cosh": lambda u: mul(num(-2), power(fn("sinh", mul(HALF, u)), TWO)),
}
_ODD = ("tanh", "erf")


def _complement(t: Term, context: Context) -> Term | None:
    """a - a*f for a function f that tends to 1, and a + a*f for an odd one."""
    for a in t.args:
        for f in factors_of(a):
            rest = mul(*(g for g in factors_of(a) if g is not f))
            for sign in (1, -1):
                other = mul(num(-sign), rest)
                if other not in t.args or other is a or (sign == -1 and not _is_odd(f, context)):
                    continue
                new = _one_minus(f, context) if sign == 1 else _one_plus(f, context)
                if new is not None:
                    left = (x for x in t.args if x is not a and x is not other)
                    return add(mul(other, new), *left)
    return None


def _is_odd(f: Term, context: Context) -> bool:
    body = context.body(f) if f.op == "get" else f
    return body is not None and body.op == "fn" and body.data in _ODD


def _one_plus(f: Term, context: Context) -> Term:
    body = context.body(f) if f.op == "get" else f
    assert body is not None
    return _COMPLEMENTS[str(body.data)](neg(body.args[0]))


def _both_sides(t: Term, context: Context) -> Term | None:
    """a*sigmoid(x) + a*sigmoid(-x) = a."""
    for a in t.args:
        for f in factors_of(a):
            other = weight_of(f, context)
            if other is None or other.data != "sigmoid":
                continue
            rest = mul(*(g for g in factors_of(a) if g is not f))
            partner = mul(rest, other)
            if partner in t.args and partner is not a:
                return add(rest, *(x for x in t.args if x is not a and x is not partner))
    return None


def _from_target(t: Term, context: Context) -> Term | None:
    """y - t = y*(1 - t) - t*(1 - y) for a weight y and a target t between 0 and 1."""
    for a in t.args:
        c, y = coefficient(a)
        complement = weight_of(y, context)
        if complement is None:
            continue
        for b in t.args:
            d, target = coefficient(b)
            if d == -c and in_unit(target, context):
                rest = (x for x in t.args if x is not a and x is not b)
                parted = sub(mul(y, sub(ONE, target)), mul(target, complement))
                return add(mul(num(c), parted), *rest)
    return None


def in_unit(t: Term, context: Context) -> bool:
    """Whether the term is known to lie between 0 and 1."""
    if t.op == "iv":
        return True
    if t.op == "where":
        return all(in_unit(a, context) for a in t.args[1:])
    if t.op == "get":
        i = context.inputs.get(str(t.data))
        if i is not None:
            return i.domain.kind in IN_UNIT
        body = context.body(t)
        return body is not None and in_unit(body, context)
    return is_num(t) and 0 <= value(t) <= 1


def _log1p(t: Term, context: Context) -> Term | None:
    """log(1 + x) = log1p(x)."""
    if t.data != "log" or t.args[0].op != "add" or ONE not in t.args[0].args:
        return None
    x = add(t.args[0], MINUS_ONE)
    return fn("log1p", x) if x.tensors else None


def _conjugate(t: Term, context: Context) -> Term | None:
    """sqrt(c**2 + u) - c = u/(sqrt(c**2 + u) + c) for a number c > 0."""
    c = next((a for a in t.args if is_num(a)), None)
    if c is None:
        return None
    for a in t.args:
        d, root = coefficient(a)
        if root.op != "pow" or root.args[1] is not HALF or root.args[0].op != "add" or not root.tensors:
            continue
        k = -value(c) / d
        if k > 0 and num(k * k) in root.args[0].args:
            u = add(root.args[0], num(-k * k))
            rest = (x for x in t.args if x is not a and x is not c)
            return add(mul(num(d), u, power(add(root, num(k)), MINUS_ONE)), *rest)
    return None


COMPLEMENT = Rule(
    "machine/complement",
    ("add",),
    r"1 - e^{x} = -\operatorname{expm1} x, \quad 1 - \sigma(x) = \sigma(-x), \quad 1 + \tanh x = 2 \sigma(2 x)",
    "the difference from 1 is computed itself, not what is left of 1",
    _complement,
    Example("z[i, j] - z[i, j]*exp(x[i, j])", "-z[i, j]*expm1(x[i, j])"),
)
BOTH_SIDES = Rule(
    "machine/both-sides",
    ("add",),
    r"\sigma(x) + \sigma(-x) = 1",
    "the two sides of a sigmoid are everything",
    _both_sides,
    Example("z[i, j]*sigmoid(x[i, j]) + z[i, j]*sigmoid(-x[i, j])", "z[i, j]"),
)
FROM_TARGET = Rule(
    "machine/from-target",
    ("add",),
    r"y - t = y\,(1 - t) - t\,(1 - y)",
    "at a confident y both parts are exact, and neither is what is left of 1",
    _from_target,
    Example(
        "sigmoid(x[i, j]) - t[i, j]",
        "sigmoid(x[i, j])*(1 - t[i, j]) - t[i, j]*sigmoid(-x[i, j])",
        inputs="{x: [n, c], t: {shape: [n, c], domain: unit_interval, given: true}}",
    ),
)
LOG1P_OF = Rule(
    "machine/log1p",
    ("fn",),
    r"\log(1 + x) = \operatorname{log1p} x",
    "1 + x forgets a small x",
    _log1p,
    Example("log(1 + x[i, j]**2)", "log1p(x[i, j]**2)"),
)
CONJUGATE = Rule(
    "machine/conjugate",
    ("add",),
    r"\sqrt{c^2 + x} - c = \frac{x}{\sqrt{c^2 + x} + c}",
    "nothing cancels where x is small",
    _conjugate,
    Example("sqrt(1 + x[i, j]**2) - 1", "x[i, j]**2/(sqrt(1 + x[i, j]**2) + 1)"),
)

MACHINE = (COMPLEMENT, BOTH_SIDES, FROM_TARGET, LOG1P_OF, CONJUGATE)
