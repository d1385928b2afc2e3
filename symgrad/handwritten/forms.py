"""The closed form of a gradient in several equal shapes: mistakes are small changes of one of them.

for people; without the facts that were assumed; and as the chain of adjoints that led to it
"""

from __future__ import annotations

from dataclasses import replace

from symgrad.algebra.build import Fresh, add, div, exp, fn, mul, open_reduction, rebuild, reduce, sub
from symgrad.algebra.terms import ONE, Term, extent, walk
from symgrad.closing.derivation import Derivation, Gradient, derive_formula
from symgrad.errors import SymgradError
from symgrad.formula.program import Domain
from symgrad.handwritten.rewritten import Name, unfolded, with_complements
from symgrad.handwritten.scenes import Form
from symgrad.validate.precise import Definition


def forms_of(derivation: Derivation, name: str, closed: Gradient | None = None) -> tuple[Form, ...]:
    """Every form of the gradient of an input, the closed one first."""
    own = closed or derivation.gradient(name)
    found = [_form(own)]
    found += [_written_out(found[0])] if _has_lse(found[0]) else []
    found += [f for f in (unfolded(found[0]), with_complements(found[0])) if f is not None]
    if closed is None:
        found += [f for f in (_without_facts(derivation, name), _chain(derivation, name)) if f is not None]
    return tuple(found)


def _has_lse(form: Form) -> bool:
    return any(x.op == "red" and x.data == "lse" for t in (form.closed, *(d.body for d in form.where)) for x in walk(t))


def _written_out(form: Form) -> Form:
    """logsumexp as people compute it: max + log(Sum(exp(z - max)))."""
    where = tuple(Name(d.name, tuple(d.indices), _without_lse(d.body, Fresh())) for d in form.where)
    return replace(form, closed=_without_lse(form.closed, Fresh()), where=where)


def _without_lse(t: Term, fresh: Fresh) -> Term:
    if not any(x.op == "red" and x.data == "lse" for x in walk(t)):
        return t
    if t.op != "red":
        return rebuild(t, tuple(_without_lse(a, fresh) for a in t.args))
    body, bound = open_reduction(t, fresh)
    body = _without_lse(body, fresh)
    if t.data != "lse":
        return reduce(str(t.data), body, bound)
    top = reduce("max", body, bound)
    return add(top, fn("log", reduce("sum", exp(sub(body, top)), bound)))


def _form(g: Gradient) -> Form:
    return Form(g.input, tuple(g.indices), g.closed, tuple(g.where))


def _without_facts(derivation: Derivation, name: str) -> Form | None:
    """The closed form of the same formula where nothing is known of the data."""
    if not derivation.assumed:
        return None
    program = derivation.formula.program
    inputs = tuple(replace(i, domain=Domain()) if i.dtype == "real" else i for i in program.inputs)
    facts = tuple(f for f in program.facts if f not in derivation.assumed)
    formula = replace(derivation.formula, program=replace(program, inputs=inputs, facts=facts), expected=())
    try:
        return _form(derive_formula(formula, derivation.program.wrt).gradient(name))
    except SymgradError:
        return None


def _chain(derivation: Derivation, name: str) -> Form | None:
    """The adjoint of the input as a name, and every statement that leads to it."""
    if name not in derivation.gradient_of:
        return None
    backward = {s.name: s for s in derivation.backward}
    last = backward.get(derivation.gradient_of[name])
    if last is None or any(s.recurrence is not None for s in (*derivation.forward, *derivation.backward)):
        return None
    program = derivation.program
    where: list[Definition] = [Name(s.name, s.indices, s.body) for s in derivation.forward]
    if program.is_loss:
        loss = program.loss
        cotangent = derivation.cotangents[loss.name]
        where.append(Name(cotangent, loss.indices, div(ONE, mul(*(extent(i) for i in loss.indices)))))
    where += [Name(s.name, s.indices, s.body) for s in derivation.backward if s.name != last.name]
    return Form(name, tuple(last.indices), last.body, tuple(where), machine=True)
