"""Mistakes in a closed form: every small change of it, and of the names that it uses, is tried against what was got.

(y[i, j] - t[i, j])/n  ->  (y[i, j] + t[i, j])/n, y[i, j]/n, y[j, i] for y[i, j], ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symgrad.algebra.build import Fresh, mul, open_reduction, power, rebuild, reduce, sub
from symgrad.algebra.terms import MINUS_ONE, ONE, TWO, Term, is_access
from symgrad.formula.program import Program
from symgrad.handwritten.along import along_others
from symgrad.handwritten.candidates import accesses, counts
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.mistakes import mistakes_at
from symgrad.handwritten.reductions import adds_batch
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Form, Scene
from symgrad.handwritten.spots import Put, shown, spots

MOST = 3000
ALONG = 15
MACHINE = 40
"""How much later changes of the chain of adjoints are tried."""


@dataclass(frozen=True)
class Change:
    """A changed form and what was done to it. `cost`: simpler ones come first."""

    kind: str
    detail: str
    form: Form
    term: Term
    cost: int
    one_axis: bool = False
    """Whether it is looked at where the batch has one axis alone."""

    def at(self, scene: Scene) -> Array | None:
        """What would be got."""
        return None if self.one_axis and scene.batch_rank != 1 else scene.of(self.form)


def changes(form: Form, program: Program) -> Iterator[Change]:
    """Every change of a form, in the form itself and in the definitions that it uses."""
    fresh = Fresh()
    for spot in spots(form.closed, form.indices, fresh):
        for kind, detail, new, cost in mistakes_at(spot, program):
            flat = adds_batch(new, spot.term)
            yield Change(kind, detail, replace(form, closed=spot.put(new)), spot.term, cost + 2 * spot.depth, flat)
    used = _reached(form)
    for k, d in enumerate(form.where):
        if d.name not in used:
            continue
        for spot in spots(d.body, tuple(d.indices), fresh):
            for kind, detail, new, cost in mistakes_at(spot, program):
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


def with_extra(form: Form, program: Program) -> Iterator[Change]:
    """An access that is a factor of a product or of a body where it does not belong."""
    for spot in spots(form.closed, form.indices, Fresh()):
        if spot.under is None or spot.under.op not in ("red", "add"):
            continue
        numbers = counts(program, spot.context) if spot.under.op == "add" else ()
        for access in (*accesses(program, spot.context, form.where), *numbers):
            for cost, factor in enumerate(_made_of(access) if access.op != "red" and access.args else (access,)):
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
            where = tuple(_Named(d.name, tuple(d.indices), mapped(d.body, name, change)) for d in form.where)
            closed = mapped(form.closed, name, change)
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


def mapped(t: Term, name: str, change: Put) -> Term:
    """The term with every access of a tensor changed."""
    if name not in t.tensors:
        return t
    if is_access(t) and t.data == name:
        return change(t)
    if t.op == "red":
        body, bound = open_reduction(t, Fresh(iter(range(40_000_000 + 100 * t.height, 50_000_000))))
        return reduce(str(t.data), mapped(body, name, change), bound)
    return rebuild(t, tuple(mapped(a, name, change) for a in t.args))


def by_change(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where one change of a form gives what was got."""
    target: Target = evidence.samples[0].target
    found = [replace(c, cost=c.cost + MACHINE * form.machine) for form in target.forms for c in changes(form, program)]
    form = target.form
    found += [*with_extra(form, program), *everywhere(form, program)]
    found += [Change("wrong_axis", text, new, form.closed, ALONG) for text, new in along_others(form)]
    found.sort(key=lambda c: c.cost)
    seen: set[object] = set()

    def hypotheses() -> Iterator[Hypothesis]:
        for c in found[:MOST]:
            key = (c.form.closed, tuple((d.name, d.body) for d in c.form.where))
            if key not in seen:
                seen.add(key)
                yield Hypothesis(Cause(c.kind, c.detail, c.form, c.term), c.at)

    return evidence.first(hypotheses())
