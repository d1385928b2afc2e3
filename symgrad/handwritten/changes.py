"""Mistakes in a closed form: every small change of it, and of the names that it uses, is tried against what was got.

(y[i, j] - t[i, j])/n  ->  (y[i, j] + t[i, j])/n, y[i, j]/n, y[j, i] for y[i, j], ...

A change is made at a spot: a subterm, with a function that puts another term in its place. Reductions are opened on the
way down and closed on the way up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symgrad.algebra.build import Fresh, add, div, fn, mul, neg, open_reduction, power, rebuild, reduce, sub, substitute
from symgrad.algebra.show import LETTERS, Names, show
from symgrad.algebra.terms import (
    BATCH,
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
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Form, is_batch

Put = Callable[[Term], Term]
SMALL_NUMBER = Fraction(1, 100)
MOST = 3000
MACHINE = 40
"""How much later changes of the chain of adjoints are tried."""


@dataclass(frozen=True)
class Spot:
    """A subterm, how to put another in its place, the indices there; `linear`: the form is linear in it."""

    term: Term
    put: Put
    context: tuple[Term, ...]
    linear: bool
    depth: int
    under: Term | None = None
    """The operation that it is an argument of."""


@dataclass(frozen=True)
class Change:
    """A changed form and what was done to it. `cost`: simpler ones come first."""

    kind: str
    detail: str
    form: Form
    term: Term
    cost: int


def spots(t: Term, context: tuple[Term, ...], fresh: Fresh) -> Iterator[Spot]:
    """Every spot of a term."""
    yield from _below(Spot(t, lambda x: x, context, True, 0), fresh)


def _below(spot: Spot, fresh: Fresh) -> Iterator[Spot]:
    yield spot
    t, put = spot.term, spot.put
    if t.op in ("num", "const", "dim", "par", "idx", "get", "get0", "mat"):
        return
    if t.op == "red":
        body, bound = open_reduction(t, fresh)
        kind = str(t.data)

        def close(x: Term) -> Term:
            return put(reduce(kind, x, bound) if x.free & frozenset(bound) or kind != "sum" else _repeated(x, bound))

        linear = spot.linear and kind == "sum"
        yield from _below(Spot(body, close, (*spot.context, *bound), linear, spot.depth + 1, t), fresh)
        return
    for k, a in enumerate(t.args):
        if t.op in ("where", "iv") and k == 0:
            continue
        linear = spot.linear and (t.op in ("add", "mul") or (t.op == "where" and k > 0))
        yield from _below(Spot(a, _into(put, t, k), spot.context, linear, spot.depth + 1, t), fresh)


def _into(put: Put, t: Term, k: int) -> Put:
    return lambda x: put(rebuild(t, (*t.args[:k], x, *t.args[k + 1 :])))


def _repeated(x: Term, bound: Sequence[Term]) -> Term:
    return mul(x, *(extent(b) for b in bound))


def changes(form: Form, program: Program) -> Iterator[Change]:
    """Every change of a form, in the form itself and in the definitions that it uses."""
    fresh = Fresh()
    for spot in spots(form.closed, form.indices, fresh):
        for kind, detail, new, cost in _changes_at(spot, program):
            yield Change(kind, detail, replace(form, closed=spot.put(new)), spot.term, cost + 2 * spot.depth)
    used = _reached(form)
    for k, d in enumerate(form.where):
        if d.name not in used:
            continue
        for spot in spots(d.body, tuple(d.indices), fresh):
            for kind, detail, new, cost in _changes_at(spot, program):
                changed = _Named(d.name, tuple(d.indices), spot.put(new))
                where = (*form.where[:k], changed, *form.where[k + 1 :])
                yield Change(
                    kind, f"{detail} in {d.name}", replace(form, where=where), spot.term, cost + 2 * spot.depth + 9
                )


@dataclass(frozen=True)
class _Named:
    name: str
    indices: tuple[Term, ...]
    body: Term


def _reached(form: Form) -> set[str]:
    """Names of definitions that the closed form needs."""
    bodies = {d.name: d.body for d in form.where}
    found: set[str] = set()
    todo = [form.closed]
    while todo:
        for name in todo.pop().tensors & bodies.keys() - found:
            found.add(name)
            todo.append(bodies[name])
    return found


Local = tuple[str, str, Term, int]


def _changes_at(spot: Spot, program: Program) -> Iterator[Local]:
    t = spot.term
    yield from _OF.get(t.op, _nothing)(spot, program)
    if t.op not in ("num", "dim") and t is not ONE:
        if spot.under is None or spot.under.op in ("add", "red", "fn", "pow") or t.op in ("add", "red", "fn"):
            yield "sign", f"the sign of {shown(t)}", neg(t), 8
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
            yield kind, f"the term {shown(a)} is missing", rest, 2
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
        yield ("upstream" if cotangent else missing), _without(f, cotangent), rest, 3
        if f.op != "num":
            yield ("upstream" if cotangent else "extra_factor"), _twice(f, cotangent), mul(t, f), 6
            yield "factor", f"divided by {shown(f)} instead of multiplied", div(rest, f), 14


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
    for other in accesses(program, t.args) if all(x.op == "idx" for x in t.args) else ():
        if other is not t and len(other.args) == len(t.args):
            yield "unknown", f"{shown(other)} stands in place of {shown(t)}", other, 30


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
    if b.op == "add" and any(_is_small(a) for a in b.args):
        small = [a for a in b.args if _is_small(a)]
        rest = add(*(a for a in b.args if not _is_small(a)))
        half = e if e.op != "num" else num(abs(value(e)))
        whole = add(power(rest, half), *small)
        inverse_sign = ONE if half is e else MINUS_ONE
        text = f"{shown(small[0])} stands outside of the root, in {shown(spot.term)}"
        yield "epsilon", text, power(whole, inverse_sign), 5


def _reduction(spot: Spot, program: Program) -> Iterator[Local]:
    t, fresh = spot.term, Fresh(iter(range(20_000_000, 30_000_000)))
    body, bound = open_reduction(t, fresh)
    kind = str(t.data)
    yield from _other_axes(spot, body, bound, kind)
    for f in sorted(t.free, key=_digest):
        for k in spot.context:
            if k is not f and k not in t.free and not is_batch(k) and not is_batch(f):
                text = f"{shown(t)} is broadcast along the axis {k.data} instead of {f.data}"
                yield "wrong_axis", text, substitute(t, {f: k}), 6
    if kind != "sum":
        return
    for b in bound:
        for i in spot.context:
            if extent(i) is extent(b) and i is not b:
                own = reduce(kind, substitute(body, {b: i}), [x for x in bound if x is not b])
                text = f"the terms of {shown(t, spot.context)} are missing but the one at {i.data}"
                yield "missing_term", text, own, 5
    for b in bound:
        if str(t.data) == "sum":
            yield "factor", f"the mean in place of {shown(t)}", div(t, extent(b)), 8
            yield "factor", f"{show(extent(b))} times {shown(t)}: a sum in place of a mean", mul(t, extent(b)), 8


def _other_axes(spot: Spot, body: Term, bound: Sequence[Term], kind: str) -> Iterator[Local]:
    """The same reduction over another axis: the roles of a bound and a free index are swapped."""
    for b in bound:
        for f in sorted(body.free - frozenset(bound), key=lambda i: i.digest):
            for k in spot.context:
                if extent(k) is not extent(b) or k is f or is_batch(b):
                    continue
                swapped = substitute(body, {b: k})
                new = reduce(kind, swapped, [*(x for x in bound if x is not b), f])
                yield "wrong_axis", f"{shown(spot.term)} runs over the axis {f.data} instead", new, 4


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
    yield "region", f"the condition {shown(spot.term.args[0])} is left out", ONE, 4


_OF: dict[str, Callable[[Spot, Program], Iterator[Local]]] = {
    "add": _sum,
    "mul": _product,
    "get": _access,
    "get0": _access,
    "mat": _matrix,
    "pow": _power,
    "red": _reduction,
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


def shown(t: Term, context: Sequence[Term] = ()) -> str:
    """A term in the formula language; indices of opened reductions get letters that the context does not have."""
    taken = {str(i.data) for i in (*t.free, *context)}
    letters = (c for c in LETTERS if c not in taken)
    names = {i: node("idx", i.args, next(letters)) for i in sorted(t.free, key=_digest) if str(i.data)[0] in "%$"}
    used = taken | {str(i.data) for i in names.values()}
    return show(substitute(t, names), Names(taken=frozenset(used) - {BATCH}))


def _digest(t: Term) -> bytes:
    return t.digest


def with_extra(form: Form, program: Program) -> Iterator[Change]:
    """An access that is a factor of a product or of a body where it does not belong."""
    for spot in spots(form.closed, form.indices, Fresh()):
        if spot.under is None or spot.under.op not in ("red", "add") or spot.term.op == "num":
            continue
        for access in accesses(program, spot.context, form.where):
            for cost, factor in enumerate(_made_of(access) if access.args else ()):
                kind, detail = "extra_factor", f"an extra factor {shown(factor)} of {shown(spot.term)}"
                if factor.op == "pow" and factor.args[1] is MINUS_ONE:
                    kind, detail = (
                        "missing_factor",
                        f"the factor {shown(factor.args[0])} of {shown(spot.term)} is missing",
                    )
                new = replace(form, closed=spot.put(mul(spot.term, factor)))
                yield Change(kind, detail, new, factor, 20 + spot.depth + 5 * cost)


def _made_of(access: Term) -> Iterator[Term]:
    """What an access enters as where a chain rule goes wrong: derivatives of sigmoids, tanh, logarithms."""
    rest = sub(ONE, access)
    yield access
    yield mul(access, rest)
    yield rest
    yield sub(ONE, power(access, TWO))
    yield power(access, MINUS_ONE)
    yield power(mul(access, rest), MINUS_ONE)


def everywhere(form: Form, program: Program) -> Iterator[Change]:
    """One name changed wherever the form reads it: applied twice, left out, or multiplied by another."""
    used = _reached(form)
    tensors = sorted(form.closed.tensors.union(*(d.body.tensors for d in form.where if d.name in used)) - used)
    for name in (*sorted(form.closed.tensors & used), *tensors):
        for kind, detail, change, cost in _of_name(name, form, program):
            where = tuple(_Named(d.name, tuple(d.indices), _mapped(d.body, name, change)) for d in form.where)
            closed = _mapped(form.closed, name, change)
            yield Change(kind, detail, replace(form, closed=closed), form.closed, cost)
            yield Change(kind, detail, replace(form, closed=closed, where=where), form.closed, cost + 1)


def _of_name(name: str, form: Form, program: Program) -> Iterator[tuple[str, str, Put, int]]:
    if name in {f"d{s.name}" for s in program.outputs}:
        yield "upstream", f"the upstream {name} is ignored", lambda t: ONE, 5
        yield "upstream", f"the upstream {name} is applied twice", lambda t: power(t, TWO), 6
    else:
        yield "missing_factor", f"the factor {name} is missing", lambda t: ONE, 12
        yield "extra_factor", f"an extra factor {name}: it is applied twice", lambda t: power(t, TWO), 12
    for other in sorted({*program.shapes} - {name}):
        yield (
            "extra_factor",
            f"an extra factor {other} of {name}",
            lambda t, other=other: _times_along(t, other, program),  # type: ignore[misc]
            25,
        )


def _times_along(t: Term, other: str, program: Program) -> Term:
    """An access times another tensor's along the same indices, where that has them."""
    found = [a for a in accesses(program, t.args) if a.data == other] if all(x.op == "idx" for x in t.args) else []
    return mul(t, found[0]) if found else t


