"""Forms for kernels alone: the same value, computed so that it keeps its digits. People's forms never see these."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.algebra.build import add, exp, fn, mul, neg, power, sub
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
from symgrad.rules.exponentials import EXPONENTIALS
from symgrad.rules.magnitudes import CONJUGATE, HYPOT, NORMALIZED_FIRST, ONE_SIDED
from symgrad.rules.norms import NORMS

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
    """a - a*f for a function f that tends to 1, and a + a*f for an odd one; a - a*f*(1 + x) too."""
    found = _complement_of_terms(t, context)
    if found is not None:
        return found
    for a in t.args:
        for s in factors_of(a):
            if s.op == "add" and any(map(is_num, s.args)):
                rest = mul(*(g for g in factors_of(a) if g is not s))
                written = add(*(mul(rest, x) for x in s.args), *(x for x in t.args if x is not a))
                found = _complement_of_terms(written, context) if written.op == "add" else None
                if found is not None:
                    return found
    return None


def _complement_of_terms(t: Term, context: Context) -> Term | None:
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
    if t.data not in ("log", "log1p"):
        return None
    x = t.args[0]
    if t.data == "log":
        if (negated := neg(x)).op == "fn" and negated.data == "expm1":
            return fn("log1mexp", negated.args[0])
        if x.op != "add" or ONE not in x.args:
            return None
        x = add(x, MINUS_ONE)
    c, square = coefficient(x)
    if c > 0 and square.op == "pow" and square.args[1] is TWO and square.tensors:
        return fn("log1psq", mul(power(num(c), HALF), square.args[0]))
    return fn("log1p", x) if x.tensors and t.data == "log" else None


def _log_of_mixture(t: Term, context: Context) -> Term | None:
    """log(c (e^f + b)) = log c + f + softplus(log b - f), where e^f is a weight and b >= 0."""
    if t.data != "log":
        return None
    c, inner = coefficient(_unfolded(t.args[0], context))
    inner = _unfolded(inner, context)
    if c <= 0 or inner.op != "add" or len(inner.args) != 2:
        return None
    for a, b in (inner.args, inner.args[::-1]):
        e = _unfolded(a, context)
        if e.op == "fn" and e.data == "exp" and is_normalized(e, context) and context.is_nonnegative(b):
            f = e.args[0]
            logs = [fn("log", num(c))] if c != 1 else []
            return add(f, fn("softplus", add(fn("log", b), neg(f))), *logs)
    return None


def _root_of_weight(t: Term, context: Context) -> Term | None:
    """y**p = e^(p log y) for a softmax y and a p that is no whole number."""
    b, p = t.args
    e = _unfolded(b, context)
    if not is_num(p) or value(p).denominator == 1 or e.op != "fn" or e.data != "exp":
        return None
    return exp(mul(p, e.args[0])) if is_normalized(e, context) else None


def _unfolded(t: Term, context: Context) -> Term:
    body = context.body(t) if t.op == "get" else None
    return t if body is None else _unfolded(body, context)


def _softplus_and_log(t: Term, context: Context) -> Term | None:
    """softplus(d) - log 2 = logmeanexp(d), d - softplus(d) = -softplus(-d)."""
    for a in t.args:
        c, s = coefficient(a)
        if s.op != "fn" or s.data not in ("softplus", "logmeanexp"):
            continue
        d = s.args[0]
        parts = frozenset(terms_of(mul(num(-c), d)))
        if parts <= frozenset(t.args):
            rest = (x for x in t.args if x is not a and x not in parts)
            return add(mul(num(c), fn(str(s.data), neg(d))), *rest)
        if s.data != "softplus":
            continue
        for log2, sign in ((fn("log", TWO), -1), (fn("log", HALF), 1)):
            if (half := mul(num(sign * c), log2)) in t.args:
                rest = (x for x in t.args if x is not a and x is not half)
                return add(mul(num(c), fn("logmeanexp", d)), *rest)
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
    Example("log(1 + x[i, j]**2)", "log1psq(x[i, j])"),
)
MIXTURE = Rule(
    "machine/log-of-mixture",
    ("fn",),
    r"\log(e^{x} + t) = x + \operatorname{softplus}(\log t - x)",
    "a weight that vanishes keeps its logarithm",
    _log_of_mixture,
    Example(
        "log(softmax(x[i, j], j) + p[i, j])",
        "x[i, j] - logsumexp(x[i, k], k) + softplus(log(p[i, j]) - x[i, j] + logsumexp(x[i, k], k))",
        inputs="{x: [n, c], p: {shape: [n, c], domain: positive}}",
    ),
)
ROOT_OF_WEIGHT = Rule(
    "machine/root-of-weight",
    ("pow",),
    r"\operatorname{softmax}(x)^p = e^{p \log \operatorname{softmax}(x)}",
    "a weight vanishes long before its root does",
    _root_of_weight,
    Example("y[i, j]**(3/2)", "exp((x[i, j] - logsumexp(x[i, k], k))*3/2)", let="{'y[i, j]': 'softmax(x[i, j], j)'}"),
)
LOG_MEAN = Rule(
    "machine/log-mean",
    ("add",),
    r"\operatorname{softplus} x - \log 2 = \log \frac{1 + e^{x}}{2}",
    "nothing cancels where x is small or large",
    _softplus_and_log,
    Example("softplus(x[i, j]) - log(2)", "logmeanexp(x[i, j])"),
)

MACHINE = (
    *EXPONENTIALS,
    COMPLEMENT,
    BOTH_SIDES,
    FROM_TARGET,
    MIXTURE,
    LOG1P_OF,
    LOG_MEAN,
    ROOT_OF_WEIGHT,
    CONJUGATE,
    HYPOT,
    ONE_SIDED,
    *NORMS,
    NORMALIZED_FIRST,
)
