"""Mistakes at a spot of a closed form: what people write there instead, in words, and how simple it is.

a + b  ->  a;    f[i]*g[i]  ->  f[i], f[i]**2*g[i], f[i]/g[i];    Sum(a[i, j], i)  ->  Sum(a[i, j], j), a[j, j], ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from symgrad.algebra.build import (
    add,
    div,
    fn,
    iverson,
    mul,
    neg,
    negation,
    power,
    reduce,
)
from symgrad.algebra.show import show
from symgrad.algebra.terms import (
    HALF,
    MINUS_ONE,
    ONE,
    TWO,
    ZERO,
    Term,
    extent,
    get,
    is_access,
    mat,
    matrix_of,
    node,
    num,
    value,
    walk,
)
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import accesses
from symgrad.handwritten.reductions import of_reduction
from symgrad.handwritten.scenes import is_batch
from symgrad.handwritten.spots import Spot, is_switch, shown

SMALL_NUMBER = Fraction(1, 100)
ADDED = tuple(num(Fraction(1, 10**k)) for k in (8, 6, 5, 4, 3, 2, 7, 10, 12))
"""What people add to a denominator."""

Local = tuple[str, str, Term, int]
"""Kind, words, another term, cost."""


def mistakes_at(spot: Spot, program: Program) -> Iterator[Local]:
    """Kind, words, what stands there instead, and a cost: simpler ones are tried first."""
    t = spot.term
    yield from _OF.get(t.op, _nothing)(spot, program)
    if t.op not in ("num", "dim") and t is not ONE:
        if spot.under is None or spot.under.op in ("add", "red", "fn", "pow") or t.op in ("add", "red", "fn"):
            yield "sign", f"the sign of {shown(t)} is flipped", neg(t), 8
        for c, text in ((TWO, "2 times"), (HALF, "half of")) if spot.under is None or spot.under.op == "add" else ():
            yield "factor", f"{text} {shown(t)}", mul(c, t), 12


def _nothing(spot: Spot, program: Program) -> Iterator[Local]:
    return iter(())


def _sum(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    for k, a in enumerate(t.args):
        rest = add(*t.args[:k], *t.args[k + 1 :])
        kind = "epsilon" if _is_small(a) else "missing_term"
        if not (len(t.args) == 2 and rest is ONE):
            of = f" of {shown(t)}" if a.op == "num" else ""
            yield kind, f"the term {shown(a)}{of} is missing", rest, 2
    if len(t.args) == 2 and any(a.op == "num" for a in t.args):
        a = next(a for a in t.args if a.op != "num")
        yield "missing_term", f"{shown(t)} is not there", ONE, 9


def _product(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    for k, f in enumerate(t.args):
        rest = mul(*t.args[:k], *t.args[k + 1 :])
        if f is MINUS_ONE:
            continue
        cotangent = _is_cotangent(f, program)
        missing = "missing_factor" if f.tensors or any(x.op == "par" for x in walk(f)) else "factor"
        if f.op in ("iv", "where"):
            yield "region", f"the condition {shown(f.args[0])} is left out", rest, 3
            continue
        if is_switch(f):
            yield "region", f"the condition is left out: wrong where {shown(f)} is not 1", rest, 3
            continue
        yield ("upstream" if cotangent else missing), _without(f, cotangent), rest, 3
        if f.op != "num" and f.tensors:
            yield "extra_factor", f"divided by {shown(f)} instead of multiplied", div(rest, f), 14
        elif f.op != "num":
            yield "factor", f"divided by {shown(f)} instead of multiplied", div(rest, f), 14
        if f.op != "num":
            yield ("upstream" if cotangent else "extra_factor"), _twice(f, cotangent), mul(t, f), 6
    below = [f for f in t.args if f.op == "pow" and f.args[1] is MINUS_ONE and f.tensors]
    if len(below) > 1:
        whole, rest = mul(*(f.args[0] for f in below)), mul(*(f for f in t.args if f not in below))
        for c in ADDED:
            yield "epsilon", f"{show(c)} is added to {shown(whole)}, which is divided by", div(rest, add(whole, c)), 26


def _without(f: Term, cotangent: bool) -> str:
    return f"the upstream {shown(f)} is ignored" if cotangent else f"the factor {shown(f)} is missing"


def _twice(f: Term, cotangent: bool) -> str:
    if cotangent:
        return f"the upstream {shown(f)} is applied twice"
    return f"an extra factor {shown(f)}: it is applied twice"


def _access(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    if _is_cotangent(t, program) and (spot.under is None or spot.under.op != "mul"):
        yield "upstream", _without(t, True), ONE, 3
        yield "upstream", _twice(t, True), power(t, TWO), 6
    elif spot.under is None or spot.under.op not in ("mul", "pow"):
        yield "extra_factor", _twice(t, False), power(t, TWO), 10
        yield "missing_factor", f"the factor {shown(t)} is missing", ONE, 10
    for a in range(len(t.args)):
        for b in range(a + 1, len(t.args)):
            if _extent_of(t.args[a]) is not None and _extent_of(t.args[a]) is _extent_of(t.args[b]):
                swapped = list(t.args)
                swapped[a], swapped[b] = swapped[b], swapped[a]
                yield "transposed", f"{t.data} is transposed in {shown(t)}", node(t.op, tuple(swapped), t.data), 4
    for k in t.args if all(x.op == "idx" for x in t.args) else ():
        if not is_batch(k):
            text = f"{t.data} is summed over the axis {show(extent(k))} in {shown(t)}"
            yield "wrong_axis", text, reduce("sum", t, [k]), 22
    for other in accesses(program, t.args) if all(x.op == "idx" for x in t.args) else ():
        if other is not t and len(other.args) == len(t.args):
            kind = "extra_factor" if spot.under is None or spot.under.op in ("mul", "red") else "extra_term"
            yield kind, f"{shown(other)} stands in place of {shown(t)}", other, 30


def _matrix(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    function, name = matrix_of(t)
    if len(t.args) >= 3:
        *lead, a, b, size = t.args
        yield "transposed", f"{function}({name}) is transposed", mat(function, name, (*lead, b, a), size), 4
        yield "factor", f"{name} stands in place of its inverse", get(name, (*lead, a, b)), 20


def _extent_of(t: Term) -> Term | None:
    return extent(t) if t.op == "idx" and not is_batch(t) else None


def _power(spot: Spot, program: Program) -> Iterator[Local]:
    b, e = spot.term.args
    inverse = e.op == "num" and value(e) < 0
    more = f": the division by {shown(b)}" if inverse else ""
    if b.op == "dim" and e is MINUS_ONE:
        less = add(b, MINUS_ONE)
        for other in (fn("Max", less, ONE), less):
            yield "factor", f"divided by {shown(less)} instead of {shown(b)}", power(other, e), 6
    yield "missing_factor", f"the factor {shown(spot.term)} is missing{more}", ONE, 5
    yield "extra_factor", f"an extra factor {shown(b)}", power(b, add(e, ONE)), 7
    if e is not TWO:
        yield "missing_factor", f"a factor {shown(b)} is missing", power(b, add(e, MINUS_ONE)), 7
    else:
        yield "missing_factor", f"a factor {shown(b)} is missing", b, 6
    if not (e.op == "num" and e.data == Fraction(1, 2)):
        yield "factor", f"the square root of {shown(spot.term)} in place of it", power(b, mul(HALF, e)), 15
    yield "factor", f"the square of {shown(spot.term)} in place of it", power(b, mul(TWO, e)), 15
    if inverse or e is HALF:
        for c in ADDED:
            yield "epsilon", f"{show(c)} is added to {shown(b)} in {shown(spot.term)}", power(add(b, c), e), 25
    if b.op == "add" and any(_is_small(a) for a in b.args):
        small = [a for a in b.args if _is_small(a)]
        rest = add(*(a for a in b.args if not _is_small(a)))
        half = e if e.op != "num" else num(abs(value(e)))
        whole = add(power(rest, half), *small)
        inverse_sign = ONE if half is e else MINUS_ONE
        text = f"{shown(small[0])} stands outside of the root, in {shown(spot.term)}"
        yield "epsilon", text, power(whole, inverse_sign), 5


def _number(spot: Spot, program: Program) -> Iterator[Local]:
    if _is_small(spot.term):
        yield "epsilon", f"{shown(spot.term)} is missing", ZERO, 3


def _function(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    if spot.under is not None and spot.under.op == "mul":
        return
    yield "missing_factor", f"{shown(t)} is missing", ONE, 9


def _where(spot: Spot, program: Program) -> Iterator[Local]:
    c, a, b = spot.term.args
    yield "region", f"the branches of {shown(spot.term)} are swapped", node("where", (c, b, a)), 5
    if a is not ZERO:
        yield "region", f"the branch of {shown(c)} is left out", b, 8
    yield "region", f"the condition {shown(c)} is left out", a, 8


def _bracket(spot: Spot, program: Program) -> Iterator[Local]:
    c = spot.term.args[0]
    yield "region", f"the condition {shown(c)} is left out", ONE, 4
    yield "region", f"the condition {shown(c)} is turned around", iverson(negation(c)), 5


_OF: dict[str, Callable[[Spot, Program], Iterator[Local]]] = {
    "add": _sum,
    "mul": _product,
    "get": _access,
    "get0": _access,
    "mat": _matrix,
    "pow": _power,
    "red": of_reduction,
    "num": _number,
    "fn": _function,
    "where": _where,
    "iv": _bracket,
}


def _is_cotangent(t: Term, program: Program) -> bool:
    return is_access(t) and not program.is_loss and t.data in {f"d{s.name}" for s in program.outputs}


def _is_small(t: Term) -> bool:
    """Whether it is what people call eps: a parameter of that name, or a small number."""
    if t.op == "par":
        return str(t.data).lower().startswith("eps")
    return t.op == "num" and 0 < abs(value(t)) < SMALL_NUMBER
