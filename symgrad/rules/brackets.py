"""Laws of brackets and branches: conditions that are known, excluded or implied."""

from __future__ import annotations

from symgrad.algebra.build import add, assume, compare, exp, fn, iverson, mul, neg, negation, rebuild
from symgrad.algebra.show import softmax_parts
from symgrad.algebra.terms import (
    INFINITY,
    ZERO,
    Term,
    base_exponent,
    coefficient,
    is_num,
    terms_of,
    value,
    walk,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _masked_exponential(t: Term, context: Context) -> Term | None:
    """e^(where(c, a, -oo) + b) = [c] e^(a + b), unless it is a whole softmax."""
    if t.op != "fn" or t.data != "exp" or softmax_parts(t.args[0]) is not None:
        return None
    for a in terms_of(t.args[0]):
        if a.op == "where" and neg(INFINITY) in a.args[1:]:
            first = a.args[2] is neg(INFINITY)
            c = a.args[0] if first else negation(a.args[0])
            return mul(iverson(c), exp(add(t.args[0], neg(a), a.args[1] if first else a.args[2])))
    return None


def _relu_under_bracket(t: Term, context: Context) -> Term | None:
    """[x > 0] relu(x) = relu(x), and the same of max(0, x); [x == 0] relu(x) = 0."""
    if t.op != "mul":
        return None
    for f in t.args:
        b = f.args[0] if f.op == "pow" else f
        positive = b.op == "fn" and (b.data == "relu" or (b.data == "Max" and ZERO in b.args))
        if positive and (f is b or context.is_nonnegative(f.args[1])):
            x = next(a for a in b.args if a is not ZERO)
            if iverson(compare("==", ZERO, x)) in t.args and (f is b or context.is_positive(f.args[1])):
                return ZERO
            bracket = iverson(compare("<", ZERO, x))
            if bracket in t.args:
                return mul(*(g for g in t.args if g is not bracket))
    return None


def _is_endless_where_zero(t: Term, x: Term) -> bool:
    """Whether a factor of x does not make the term 0 where x is: b**(x - 1) where b is 0 too, and log(x)."""
    if t.op == "pow":
        return any(x is y for y in walk(t.args[1]))
    return t.op == "fn" and t.data == "log" and t.args[0] is x


def _length_of_nothing(t: Term, context: Context) -> Term | None:
    c = t.args[0]
    if c.op != "cmp" or c.data != "!=" or ZERO not in c.args:
        return None
    x = next(a for a in c.args if a is not ZERO)
    if x.op != "get" or len(set(x.args)) == len(x.args):
        return None
    body = context.body(x)
    return ZERO if body is not None and body.op == "red" and body.data == "norm" and body.args[0] is ZERO else None


def _square_of_sign(t: Term, context: Context) -> Term | None:
    """[a < |x|] sign(x)**2 = [a < |x|] where a >= 0: x is not 0 there."""
    if t.op != "mul":
        return None
    brackets = [f.args[0] for f in t.args if f.op == "iv"]
    for f in t.args if brackets else ():
        b, e = base_exponent(f)
        even = is_num(e) and value(e) > 0 and value(e) % 2 == 0
        if even and b.op == "fn" and b.data == "sign" and any(_excludes_zero(c, b.args[0], context) for c in brackets):
            return mul(*(g for g in t.args if g is not f))
    return None


def _excludes_zero(c: Term, x: Term, context: Context) -> bool:
    """Whether a condition says that x is not 0."""
    if c.op == "and":
        return any(_excludes_zero(a, x, context) for a in c.args)
    if c.op != "cmp" or c.data not in ("<", "!="):
        return False
    low, high = c.args
    if c.data == "!=":
        return {low, high} == {x, ZERO}
    above = high in (x, fn("Abs", x)) and context.is_nonnegative(low)
    return above or (low is x and context.is_nonnegative(neg(high)))


def _guard_norm(t: Term, context: Context) -> Term | None:
    """[norm x != 0] norm x = norm x."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "!=" and ZERO in f.args[0].args:
            x = next((a for a in f.args[0].args if a is not ZERO), ZERO)
            rest = mul(*(g for g in t.args if g is not f))
            if any(_is_endless_where_zero(p, x) for p in walk(rest)):
                continue
            if not any(g.op == "pow" and g.args[0] is x and coefficient(g.args[1])[0] < 0 for g in t.args):
                return rest if any(g is x or (g.op == "pow" and g.args[0] is x) for g in t.args) else None
    return None


def _bracket_of_branches(t: Term, context: Context) -> Term | None:
    """[c] where(c, a, b) = [c] a, and [c][not c] = 0."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op != "iv":
            continue
        c = f.args[0]
        for g in t.args:
            if g.op == "where" and g.args[0] in (c, negation(c)):
                taken = g.args[1] if g.args[0] is c else g.args[2]
                return mul(taken, *(h for h in t.args if h is not g))
            if g.op == "iv" and g.args[0] is negation(c):
                return ZERO
    return None


def _bracket_inside(t: Term, context: Context) -> Term | None:
    """[c] f([c] x) = [c] f(x)."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv":
            rest = mul(*(g for g in t.args if g is not f))
            new = _given(rest, f.args[0])
            if new is not rest:
                return mul(f, new)
    return None


def _given(t: Term, c: Term) -> Term:
    """The term where c holds: brackets and branches on c are decided, also inside of functions."""
    if t.op in ("iv", "where") and t.args[0] in (c, negation(c)):
        return assume(t, c, True)
    if t.op not in ("mul", "add", "pow", "fn"):
        return t
    return rebuild(t, tuple(_given(a, c) for a in t.args))


def _comparison_excludes(t: Term, context: Context) -> Term | None:
    """[a < b][b < a] = 0, [a < b][a == b] = 0, [a <= b][b <= a] = [a == b]."""
    if t.op != "mul":
        return None
    brackets = [f for f in t.args if f.op == "iv" and f.args[0].op == "cmp"]
    for k, f in enumerate(brackets):
        for g in brackets[k + 1 :]:
            both = _both(f.args[0], g.args[0])
            if both is not None:
                return mul(both, *(h for h in t.args if h is not f and h is not g))
    return None


def _both(a: Term, b: Term) -> Term | None:
    if frozenset(a.args) != frozenset(b.args) or a is b:
        return None
    kinds = (str(a.data), str(b.data))
    flipped = a.args != b.args
    if "==" in kinds:
        other = kinds[0] if kinds[1] == "==" else kinds[1]
        return iverson(compare("==", *a.args)) if other == "<=" else ZERO
    if "!=" in kinds:
        c = a if kinds[1] == "!=" else b
        return iverson(c if c.data == "<" else compare("<", *c.args))
    if kinds == ("<=", "<="):
        return iverson(compare("==", *a.args)) if flipped else None
    if kinds == ("<", "<") or flipped:
        return ZERO
    return iverson(a if a.data == "<" else b)


def support(t: Term, context: Context) -> list[Term]:
    """Conditions outside of which the term is 0."""
    if t.op == "mul":
        return [c for f in t.args for c in support(f, context)]
    if t.op == "iv":
        return [t.args[0]]
    if t.op == "fn" and t.data == "exp":
        summands = [_unfolded(a, context) for a in terms_of(t.args[0])]
        masked = [a for a in summands if a.op == "where" and a.args[2] is neg(INFINITY)]
        held = [a.args[0] for a in masked] + [
            negation(a.args[0]) for a in summands if a.op == "where" and a.args[1] is neg(INFINITY)
        ]
        return [part for c in held for part in (c, *(c.args if c.op == "and" else ()))]
    if t.op == "get" and (body := context.body(t)) is not None:
        return support(body, context)
    return []


def _unfolded(t: Term, context: Context) -> Term:
    body = context.body(t) if t.op == "get" else None
    return t if body is None else _unfolded(body, context)


def _absorb_bracket(t: Term, context: Context) -> Term | None:
    """[c] f = f where f is 0 unless c."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv":
            for g in t.args:
                if g is not f and f.args[0] in support(g, context) and g.op != "iv":
                    return mul(*(h for h in t.args if h is not f))
    return None


def _bracket_of_factor(t: Term, context: Context) -> Term | None:
    """[0 < x] x = x for x >= 0, where no other factor is undefined at 0."""
    if t.op != "mul":
        return None
    for f in t.args:
        if f.op == "iv" and f.args[0].op == "cmp" and f.args[0].data == "<" and f.args[0].args[0] is ZERO:
            x = f.args[0].args[1]
            rest = [g for g in t.args if g is not f]
            if x in rest and context.is_nonnegative(x) and not any(_may_be_undefined(g, x) for g in rest):
                return mul(*rest)
    return None


def _may_be_undefined(t: Term, x: Term) -> bool:
    """Whether the term holds x under a function that is not defined everywhere."""
    return any(y.op in ("pow", "fn") and x in walk(y) for y in walk(t))


BRACKET = Rule(
    "bracket/branch",
    ("mul",),
    r"[c]\,\begin{cases} a & c \\ b & \text{else} \end{cases} = [c]\,a",
    "the branch is known",
    _bracket_of_branches,
    Example("where(x[i, j] > 0, 1, 0)*where(x[i, j] > 0, z[i, j], w[i, j])", "where(x[i, j] > 0, z[i, j], 0)"),
)
BRACKET_INSIDE = Rule(
    "bracket/inside",
    ("mul",),
    r"[c]\,f([c]\,x) = [c]\,f(x)",
    "the condition is known",
    _bracket_inside,
    Example("where(x[i, j] > 0, exp(where(x[i, j] > 0, z[i, j], 0)), 0)", "where(x[i, j] > 0, exp(z[i, j]), 0)"),
)
EXCLUDE = Rule(
    "bracket/exclude",
    ("mul",),
    r"[a < b]\,[b < a] = 0",
    "conditions that exclude each other",
    _comparison_excludes,
    Example("where(x[i, j] > 0, 1, 0)*where(x[i, j] < 0, 1, 0)", "0"),
)
ABSORB = Rule(
    "bracket/absorb",
    ("mul",),
    r"[c]\,e^{x} = e^{x} \quad (x = -\infty \text{ unless } c)",
    "a masked value is 0 already",
    _absorb_bracket,
    Example(
        "where(j <= i, exp(Piecewise((x[i, j], j <= i), (-oo, True))), 0)",
        "exp(Piecewise((x[i, j], j <= i), (-oo, True)))",
    ),
)
GUARD_NORM = Rule(
    "norm/guard",
    ("mul",),
    r"[\lVert x \rVert \ne 0]\,\lVert x \rVert = \lVert x \rVert",
    "nothing is divided by the norm any more",
    _guard_norm,
    Example("where(norm(x[i, j], j) != 0, norm(x[i, j], j), 0)", "norm(x[i, j], j)"),
)
LENGTH_OF_NOTHING = Rule(
    "norm/of-nothing",
    ("iv",),
    r"[\lVert x_i - x_i \rVert \ne 0] = 0",
    "a point is at no distance from itself",
    _length_of_nothing,
    Example("where(l[i, i] != 0, x[i, j], 0)", "0", let="{'l[i, k]': 'norm(x[i, j] - x[k, j], j)'}"),
)
NONNEGATIVE_FACTOR = Rule(
    "bracket/factor",
    ("mul",),
    r"[x > 0]\,x = x \quad (x \ge 0)",
    "the factor is 0 where the condition fails",
    _bracket_of_factor,
    Example("where(p[i] > 0, p[i], 0)", "p[i]", "{x: [n], p: {shape: [n], domain: nonnegative, given: true}}"),
    needs=("sign",),
)
RELU_BRACKET = Rule(
    "bracket/relu",
    ("mul",),
    r"[x > 0]\,\operatorname{relu} x = \operatorname{relu} x",
    "relu is 0 where the condition fails",
    _relu_under_bracket,
    Example("where(x[i, j] > 0, relu(x[i, j]), 0)", "relu(x[i, j])"),
)
MASKED_EXPONENTIAL = Rule(
    "bracket/exp",
    ("fn",),
    r"e^{x} = [c]\,e^{a} \quad (x = a \text{ if } c, \text{ else } {-\infty})",
    "a masked exponential is 0",
    _masked_exponential,
    Example("exp(Piecewise((x[i, j], j <= i), (-oo, True)))", "where(j <= i, exp(x[i, j]), 0)"),
)
SQUARE_OF_SIGN = Rule(
    "bracket/sign",
    ("mul",),
    r"[a < |x|]\,\operatorname{sign}(x)^2 = [a < |x|], \quad a \ge 0",
    "what is beyond a bound is not 0",
    _square_of_sign,
    Example(
        "where(a < Abs(x[i, j]), x[i, j]*sign(x[i, j])**2, 0)",
        "where(a < Abs(x[i, j]), x[i, j], 0)",
        parameters="{a: {value: 0.5, domain: nonnegative}}",
    ),
    needs=("sign",),
)
BRACKETS = (
    RELU_BRACKET, SQUARE_OF_SIGN, ABSORB, BRACKET, BRACKET_INSIDE, EXCLUDE, NONNEGATIVE_FACTOR, GUARD_NORM,
    LENGTH_OF_NOTHING,
)  # fmt: skip
