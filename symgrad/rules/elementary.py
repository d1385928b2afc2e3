"""Laws of single functions: definitions, complements, signs, brackets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.algebra.build import (
    add,
    compare,
    fn,
    mul,
    neg,
    power,
    reduce,
    sub,
    where,
)
from symgrad.algebra.show import INTERNAL
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    by_name,
    coefficient,
    is_num,
    node,
    terms_of,
    value,
    walk,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.brackets import BRACKETS
from symgrad.rules.comparisons import COMPARISONS
from symgrad.rules.conditions import CONDITIONS
from symgrad.rules.ranges import RANGES


def _define(t: Term, context: Context) -> Term | None:
    if t.op != "fn" or t.data not in DEFINITIONS:
        return None
    return DEFINITIONS[str(t.data)](*t.args)


DEFINITIONS: Mapping[str, Callable[..., Term]] = {
    "silu": lambda x: mul(x, fn("sigmoid", x)),
    "gelu": lambda x: mul(x, fn("normal_cdf", x)),
    "logit": lambda x: sub(fn("log", x), fn("log", sub(ONE, x))),
    "Heaviside": lambda x, h=HALF: where(compare("<", x, ZERO), ZERO, where(compare(">", x, ZERO), ONE, h)),
}
"""Functions of the field as expressions; the branch at a border is torch's."""


def _sigmoid_parts(t: Term, context: Context) -> Term | None:
    """x where t = sigmoid(x), through a name."""
    if t.op == "fn" and t.data == "sigmoid":
        return t.args[0]
    if t.op == "get" and (body := context.body(t)) is not None and body.op == "fn" and body.data == "sigmoid":
        return body.args[0]
    return None


def _one_minus_sigmoid(t: Term, context: Context) -> Term | None:
    """1 - sigmoid(x) = sigmoid(-x): no cancellation."""
    if t.op != "add" or len(t.args) != 2 or ONE not in t.args:
        return None
    c, rest = coefficient(add(t, MINUS_ONE))
    x = _sigmoid_parts(rest, context) if c == -1 else None
    return None if x is None else fn("sigmoid", neg(x))


def _complement(t: Term, context: Context) -> Term | None:
    if t.op == "fn" and t.data == "sigmoid" and _is_negative(t.args[0]):
        return sub(ONE, fn("sigmoid", neg(t.args[0])))
    return None


def _is_negative(t: Term) -> bool:
    """One of x and -x is negative: the one in which the first summand has a minus, whatever its indices are called."""
    first = min(terms_of(t), default=ONE, key=lambda a: skeleton(coefficient(a)[1]))
    return coefficient(first)[0] < 0 and skeleton(t) != skeleton(neg(t))


def _sech2(t: Term, context: Context) -> Term | None:
    if t.op == "fn" and t.data == "sech2":
        return sub(ONE, power(fn("tanh", t.args[0]), TWO))
    return None


def _density(t: Term, context: Context) -> Term | None:
    return INTERNAL["normal_pdf"](t.args[0]) if t.data == "normal_pdf" else None


def _sign(t: Term, context: Context) -> Term | None:
    if t.op != "fn" or t.data not in ("Abs", "sign", "Heaviside"):
        return None
    x = t.args[0]
    if t.data == "Heaviside":
        known = [f for f in x.args if context.is_positive(f)] if x.op == "mul" else []
        return node("fn", (mul(*(f for f in x.args if f not in known)), t.args[1]), "Heaviside") if known else None
    if context.is_positive(x):
        return x if t.data == "Abs" else ONE
    if t.data == "Abs" and context.is_nonnegative(x):
        return x
    if x.op == "mul":
        known = [f for f in x.args if context.is_positive(f)]
        if known:
            rest = fn(str(t.data), mul(*(f for f in x.args if f not in known)))
            return rest if t.data == "sign" else mul(*known, rest)
    return None


