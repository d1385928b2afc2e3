"""What must be true of every rule; `violations` says what is not. The tests plant wrong rules to see that it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from symgrad.algebra.show import INTERNAL, show
from symgrad.algebra.terms import Term, by_name, dim, idx
from symgrad.closing.rulebook import applied
from symgrad.formula import vocabulary
from symgrad.formula.expression import parse_closed
from symgrad.formula.program import Program
from symgrad.formula.reader import read_mapping
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Example, Rule
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.mpmath_backend import MpmathBackend
from symgrad.validate.sampling import sample_inputs

FREE = tuple(idx(name, dim("n" if name in "ilm" else "c")) for name in "ijklmq")
SIZES = {"n": 2, "c": 3}
SCALES = (1.0, 3.0, 0.1)
DIGITS = 30
EQUAL = 1e-20
FACTUAL = 1e-13
"""Declared equations hold for the data up to the rounding of float64."""


def violations(rule: Rule) -> Iterator[str]:
    """What is wrong with a rule, judged by its own record."""
    if not re.fullmatch(r"[a-z0-9]+/[a-z0-9-]+", rule.name):
        yield f"the name {rule.name} is not family/what-it-does"
    if not (rule.law and rule.why):
        yield "a law and a reason are missing"
    try:
        yield from _wrong_example(rule)
    except RecursionError:
        yield "it fires on its own result again and again"
        return
    if rule.needs and (fired := without_facts(rule)):
        yield f"it fires without the facts that it needs: {fired}"


def _wrong_example(rule: Rule) -> Iterator[str]:
    context = surroundings(rule.example)
    before, after = read(rule.example.before, context.program), read(rule.example.after, context.program)
    rules = applied(rule, context)
    got = rewrite(before, rules, context)
    if got is not after:
        yield f"the example {show(before)} becomes {show(got)}, not {show(after)}"
    if not any(s.rule.name == rule.name for s in context.steps):
        yield "it does not fire on its example"
    yield from _wrong_steps(context)
    if rewrite(got, rules, context) is not got:
        yield f"it fires again on its own result {show(got)}"
    yield from different_values(context, before, got, FACTUAL if rule.needs else EQUAL)


def _wrong_steps(context: Context) -> Iterator[str]:
    for s in context.steps:
        if s.rule.on and s.before.op not in s.rule.on:
            yield f"it fires on {s.before.op}, which its record does not name"
        if not s.after.free <= s.before.free:
            yield f"{show(s.after)} has free indices that {show(s.before)} lacks"


# ---- the example ----------------------------------------------------------------------------------------------------


def surroundings(example: Example, facts: bool = True) -> Context:
    """The context of an example, `dv` an adjoint; without `facts` every domain is real and nothing is assumed."""
    yaml = YAML(typ="safe")
    inputs, parameters = yaml.load(example.inputs), yaml.load(example.parameters)
    if not facts:
        inputs, parameters = _bare(inputs), _bare(parameters)
    mapping: dict[str, Any] = {"name": "example", "inputs": {**inputs, "spare": []}, "loss": "spare"}
    mapping |= {k: v for k, v in (("parameters", parameters), ("let", yaml.load(example.let))) if v}
    program = read_mapping(mapping).program
    lets = {s.name: s for s in program.statements if s.kind == "let"}
    return Context(program, lets, adjoints={n: s for n, s in lets.items() if n.startswith("d")})


def _bare(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in entry.items() if k != "domain"} if isinstance(entry, dict) else entry
        for name, entry in declared.items()
    }


def read(text: str, program: Program) -> Term:
    """A text of an example; the functions that only the derivation uses are known here."""
    assert isinstance(vocabulary.FUNCTIONS, dict)
    added = {name: _arity(f) for name, f in INTERNAL.items() if name != "truth"}
    vocabulary.FUNCTIONS.update(added)
    try:
        return parse_closed(text, program, FREE)
    finally:
        for name in added:
            del vocabulary.FUNCTIONS[name]


def _arity(f: Any) -> tuple[int, int]:
    parameters = signature(f).parameters.values()
    fixed = sum(p.kind is not Parameter.VAR_POSITIONAL for p in parameters)
    return fixed, fixed if fixed == len(parameters) else 64


def without_facts(rule: Rule) -> str:
    """What the rule makes of its example where nothing is declared; empty if it does not fire."""
    context = surroundings(rule.example, facts=False)
    before = read(rule.example.before, context.program)
    got = rewrite(before, applied(rule, context), context)
    return "" if got is before else show(got)


# ---- both sides ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disagreement:
    """A point at which two terms differ, and their values at the first place where they do."""

    inputs: Mapping[str, Any]
    before: Any
    after: Any


def different_values(
    context: Context, before: Term, after: Term, equal: float = EQUAL, points: int = 6
) -> Iterator[str]:
    """The first point at which the terms differ: random ones, some with zeros and ties, where `before` has a value."""
    compared: list[int] = []
    for d in disagreements(context, before, after, equal, points, compared):
        yield f"{show(before)} is {d.before}, {show(after)} is {d.after} at {d.inputs}"
        return
    if not any(compared):
        yield f"{show(before)} has no value at any point"


def disagreements(
    context: Context,
    before: Term,
    after: Term,
    equal: float = EQUAL,
    points: int = 6,
    compared: list[int] | None = None,
) -> Iterator[Disagreement]:
    """Every point at which the terms differ where `before` has a value; `compared` counts the places looked at."""
    program = context.program
    indices = tuple(by_name(before.free))
    for k in range(points):
        rng = np.random.default_rng(k)
        inputs = sample_inputs(program, SIZES, (), rng, SCALES[k % len(SCALES)])
        if k % 2:
            inputs = {n: _with_zeros(program, n, a, rng) for n, a in inputs.items()}
        one, two = values(program, inputs, (before, after), indices)
        finite = np.vectorize(lambda v: v == v and abs(v) < 10**30, otypes=[bool])(one)
        if compared is not None:
            compared.append(int(np.sum(finite)))
        close = np.vectorize(lambda a, b: bool(abs(a - b) <= equal * (1 + abs(a))), otypes=[bool])(one, two)
        for at in np.argwhere(finite & ~close):
            yield Disagreement(inputs, one[tuple(at)], two[tuple(at)])


def values(program: Program, inputs: Mapping[str, Any], terms: Sequence[Term], indices: Sequence[Term]) -> list[Any]:
    """Values of terms at a point, in multiprecision."""
    backend = MpmathBackend(DIGITS)
    known = {**inputs, **evaluate_program(program, inputs, backend=backend)}
    return [evaluate_term(t, program, known, indices, backend=backend) for t in terms]


def _with_zeros(program: Program, name: str, a: Any, rng: np.random.Generator) -> Any:
    """Real data with zeros and ties."""
    i = program.input(name)
    if i.dtype != "real" or i.domain.kind not in ("real", "nonnegative"):
        return a
    return np.where(rng.random(a.shape) < 0.3, 0.0, np.round(2 * a) / 2)
