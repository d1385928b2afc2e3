"""Exponentials that meet, and what is left of one beside a line: for kernels alone."""

from __future__ import annotations

from fractions import Fraction

from symgrad.algebra.build import add, fn, mul, substitute
from symgrad.algebra.terms import Term, coefficient, factors_of, is_access, is_num, num, terms_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule

MOST_TERMS = 4
"""Terms of a sum that an exponential is multiplied into."""


def _joined(t: Term, context: Context) -> Term | None:
    """e^-u (e^v + z) = e^(v - u) + e^-u z, the sum or product with e^v by itself or by name."""
    for f in t.args:
        sign = _sign(f)
        for g in t.args if sign else ():
            body = _body(g, context) if g is not f else None
            if body is None or len(terms_of(body)) > MOST_TERMS:
                continue
            if any(_sign(h) == -sign for a in terms_of(body) for h in factors_of(a)):
                rest = mul(*(h for h in t.args if h is not g))
                return add(*(mul(a, rest) for a in terms_of(body)))
    return None


def _sign(t: Term) -> int:
    """1 where a term is e^x, -1 where it is e^-x, 0 for others: one grows where the other vanishes."""
    if t.op != "fn" or t.data != "exp" or t.args[0].op == "add":
        return 0
    c, x = coefficient(t.args[0])
    return (1 if c > 0 else -1) if x.tensors else 0


def _body(t: Term, context: Context) -> Term | None:
    """A sum, or what a name stands for."""
    if not is_access(t):
        return t if t.op == "add" else None
    adjoint = context.adjoints.get(str(t.data))
    if adjoint is None:
        return context.body(t)
    return substitute(adjoint.body, dict(zip(adjoint.indices, t.args, strict=True)))


def _unnamed(t: Term, context: Context) -> Term | None:
    """w*q = w*c*e^x for an adjoint q = c*e^x: the exponential may vanish before the product does."""
    for q in t.args:
        adjoint = context.adjoints.get(str(q.data)) if is_access(q) else None
        parts = factors_of(adjoint.body) if adjoint is not None else ()
        if any(map(_sign, parts)) and all(_sign(f) or is_num(f) or is_access(f) for f in parts):
            body = _body(q, context)
            return None if body is None else mul(body, *(f for f in t.args if f is not q))
    return None


def _rest(t: Term, context: Context) -> Term | None:
    """expm1(x) - x, where x may be a sum itself."""
    for a in t.args:
        c, f = coefficient(a)
        if f.op != "fn" or f.data != "expm1":
            continue
        line = frozenset(_line(-c, f.args[0], context))
        if line <= frozenset(t.args):
            return add(mul(num(c), fn("exp_rest", f.args[0])), *(x for x in t.args if x is not a and x not in line))
    return None


def _line(c: Fraction, x: Term, context: Context) -> tuple[Term, ...]:
    """The terms of c*x, names of sums written out."""
    k, r = coefficient(x)
    body = context.body(r) if r.op == "get" else None
    parts = terms_of(body if body is not None and body.op == "add" else r)
    return tuple(mul(num(c * k), a) for a in parts)


EXPONENTIALS = (
    Rule(
        "machine/exponentials-meet",
        ("mul",),
        r"e^{-x} (e^{z} + w) = e^{z - x} + e^{-x} w",
        "one may vanish where the other is infinite",
        _joined,
        Example("exp(-x[i, j])*(exp(z[i, j]) + w[i, j])", "exp(z[i, j] - x[i, j]) + exp(-x[i, j])*w[i, j]"),
    ),
    Rule(
        "machine/named-exponential",
        ("mul",),
        r"\bar{x} = c\,e^{z} \Rightarrow w\,\bar{x} = c\,w\,e^{z}",
        "an exponential by a name of its own may vanish before the product does",
        _unnamed,
        Example("dv[i, j]*z[i, j]", "w[i, j]*exp(-x[i, j])*z[i, j]", let="{'dv[i, j]': 'w[i, j]*exp(-x[i, j])'}"),
    ),
    Rule(
        "machine/exponential-rest",
        ("add",),
        r"\operatorname{expm1} x - x = e^{x} - 1 - x",
        "nothing cancels where x is small",
        _rest,
        Example("z[i, j] + expm1(x[i, j]) - x[i, j]", "z[i, j] + exp_rest(x[i, j])"),
    ),
)