def _abs_times_sign(t: Term, context: Context) -> Term | None:
    """|x| sign(x) = x, sign(x)/|x| = 1/x, sign(x)**2 is left alone (0 at 0)."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "fn" and f.data == "sign":
            partner = fn("Abs", f.args[0])
            for p in (partner, power(partner, MINUS_ONE)):
                if p in t.args:
                    x = f.args[0] if p is partner else power(f.args[0], MINUS_ONE)
                    return mul(x, *(g for g in t.args if g is not f and g is not p))
            if f.args[0] in t.args:
                return mul(partner, *(g for g in t.args if g is not f and g is not f.args[0]))
    return None


def _square_of_abs(t: Term, context: Context) -> Term | None:
    b = t.args[0] if t.op == "pow" else t
    if b.op == "fn" and b.data == "Abs" and is_num(t.args[1]) and value(t.args[1]) % 2 == 0:
        return power(b.args[0], t.args[1])
    if b.op == "red" and b.data == "norm" and t.args[1] is TWO:
        from symgrad.algebra.build import open_reduction, reduce

        body, variables = open_reduction(b, context.fresh)
        return reduce("sum", power(body, TWO), variables)
    return None


EVEN_FUNCTIONS = ("Abs", "cos", "cosh", "logcosh", "sech2", "normal_pdf")


def _even(t: Term, context: Context) -> Term | None:
    """(x_j - x_i)**2 = (x_i - x_j)**2, and the same of norms and even functions: the lower index first."""
    if t.op == "pow":
        b, e = t.args
        if b.op != "add" or not is_num(e) or value(e).denominator != 1 or value(e) % 2:
            return None
        return power(neg(b), e) if _is_turned(b) else None
    if t.op == "fn":
        return fn(str(t.data), neg(t.args[0])) if t.data in EVEN_FUNCTIONS and _is_turned(t.args[0]) else None
    if t.data != "norm" or t.args[0].op != "add":
        return None
    body, variables = context.opened(t)
    return reduce("norm", neg(body), variables) if _is_turned(body) else None


def _is_turned(t: Term) -> bool:
    """Whether t = b - a, where a and b differ in their indices alone and those of a come first."""
    if t.op != "add" or skeleton(t) != skeleton(neg(t)):
        return False
    plus = [_index_order(a) for a in t.args if coefficient(a)[0] > 0]
    minus = [_index_order(a) for a in t.args if coefficient(a)[0] < 0]
    return bool(plus and minus) and min(minus) < min(plus)


def _index_order(t: Term) -> list[tuple[bool, int, str]]:
    names = [str(i.data) for x in walk(t) if x.op == "get" for a in x.args for i in by_name(a.free)]
    return [(n[0] in "%$", len(n), n) for n in names]


def _hyperbolic(t: Term, context: Context) -> Term | None:
    """sinh x / cosh x = tanh x."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "fn" and f.data == "sinh":
            below = power(fn("cosh", f.args[0]), MINUS_ONE)
            if below in t.args:
                return mul(fn("tanh", f.args[0]), *(g for g in t.args if g is not f and g is not below))
    return None


def _log_sigmoid(t: Term, context: Context) -> Term | None:
    """log sigma(x) as people write it; log(1 - sigma(x)) for log sigma(-x)."""
    if t.op != "fn" or t.data != "log_sigmoid":
        return None
    x = t.args[0]
    return node("fn", (sub(ONE, fn("sigmoid", neg(x))) if _is_negative(x) else fn("sigmoid", x),), "log")


def _zero_one(t: Term, context: Context) -> Term | None:
    """t**k = t for t in {0, 1}."""
    if t.op != "pow" or not is_num(t.args[1]) or value(t.args[1]) <= 0 or t.args[0].op != "get":
        return None
    return t.args[0] if _is_zero_or_one(t.args[0], context) else None


def _is_zero_or_one(t: Term, context: Context) -> bool:
    """Whether an access is 0 or 1 by its declared domain; that is assumed then."""
    i = context.inputs.get(str(t.data)) if t.op == "get" else None
    if i is None or not i.given or i.domain.kind not in ("boolean", "one_hot"):
        return False
    for f in context.program.facts:
        if (
            f.condition.data == "=="
            and f.condition.tensors == {i.name}
            and any(x.op == "pow" for x in f.condition.args)
        ):
            context.used[f] = None
    return True


def _zero_one_factor(t: Term, context: Context) -> Term | None:
    """t*v = v for t in {0, 1} and a named v = t*(...)."""
    if t.op != "mul":
        return None
    named = [b for g in t.args if g.op == "get" and (b := context.body(g)) is not None and b.op == "mul"]
    for f in t.args if named else ():
        if f.op == "get" and any(f in b.args for b in named) and _is_zero_or_one(f, context):
            return mul(*(h for h in t.args if h is not f))
    return None


