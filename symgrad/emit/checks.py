"""`check_inputs`: do the data satisfy the domains of the inputs and the facts of `assume`."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.algebra.build import add, div, fn, iverson, negation, sub
from symgrad.algebra.terms import ONE, Term, by_name, is_num
from symgrad.closing.derivation import Derivation
from symgrad.emit.inputs import input_sources
from symgrad.emit.module import Body, Module, function
from symgrad.emit.scalars import MUL
from symgrad.emit.shapes import repr_of
from symgrad.emit.signature import arguments, docstring
from symgrad.formula.program import Fact, Statement
from symgrad.lower.arrays import Assign, Cast, Transpose
from symgrad.lower.program import lower_statements, signatures_of
from symgrad.lower.scope import is_integer, is_scalar


@dataclass(frozen=True)
class Demand:
    """A number that must not exceed the tolerance; `strict`: that must be below zero."""

    excess: Term
    strict: bool


def demand_of(c: Term) -> Demand:
    """By how much a condition is broken, relative to its right side where that is not a plain number."""
    if c.op != "cmp" or c.data == "!=":
        return Demand(iverson(negation(c)), False)
    a, b = c.args
    if c.data == "==":
        a, b = (b, a) if is_num(a) or a.size < b.size else (a, b)
    d = sub(a, b)
    size = ONE if is_num(b) or is_num(a) else add(ONE, fn("Abs", b))
    if c.data == "==":
        return Demand(div(fn("Abs", d), size), False)
    return Demand(d, True) if c.data == "<" else Demand(div(d, size), False)


def check_function(d: Derivation, module: Module, call: str) -> str:
    """The source of check_inputs."""
    p = d.program
    body = Body(module, input_sources(p, module), _like(d, module))
    tolerance = module.names.free("tolerance")
    lines = [line for k, f in enumerate(p.facts) for line in _fact_lines(f, k, d, body, tolerance)]
    lines += [line for i in p.inputs if i.domain.kind == "positive_definite" for line in _definite(module, i.name)]
    text = docstring("Raises ValueError naming the domain or fact that the data break; the kernels never look.")
    targets, _, rest = call.partition(" = ")
    start = [call] if not lines else [f"{targets} = {rest}"]
    if any(tolerance in line for line in lines):
        start.append(f"{tolerance} = {body.note('helper _tolerance')}({targets.rsplit(', ', 1)[-1]})")
    head = f"def check_inputs({arguments(p, False)}):"
    return function(
        head,
        text,
        [*start, *body.prelude(), *lines] if lines else [rest],
        f'{module.module("target")}.errstate(all="ignore")',
    )


def _like(d: Derivation, module: Module) -> str:
    return next(module.names.bind(i.name) for i in d.program.inputs if i.dtype == "real")


def _definite(module: Module, name: str) -> list[str]:
    np, text = module.module("target"), repr_of(f"{name} must be positive definite")
    return [f"{module.helper('_demand')}({np}.linalg.eigvalsh({module.names.bind(name)}) > 0, {text})"]


def _fact_lines(f: Fact, number: int, d: Derivation, body: Body, tolerance: str) -> list[str]:
    said = repr_of(f.text if f.source == "assumed" else f"{f.text} ({f.source})")
    helper = body.note("helper _demand")
    if is_scalar(f.condition):
        return [f"{helper}({body.printer.scalars.text(f.condition)}, {said})"]
    whole = f.condition.op == "cmp" and all(is_integer(a, signatures_of(d.program)) for a in f.condition.args)
    demand = Demand(iverson(f.condition), False) if whole else demand_of(f.condition)
    name = f"excess {number}"
    statement = Statement(
        name, tuple(i for i in by_name(f.condition.free) if i in demand.excess.free), demand.excess, "part"
    )
    taken = body.module.parts()
    taken.taken.update(body.names.values())
    *program, condition = lower_statements([*d.forward, statement], signatures_of(d.program), [name], taken)
    assert isinstance(condition, Assign)
    body.assign(program)
    lines, body.lines = body.lines, []
    last = condition.expr
    while whole and isinstance(last, Transpose):  # the order of its axes does not matter here
        last = last.operand
    if whole and isinstance(last, Cast):
        return [*lines, f"{helper}({body.printer.text(last.operand)}, {said})"]
    text = body.printer.text(last, MUL)
    bound = "< 0" if demand.strict else f"<= {tolerance}"
    return [*lines, f"{helper}({text} {bound}, {said})"]
