"""Facts fire on sums: declared equations, sums that are 1 by normalization, and those that are found to be 0.

t[i, j] sums to 1 over j; exp(x - lse x) does; sum (x - mean x) is 0, whole and in part.
"""

from __future__ import annotations

from symgrad.algebra.build import exp, mul, open_reduction, reduce, sub, substitute
from symgrad.algebra.match import Matcher
from symgrad.algebra.terms import (
    Term,
    by_name,
    coefficient,
    extent,
    factors_of,
    terms_of,
)
from symgrad.algebra.weight import weight
from symgrad.closing.fold import folding
from symgrad.closing.symmetry import SYMMETRIC, declared_symmetric
from symgrad.formula.program import Fact
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Example, Rule
from symgrad.rules.sums import EXPAND


def fact_rules(context: Context) -> tuple[Rule, ...]:
    """Declared equations as rules: the heavier side becomes the lighter one."""
    return (*_declared(context), SYMMETRIC, NORMALIZED, INFERRED, PARTIAL)


def _declared(context: Context) -> tuple[Rule, ...]:
    if context.declared is None:
        rules = []
        for f in context.program.facts:
            c = f.condition
            if f.usable and c.op == "cmp" and c.data == "==" and not declared_symmetric(f):
                a, b = sorted(c.args, key=lambda t: (-weight(t), t.digest))
                if a.tensors:
                    rules.append(_fact_rule(f, a, b, context))
        context.declared = tuple(rules)
    return context.declared


def _fact_rule(f: Fact, a: Term, b: Term, context: Context) -> Rule:
    matcher = Matcher(frozenset(by_name(a.free)), context.fresh)

    def match(t: Term, context: Context) -> Term | None:
        if t.op != a.op or t.data != a.data:
            return None
        for binding in matcher.unify(a, t):
            if all(binding[i].op != "idx" or extent(binding[i]) is extent(i) for i in binding):
                context.used[f] = None
                return substitute(b, binding)
        return None

    return Rule("fact/declared", (a.op,), FACT.law, f.text, match, FACT.example, ("fact",))


FACT = Rule(
    "fact/declared",
    ("red",),
    r"\sum_j t_j = 1",
    "a declared fact",
    lambda t, context: None,
    Example("Sum(t[i, j], j)", "1", "{z: [n, c], t: {shape: [n, c], domain: simplex, given: true}}"),
    needs=("fact",),
)


def _normalized(t: Term, context: Context) -> Term | None:
    """exp(-lse f) * sum_j exp(f_j) = 1."""
    if t.op != "mul":
        return None
    e = next((f for f in t.args if f.op == "fn" and f.data == "exp"), None)
    if e is None:
        return None
    for f in t.args:
        if f.op == "red" and f.data == "sum" and f.args[0].op == "fn" and f.args[0].data == "exp":
            wanted = _lse_of(f, context)
            for a in terms_of(e.args[0]):
                c, r = coefficient(a)
                if c == -1 and (r is wanted or (r.op == "get" and context.body(r) is wanted)):
                    return mul(exp(sub(e.args[0], a)), *(g for g in t.args if g is not f and g is not e))
    return None


def _lse_of(t: Term, context: Context) -> Term:
    body, variables = open_reduction(t, context.fresh)
    return reduce("lse", body.args[0], variables)


NORMALIZED = Rule(
    "fact/normalized",
    ("mul",),
    r"\sum_j e^{z_j - \operatorname{lse}(z)} = 1",
    "softmax sums to one",
    _normalized,
    Example("exp(-logsumexp(x[i, j], j))*Sum(exp(x[i, j]), j)", "1"),
)


def _inferred(t: Term, context: Context) -> Term | None:
    """sum_j v_j for a named v, from its definition: 0 for centered values, 1 for a softmax."""
    if t.op != "red" or t.data != "sum" or t.args[0].op != "get":
        return None
    name = str(t.args[0].data)
    if name not in context.definitions or any(v not in t.args[0].args for v in t.args[1:]):
        return None
    if t in context.inferred:
        return context.inferred[t]
    body, variables = open_reduction(t, context.fresh)
    definition = context.body(body)
    assert definition is not None
    context.inferred[t] = None
    with context.quietly():
        unfolded = rewrite(reduce("sum", definition, variables), _INFERENCE, context)
        for s in reversed(list(context.definitions.values())):
            if s.name != name and (f := folding(s, context)) is not None and f.pivot.op == "red":
                unfolded = rewrite(rewrite(unfolded, f.rules, context), _INFERENCE, context)
    result = (
        unfolded if not unfolded.tensors or (weight(unfolded) < weight(t) and unfolded.op in ("num", "dim")) else None
    )
    context.inferred[t] = result
    return result


INFERRED = Rule(
    "fact/inferred",
    ("red",),
    r"\sum_j \bigl(x_j - \tfrac1n \sum_k x_k\bigr) = 0",
    "it follows from the definition of the name",
    _inferred,
    Example("Sum(u[i, j], j)", "0", let="{'u[i, j]': 'x[i, j] - Sum(x[i, k], k)/c'}"),
)


def _partial(t: Term, context: Context) -> Term | None:
    """sum_{i,j} a_i v_ij = sum_i a_i (sum_j v_ij), where the inner sum is known."""
    if t.data != "sum" or len(t.args) < 3:
        return None
    body, variables = open_reduction(t, context.fresh)
    factors = factors_of(body)
    for v in variables:
        holding = [f for f in factors if v in f.free]
        if len(holding) != 1 or holding[0].op != "get" or not holding[0].free & frozenset(variables) - {v}:
            continue  # a factor of its own leaves the sum by itself
        inner = reduce("sum", holding[0], [v])
        for rule in (*_declared(context), INFERRED):
            known = rule.match(inner, context)
            if known is not None:
                rest = mul(known, *(f for f in factors if f is not holding[0]))
                return reduce("sum", rest, [w for w in variables if w is not v])
    return None


PARTIAL = Rule(
    "fact/partial",
    ("red",),
    r"\sum_{i,j} a_i\,t_{ij} = \sum_i a_i \quad \Bigl(\sum_j t_{ij} = 1\Bigr)",
    "the sum over one of the indices is known",
    _partial,
    Example("Sum(x[i, 0]*u[i, j], i, j)", "0", let="{'u[i, j]': 'x[i, j] - Sum(x[i, k], k)/c'}"),
)

_INFERENCE = (*EXPAND, NORMALIZED, INFERRED, PARTIAL)

__all__ = ["FACT", "INFERRED", "NORMALIZED", "PARTIAL", "fact_rules"]
