"""Forms that people prefer, for closed forms only: steps, moduli, ratios of logarithms."""

from __future__ import annotations

from fractions import Fraction

from symgrad.algebra.arithmetic import ODD
from symgrad.algebra.build import (
    add,
    compare,
    fn,
    mul,
    neg,
    open_reduction,
    power,
    rebuild,
    reduce,
    sub,
    substitute,
    where,
)
from symgrad.algebra.skeleton import skeleton
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    coefficient,
    factors_of,
    is_num,
    num,
    terms_of,
    value,
    walk,
)
from symgrad.algebra.weight import weight
from symgrad.closing.refold import comparisons_in, under_bracket
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.comparisons import MODULUS


def _heaviside(t: Term, context: Context) -> Term | None:
    """u [a < b] + (u + w)/2 [a == b] + w [b < a] = w + (u - w) H(b - a), H one half at 0."""
    if t.op != "add":
        return None
    for below in comparisons_in(t):
        a, b = below.args
        rest, u = under_bracket(t, below)
        rest, v = under_bracket(rest, compare("==", a, b))
        rest, w = under_bracket(rest, compare("<", b, a))
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


def _one_ratio(t: Term, context: Context) -> Term | None:
    """log(a_j/b_j) + sum_k c_k log(b_k/a_k) = log(a_j/b_j) - sum_k c_k log(a_k/b_k)."""
    ratios = [f for a in t.args for f in factors_of(a) if f.op == "fn" and f.data == "log" and f.args[0].op == "mul"]
    for ratio in ratios:
        turned = skeleton(power(ratio.args[0], MINUS_ONE))
        for a in t.args:
            if ratio not in factors_of(a) and any(_is_log_of(x, turned) for x in walk(a)):
                return add(_turned(a, turned, context), *(b for b in t.args if b is not a))
    return None


def _is_log_of(t: Term, argument: bytes) -> bool:
    return t.op == "fn" and t.data == "log" and skeleton(t.args[0]) == argument


def _turned(t: Term, argument: bytes, context: Context) -> Term:
    """The term with log x as -log(1/x) for every x with that skeleton."""
    if _is_log_of(t, argument):
        return neg(fn("log", power(t.args[0], MINUS_ONE)))
    if t.op == "red" and t.data == "sum":
        body, variables = open_reduction(t, context.fresh)
        c, rest = coefficient(_turned(body, argument, context))
        return mul(num(c), reduce("sum", rest, variables))
    if t.op in ("add", "mul"):
        return rebuild(t, tuple(_turned(a, argument, context) for a in t.args))
    return t


def _orient(t: Term, context: Context) -> Term | None:
    """(p - 1) (x - y) = (1 - p) (y - x), -where(c, q, q - 1) = where(c, -q, 1 - q)."""
    if coefficient(t)[0] < 0:
        for f in t.args:
            if f.op == "where" and any(_signs(b) == {True, False} and _takes_a_number(b) for b in f.args[1:]):
                c, a, b = f.args
                return mul(num(-1), where(c, neg(a), neg(b)), *(g for g in t.args if g is not f))
    mixed = [f for f in t.args if f.op == "add" and len(_signs(f)) == 2]
    negative = [f for f in mixed if any(is_num(a) and value(a) < 0 for a in f.args)]
    plain = [f for f in mixed if not any(is_num(a) for a in f.args)]
    if not negative or not plain:
        return None
    rest = [f for f in t.args if f is not negative[0] and f is not plain[0]]
    return mul(neg(negative[0]), neg(plain[0]), *rest)


def _takes_a_number(t: Term) -> bool:
    """Whether a number is taken away: q - 1."""
    return t.op == "add" and any(is_num(a) and value(a) < 0 for a in t.args)


def _gathered(t: Term, context: Context) -> Term | None:
    """[j == t_i] f(t_i) = [j == t_i] f(j), where that is shorter."""
    brackets = [f.args[0] for f in t.args if f.op == "iv"] if t.op == "mul" else [t.args[0]]
    for c in brackets:
        if c.op != "cmp" or c.data != "==":
            continue
        for j, access in (c.args, c.args[::-1]):
            if j.op == "idx" and access.op == "get":
                new = _with_index(t, access, j) if t.op == "mul" else _branch_with_index(t, access, j)
                if weight(new) < weight(t):
                    return new
    return None


