"""Forms that keep the digits, chosen before differentiating: log-space, log-sum-exp, sigmoid, softplus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from symgrad.algebra.build import add, exp, fn, mul, neg, open_reduction, power, reduce, where
from symgrad.algebra.terms import (
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    factors_of,
    is_num,
    matrix_of,
    node,
    num,
    terms_of,
    value,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.differences import DIFFERENCE_OF_SIGMOIDS
from symgrad.rules.shares import SHARE, TANH, exponent_of


def logarithm(t: Term, context: Context) -> Term | None:
    """log(t) where it has a form without exp, products or sigmoids under the logarithm; None where it has none."""
    own = _LOGARITHMS.get(t.op)
    return None if own is None else own(t, context)


def _log_of_reduction(t: Term, context: Context) -> Term | None:
    if t.data == "sum":
        return _log_sum_exp(t, context)
    if t.data == "prod" and context.is_positive(t.args[0]):
        body, variables = open_reduction(t, context.fresh)
        return reduce("sum", logarithm(body, context) or fn("log", body), variables)
    return None


def _log_of_name(t: Term, context: Context) -> Term | None:
    body = context.body(t)
    return None if body is None else logarithm(body, context)


def _log_of_function(t: Term, context: Context) -> Term | None:
    name, x = str(t.data), t.args[0]
    if name == "exp":
        return x
    if name == "sigmoid":
        return fn("log_sigmoid", x)
    if name == "cosh":
        return fn("logcosh", x)
    if name == "Abs" and (det := _determinant(x, context)) is not None:
        return node("mat", det.args, ("logabsdet", matrix_of(det)[1]))
    return None


def _determinant(t: Term, context: Context) -> Term | None:
    """The determinant that a term is, looked up through names."""
    if t.op == "get" and (body := context.body(t)) is not None:
        return _determinant(body, context)
    return t if t.op == "mat" and matrix_of(t)[0] == "det" else None


def _log_of_product(t: Term, context: Context) -> Term | None:
    c, rest = coefficient(t)
    factors = list(factors_of(rest))
    if c <= 0 or not all(context.is_nonnegative(f) for f in factors):
        return None
    logs = [logarithm(f, context) for f in factors]
    if all(x is None for x in logs):
        return None
    whole = [x if x is not None else fn("log", f) for x, f in zip(logs, factors, strict=True)]
    return add(*whole, *([] if c == 1 else [fn("log", num(c))]))


def _log_of_power(t: Term, context: Context) -> Term | None:
    b, e = t.args
    if not context.is_nonnegative(b):
        return None
    log = logarithm(b, context)
    return mul(e, log if log is not None else fn("log", b))


def _log_of_sum(t: Term, context: Context) -> Term | None:
    """log(1 + e^x) = softplus(x), log(1 - sigmoid(x)) = log sigmoid(-x)."""
    if len(t.args) != 2:
        return None
    if ONE not in t.args:
        return _log_of_two_exponentials(t, context)
    other = add(t, MINUS_ONE)
    c, rest = coefficient(other)
    if c == 1 and (x := exponent_of(rest, context)) is not None:
        return fn("softplus", x)
    if c == -1 and (x := _sigmoid_argument(rest, context)) is not None:
        return fn("log_sigmoid", neg(x))
    return None


def _log_of_two_exponentials(t: Term, context: Context) -> Term | None:
    """log(e^a + e^b) = a + softplus(b - a), and log cosh where b = -a."""
    found = [(c, exponent_of(rest, context)) for c, rest in map(coefficient, t.args)]
    (c, a), (d, b) = found
    if a is None or b is None or c <= 0 or d <= 0:
        return None
    if c == d and a is neg(b):
        return add(fn("log", num(2 * c)), fn("logcosh", a))
    logs = [] if c == 1 else [fn("log", num(c))]
    ratio = [] if c == d else [fn("log", num(d / c))]
    return add(a, *logs, fn("softplus", add(b, neg(a), *ratio)))


def _softplus_by_parts(t: Term, context: Context) -> Term | None:
    """max(0, x) + log(1 + e^-|x|) = softplus(x)."""
    for f in t.args:
        c, s = coefficient(f)
        if s.op != "fn" or s.data != "softplus":
            continue
        d, modulus = coefficient(s.args[0])
        if d >= 0 or modulus.op != "fn" or modulus.data != "Abs":
            continue
        for x in (modulus.args[0], neg(modulus.args[0])):
            scaled = mul(num(-d), x)
            positive = [mul(num(c), p) for p in _positive_parts(scaled)]
            positive += [mul(num(-c * d), p) for p in _positive_parts(x)]
            for whole in positive:
                if whole in t.args:
                    rest = (a for a in t.args if a is not f and a is not whole)
                    return add(mul(num(c), fn("softplus", scaled)), *rest)
    return None


def _density(t: Term, context: Context) -> Term | None:
    """e^(-x**2/2)/sqrt(2 pi) = phi(x)."""
    root = power(mul(TWO, PI), num(Fraction(-1, 2)))
    e = next((f for f in t.args if f.op == "fn" and f.data == "exp"), None)
    if e is None or root not in t.args:
        return None
    c, square = coefficient(e.args[0])
    if c != Fraction(-1, 2) or square.op != "pow" or square.args[1] is not TWO:
        return None
    return mul(fn("normal_pdf", square.args[0]), *(f for f in t.args if f is not e and f is not root))


def _sech_squared(t: Term, context: Context) -> Term | None:
    """a - a tanh(x)**2 = a sech(x)**2."""
    for a in t.args:
        for f in factors_of(a):
            u = context.body(f.args[0]) if f.op == "pow" and f.args[0].op == "get" else f.args[0] if f.args else None
            if f.op != "pow" or f.args[1] is not TWO or u is None or u.op != "fn" or u.data != "tanh":
                continue
            whole = neg(mul(*(g for g in factors_of(a) if g is not f)))
            if whole in t.args:
                rest = (x for x in t.args if x is not a and x is not whole)
                return add(mul(whole, fn("sech2", u.args[0])), *rest)
    return None


def _positive_parts(x: Term) -> tuple[Term, ...]:
    return fn("relu", x), fn("Max", ZERO, x), fn("Max", x, ZERO)


def _sigmoid_argument(t: Term, context: Context) -> Term | None:
    if t.op == "fn" and t.data == "sigmoid":
        return t.args[0]
    if t.op == "get" and (body := context.body(t)) is not None:
        return _sigmoid_argument(body, context)
    return None


def _log_sum_exp(t: Term, context: Context) -> Term | None:
    body, variables = open_reduction(t, context.fresh)
    body = _unfold_exponential(body, context)
    if not _has_exponential(body):
        return None
    log = logarithm(body, context)
    return None if log is None else reduce("lse", log, variables)


def _unfold_exponential(t: Term, context: Context) -> Term:
    if t.op == "get" and (body := context.body(t)) is not None and _has_exponential(body):
        return body
    return t


def _has_exponential(t: Term) -> bool:
    return any(f.op == "fn" and f.data == "exp" for f in factors_of(t)) or (
        t.op == "where" and any(_has_exponential(a) for a in t.args[1:])
    )


def _log_of_branches(t: Term, context: Context) -> Term | None:
    a, b = (logarithm(x, context) for x in t.args[1:])
    return None if a is None or b is None else where(t.args[0], a, b)


_LOGARITHMS: Mapping[str, Callable[[Term, Context], Term | None]] = {
    "fn": _log_of_function,
    "mul": _log_of_product,
    "pow": _log_of_power,
    "add": _log_of_sum,
    "red": _log_of_reduction,
    "get": _log_of_name,
    "where": _log_of_branches,
    "mat": lambda t, context: node("mat", t.args, ("logdet", matrix_of(t)[1])) if matrix_of(t)[0] == "det" else None,
}


def _log(t: Term, context: Context) -> Term | None:
    if t.op != "fn" or t.data != "log":
        return None
    return logarithm(t.args[0], context)


def _log1p(t: Term, context: Context) -> Term | None:
    if t.op != "fn" or t.data != "log1p":
        return None
    c, rest = coefficient(t.args[0])
    x = exponent_of(rest, context)
    if c == 1 and x is not None:
        return fn("softplus", x)
    y = _sigmoid_argument(rest, context)
    return fn("log_sigmoid", neg(y)) if c == -1 and y is not None else None


def _normalized_exponential(t: Term, context: Context) -> Term | None:
    """(sum_j e^a_j)**p = e^(p*lse a)."""
    if t.op != "pow":
        return None
    b = t.args[0]
    if b.op == "get" and (body := context.body(b)) is not None:
        b = body
    if b.op != "red" or b.data != "sum":
        return None
    log = _log_sum_exp(b, context)
    if log is None or coefficient(t.args[1])[0] >= 0:
        return None
    return exp(mul(t.args[1], log))


def _sigmoid(t: Term, context: Context) -> Term | None:
    """1/(1 + e^x) = sigmoid(-x)."""
    if t.op != "pow" or t.args[0].op != "add" or coefficient(t.args[1])[0] >= 0:
        return None
    b = t.args[0]
    if len(b.args) != 2 or ONE not in b.args:
        return None
    c, rest = coefficient(add(b, MINUS_ONE))
    x = exponent_of(rest, context)
    return power(fn("sigmoid", neg(x)), neg(t.args[1])) if c == 1 and x is not None else None


def _exponential_times_sigmoid(t: Term, context: Context) -> Term | None:
    """e^x sigmoid(-x) = sigmoid(x)."""
    if t.op != "mul":
        return None
    for f in t.args:
        s, e = base_exponent(f)
        if s.op == "fn" and s.data == "sigmoid" and is_num(e) and value(e) >= 1:
            x = neg(s.args[0])
            for g in t.args:
                if g.op == "fn" and g.data == "exp" and x in (g.args[0], *terms_of(g.args[0])):
                    if _takes_log_sum_off(g.args[0], context):
                        continue  # e^(x + y - lse) is at most 1, e^(y - lse) may overflow
                    left = exp(add(g.args[0], neg(x)))
                    rest = (h for h in t.args if h is not f and h is not g)
                    return mul(fn("sigmoid", x), power(s, add(e, MINUS_ONE)), left, *rest)
    return None


def _takes_log_sum_off(t: Term, context: Context) -> bool:
    """Whether a log-sum-exp is taken off an exponent, or a hoisted value that may be one."""
    for a in terms_of(t):
        c, r = coefficient(a)
        if c < 0 and r.op == "get" and r.data not in context.inputs:
            body = context.body(r)
            if body is None:
                return True
            r = body
        if c < 0 and r.op == "red" and r.data == "lse":
            return True
    return False


def _unfold_shared(t: Term, context: Context) -> Term | None:
    """A product of named exponentials is one exponential of a difference."""
    if t.op != "mul" or not any(f.op == "fn" and f.data == "exp" for f in t.args):
        return None
    for f in t.args:
        if f.op == "get" and (body := context.body(f)) is not None and body.op == "fn" and body.data == "exp":
            return mul(body, *(g for g in t.args if g is not f))
    return None


def _normalize_inside(t: Term, context: Context) -> Term | None:
    """e^(-lse f) sum_j g_j e^f_j = sum_j g_j e^(f_j - lse f): neither factor alone may be finite."""
    if t.op != "mul":
        return None
    e = next((f for f in t.args if f.op == "fn" and f.data == "exp"), None)
    if e is None:
        return None
    for a in terms_of(e.args[0]):
        c, r = coefficient(a)
        if c >= 0 or r.op not in ("red", "get") or (r.op == "red" and r.data != "lse"):
            continue
        for f in t.args:
            if f.op == "red" and f.data == "sum" and any(_is_exponential(g, context) for g in factors_of(f.args[0])):
                body, variables = open_reduction(f, context.fresh)
                body = mul(*(context.body(g) or g if _is_exponential(g, context) else g for g in factors_of(body)))
                inside = reduce("sum", mul(body, exp(neg(r))), variables)
                return mul(exp(add(e.args[0], r)), inside, *(g for g in t.args if g is not e and g is not f))
    return _exponential_inside(t, e, context)


def _is_exponential(t: Term, context: Context) -> bool:
    """Whether the term is an exponential, by itself or by what it is the name of."""
    body = context.body(t) if t.op == "get" else t
    return body is not None and body.op == "fn" and body.data == "exp"


def _exponential_inside(t: Term, e: Term, context: Context) -> Term | None:
    """e^b sum_j g_j e^(f_j - lse f_j) = sum_j g_j e^(b + f_j - lse f_j): the lse holds b."""
    for f in t.args:
        if f.op == "red" and f.data == "sum" and any(_is_normalized(g, context) for g in factors_of(f.args[0])):
            body, variables = open_reduction(f, context.fresh)
            return mul(reduce("sum", mul(body, e), variables), *(g for g in t.args if g is not e and g is not f))
    return None


def _is_normalized(t: Term, context: Context) -> bool:
    """Whether the term is an exponential from which a log-sum-exp is taken."""
    if t.op != "fn" or t.data != "exp":
        return False
    taken = [r for c, r in map(coefficient, terms_of(t.args[0])) if c < 0]
    bodies = [context.body(r) if r.op == "get" else r for r in taken]
    return any(b is not None and b.op == "red" and b.data == "lse" for b in bodies)


LOG = Rule(
    "stabilize/log",
    ("fn",),
    r"\log e^{x} = x, \quad \log(a\,b) = \log a + \log b, \quad \log \sum_j e^{x_j} = \operatorname{lse}_j x_j",
    "the logarithm is taken before the exponential can overflow or round to 0",
    _log,
    Example("log(exp(x[i, j])/Sum(exp(x[i, k]), k))", "x[i, j] - logsumexp(x[i, k], k)"),
)
LOG1P = Rule(
    "stabilize/log1p",
    ("fn",),
    r"\log(1 + e^{x}) = \operatorname{softplus} x",
    "softplus never overflows",
    _log1p,
    Example("log1p(exp(x[i, j]))", "softplus(x[i, j])"),
)
SOFTMAX = Rule(
    "stabilize/softmax",
    ("pow",),
    r"\frac{e^{x_j}}{\sum_k e^{x_k}} = e^{x_j - \operatorname{lse} x}",
    "a ratio of exponentials is the exponential of a difference",
    _normalized_exponential,
    Example("exp(x[i, j])/Sum(exp(x[i, k]), k)", "softmax(x[i, j], j)"),
)
SIGMOID = Rule(
    "stabilize/sigmoid",
    ("pow",),
    r"\frac{1}{1 + e^{-x}} = \sigma(x)",
    "sigma never overflows",
    _sigmoid,
    Example("1/(1 + exp(-x[i, j]))", "sigmoid(x[i, j])"),
)
EXP_SIGMOID = Rule(
    "stabilize/exp-sigmoid",
    ("mul",),
    r"e^{x}\,\sigma(-x) = \sigma(x)",
    "sigma never overflows",
    _exponential_times_sigmoid,
    Example("exp(x[i, j])*sigmoid(-x[i, j])", "sigmoid(x[i, j])"),
)
SECH = Rule(
    "stabilize/sech",
    ("add",),
    r"1 - \tanh^2 x = \operatorname{sech}^2 x",
    "what is left of 1 is computed itself",
    _sech_squared,
    Example("z[i, j] - z[i, j]*tanh(x[i, j])**2", "z[i, j]*sech2(x[i, j])"),
)
NAMED_EXP = Rule(
    "stabilize/named-exp",
    ("mul",),
    r"e^{x} = E \Rightarrow E\,e^{-y} = e^{x - y}",
    "exponentials meet in one exponent",
    _unfold_shared,
    Example("e[i, j]*exp(-z[i, j])", "exp(x[i, j] - z[i, j])", let="{'e[i, j]': 'exp(x[i, j])'}"),
)

NORMALIZE_INSIDE = Rule(
    "stabilize/normalize-inside",
    ("mul",),
    r"e^{-\operatorname{lse} x} \sum_j a_j e^{x_j} = \sum_j a_j e^{x_j - \operatorname{lse} x}",
    "the exponentials are scaled before they are summed",
    _normalize_inside,
    Example("exp(-logsumexp(x[i, j], j))*Sum(z[i, j]*exp(x[i, j]), j)", "Sum(z[i, j]*softmax(x[i, j], j), j)"),
)

DENSITY = Rule(
    "stabilize/density",
    ("mul",),
    r"\frac{e^{-x^2/2}}{\sqrt{2 \pi}} = \varphi(x)",
    "the density of the normal is the derivative of its distribution function",
    _density,
    Example("z[i, j]*exp(-x[i, j]**2/2)/sqrt(2*pi)", "z[i, j]*normal_pdf(x[i, j])"),
)
SOFTPLUS = Rule(
    "stabilize/softplus",
    ("add",),
    r"\max(0, x) + \log(1 + e^{-|x|}) = \operatorname{softplus} x",
    "the kink is none",
    _softplus_by_parts,
    Example("Max(0, x[i, j]) + softplus(-Abs(x[i, j]))", "softplus(x[i, j])"),
)

STABILIZE = (
    DIFFERENCE_OF_SIGMOIDS,
    LOG,
    LOG1P,
    SOFTPLUS,
    DENSITY,
    SOFTMAX,
    SIGMOID,
    TANH,
    SECH,
    SHARE,
    EXP_SIGMOID,
    NAMED_EXP,
    NORMALIZE_INSIDE,
)