def _mapped(t: Term, name: str, change: Put) -> Term:
    """The term with every access of a tensor changed."""
    if name not in t.tensors:
        return t
    if is_access(t) and t.data == name:
        return change(t)
    if t.op == "red":
        body, bound = open_reduction(t, Fresh(iter(range(40_000_000 + 100 * t.height, 50_000_000))))
        return reduce(str(t.data), _mapped(body, name, change), bound)
    return rebuild(t, tuple(_mapped(a, name, change) for a in t.args))


def by_change(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where one change of a form gives what was got."""
    target: Target = evidence.samples[0].target
    found = [replace(c, cost=c.cost + MACHINE * form.machine) for form in target.forms for c in changes(form, program)]
    found += [c for form in target.forms[:1] for c in (*with_extra(form, program), *everywhere(form, program))]
    found.sort(key=lambda c: c.cost)
    seen: set[object] = set()

    def hypotheses() -> Iterator[Hypothesis]:
        for c in found[:MOST]:
            key = (c.form.closed, tuple((d.name, d.body) for d in c.form.where))
            if key not in seen:
                seen.add(key)
                yield Hypothesis(Cause(c.kind, c.detail, c.form, c.term), lambda scene, c=c: scene.of(c.form))  # type: ignore[misc]

    return evidence.first(hypotheses())