def _with_index(t: Term, access: Term, j: Term) -> Term:
    return mul(*(f if f.op == "iv" else substitute(f, {access: j}) for f in t.args))


def _branch_with_index(t: Term, access: Term, j: Term) -> Term:
    return where(t.args[0], substitute(t.args[1], {access: j}), t.args[2])


def _odd(t: Term, context: Context) -> Term | None:
    """-f(x - y) = f(y - x) for an odd f."""
    if coefficient(t)[0] >= 0:
        return None
    for f in t.args:
        if f.op == "fn" and f.data in ODD and f.args[0].op == "add" and len(_signs(f.args[0])) == 2:
            return mul(num(-1), fn(str(f.data), neg(f.args[0])), *(g for g in t.args if g is not f))
    return None


def _signs(t: Term) -> set[bool]:
    return {coefficient(a)[0] < 0 for a in terms_of(t)}


def _tanh(t: Term, context: Context) -> Term | None:
    """2 k sigmoid(x) - k = k tanh(x/2), where x/2 is no longer than x."""
    number = next((a for a in t.args if is_num(a)), None)
    for a in t.args:
        c, s = coefficient(a)
        if number is None or s.op != "fn" or s.data != "sigmoid" or c != -2 * value(number):
            continue
        half = add(*(mul(HALF, x) for x in terms_of(s.args[0])))
        if weight(half) <= weight(s.args[0]):
            return add(mul(neg(number), fn("tanh", half)), *(b for b in t.args if b is not a and b is not number))
    return None


HEAVISIDE = Rule(
    "function/heaviside",
    ("add",),
    r"[a < b] + \tfrac12 [a = b] = \operatorname{H}(b - a)",
    "a step that is one half at its tie",
    _heaviside,
    Example("where(x[i, j] < z[i, j], 1, 0) + where(x[i, j] == z[i, j], 1, 0)/2", "Heaviside(z[i, j] - x[i, j], 1/2)"),
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
ONE_RATIO = Rule(
    "log/ratio",
    ("add",),
    r"\log\frac{a}{b} + \sum_k c_k \log\frac{b_k}{a_k} = \log\frac{a}{b} - \sum_k c_k \log\frac{a_k}{b_k}",
    "one ratio, one way round",
    _one_ratio,
    Example(
        "log(p[i]/q[i]) + Sum(x[l, 0]*log(q[l]/p[l]), l)",
        "log(p[i]/q[i]) - Sum(x[l, 0]*log(p[l]/q[l]), l)",
        "{x: [n, c], p: {shape: [n], domain: positive}, q: {shape: [n], domain: positive}}",
    ),
)
ODD_ARGUMENT = Rule(
    "function/odd",
    ("mul",),
    r"-\tanh(x - y) = \tanh(y - x)",
    "an odd function takes the sign in",
    _odd,
    Example("-z[i, j]*tanh(x[i, j] - w[i, j])", "z[i, j]*tanh(w[i, j] - x[i, j])"),
)
ORIENT = Rule(
    "sign/orient",
    ("mul",),
    r"(p - 1)\,(x - y) = (1 - p)\,(y - x)",
    "one minus something, as people write it",
    _orient,
    Example("(z[i, j] - 1)*(x[i, j] - w[i, j])", "(1 - z[i, j])*(w[i, j] - x[i, j])"),
)
GATHERED = Rule(
    "delta/gathered",
    ("mul", "where"),
    r"[j = t_i]\,f(t_i) = [j = t_i]\,f(j)",
    "under a delta its two sides are the same",
    _gathered,
    Example(
        "where(j == t[i], exp(x[i, t[i]] - logsumexp(x[i, j], j)), 0)",
        "where(j == t[i], softmax(x[i, j], j), 0)",
        "{x: [n, c], t: {shape: [n], dtype: int, domain: 'integer(0, c - 1)'}}",
    ),
)
TANH = Rule(
    "tanh/sigmoid",
    ("add",),
    r"2\,\sigma(2 x) - 1 = \tanh x",
    "a sigmoid between -1 and 1 is a hyperbolic tangent",
    _tanh,
    Example("2*sigmoid(2*x[i, j]) - 1", "tanh(x[i, j])"),
)
STEPS = (HEAVISIDE, OTHER_STEP, MODULUS, ORIENT, GATHERED, TANH, ODD_ARGUMENT, JOIN_LOGARITHMS, ONE_RATIO)

__all__ = ["GATHERED", "STEPS"]