DEFINE = Rule(
    "function/define",
    ("fn",),
    r"\operatorname{silu} x = x\,\sigma(x), \quad \operatorname{gelu} x = x\,\Phi(x)",
    "a function of the field is replaced by its definition",
    _define,
    Example("silu(x[i, j])", "x[i, j]*sigmoid(x[i, j])"),
)
ONE_MINUS_SIGMOID = Rule(
    "stabilize/one-minus-sigmoid",
    ("add",),
    r"1 - \sigma(x) = \sigma(-x)",
    "no digits cancel where sigma is near 1",
    _one_minus_sigmoid,
    Example("1 - sigmoid(x[i, j])", "sigmoid(-x[i, j])"),
)
COMPLEMENT = Rule(
    "sigmoid/complement",
    ("fn",),
    r"\sigma(-x) = 1 - \sigma(x)",
    "one sigmoid is enough",
    _complement,
    Example("sigmoid(-x[i, j])", "1 - sigmoid(x[i, j])"),
)
SECH2 = Rule(
    "tanh/derivative",
    ("fn",),
    r"\operatorname{sech}^2 x = 1 - \tanh^2 x",
    "the derivative of tanh in its value",
    _sech2,
    Example("sech2(x[i, j])", "1 - tanh(x[i, j])**2"),
)
DENSITY = Rule(
    "normal/density",
    ("fn",),
    r"\varphi(x) = \frac{e^{-x^2/2}}{\sqrt{2 \pi}}",
    "the normal density as the language writes it",
    _density,
    Example("normal_pdf(x[i, j])", "exp(-x[i, j]**2/2)/sqrt(2*pi)"),
)
SIGN = Rule(
    "sign/known",
    ("fn",),
    r"|x| = x \quad (x \ge 0)",
    "the sign is declared",
    _sign,
    Example("Abs(p[i])", "p[i]", "{p: {shape: [n], domain: positive}}"),
    needs=("sign",),
)
ABS_SIGN = Rule(
    "sign/abs",
    ("mul",),
    r"|x|\,\operatorname{sign} x = x, \quad \operatorname{sign}(x)/|x| = 1/x, \quad x \operatorname{sign} x = |x|",
    "modulus and sign make the number",
    _abs_times_sign,
    Example("Abs(x[i, j])*sign(x[i, j])", "x[i, j]"),
)
SQUARE_OF_ABS = Rule(
    "power/even",
    ("pow",),
    r"|x|^2 = x^2, \quad \lVert x \rVert^2 = \sum_j x_j^2",
    "an even power needs no modulus and no root",
    _square_of_abs,
    Example("norm(x[i, j], j)**2", "Sum(x[i, j]**2, j)"),
)
EVEN = Rule(
    "sign/even",
    ("pow", "fn", "red"),
    r"(x_j - x_i)^2 = (x_i - x_j)^2",
    "an even function does not see the sign",
    _even,
    Example("Abs(x[l, j] - x[i, j]) + Abs(x[i, j] - x[l, j])", "2*Abs(x[i, j] - x[l, j])"),
)
HYPERBOLIC = Rule(
    "tanh/ratio",
    ("mul",),
    r"\frac{\sinh x}{\cosh x} = \tanh x",
    "the ratio does not overflow",
    _hyperbolic,
    Example("sinh(x[i, j])/cosh(x[i, j])", "tanh(x[i, j])"),
)
ZERO_ONE = Rule(
    "fact/zero-one",
    ("pow",),
    r"t^2 = t \quad (t \in \{0, 1\})",
    "powers of 0 and 1 are themselves",
    _zero_one,
    Example("t[i]**2", "t[i]", "{x: [n], t: {shape: [n], domain: boolean, given: true}}"),
    needs=("domain",),
)

LOG_SIGMOID = Rule(
    "sigmoid/log",
    ("fn",),
    r"\log \sigma(-x) = \log(1 - \sigma(x))",
    "one sigmoid is enough",
    _log_sigmoid,
    Example("log_sigmoid(-x[i, j])", "log(1 - sigmoid(x[i, j]))"),
)


ZERO_ONE_FACTOR = Rule(
    "fact/zero-one-factor",
    ("mul",),
    r"v = t\,a \Rightarrow t\,v = v \quad (t \in \{0, 1\})",
    "the name holds the factor already",
    _zero_one_factor,
    Example(
        "t[i]*v[i]",
        "v[i]",
        "{x: [n], t: {shape: [n], domain: boolean, given: true}}",
        let="{'v[i]': 't[i]*exp(x[i])'}",
    ),
    needs=("domain",),
)

DEFINITION_RULES = (DEFINE, ONE_MINUS_SIGMOID)
ELEMENTARY = (
    SIGN,
    ABS_SIGN,
    SQUARE_OF_ABS,
    HYPERBOLIC,
    EVEN,
    *BRACKETS,
    *RANGES,
    *COMPARISONS,
    *CONDITIONS,
    ZERO_ONE,
    ZERO_ONE_FACTOR,
)
PEOPLE = (COMPLEMENT, SECH2)
DENSITIES = (DENSITY,)
NAMED_LOGARITHMS = (LOG_SIGMOID,)
"""For closed forms only: against the direction of `stabilize`."""

__all__ = ["DEFINITION_RULES", "DENSITIES", "ELEMENTARY", "NAMED_LOGARITHMS", "PEOPLE"]
