"""Arrays and parameters of a call: shapes are matched, dimensions solved, and what is assumed of sizes is shown."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.build import add
from symgrad.algebra.terms import FALSE, ONE, TRUE, ZERO, Term, num, walk
from symgrad.errors import FormulaError, nearest
from symgrad.formula.arrays.shapes import Clash, Shape, broadcast
from symgrad.formula.environment import Environment, Gather, Tensor
from symgrad.formula.instance import Instance
from symgrad.formula.polynomial import divide, plus, polynomial, same, split, term
from symgrad.formula.program import Input, Parameter, Program
from symgrad.formula.sizes import size_of
from symgrad.formula.syntax import Parsed


@dataclass(frozen=True)
class Call:
    """A call of a used formula, and the program that it calls."""

    parsed: Parsed
    node: ast.Call
    alias: str
    program: Program

    def error(self, message: str, at: ast.AST | None = None, help: str = "") -> FormulaError:
        """An error in the call."""
        return self.parsed.error(f"{self.alias}: {message}", at or self.node, help=help)

    @property
    def signature(self) -> str:
        """linear(x, W, b), as messages show it."""
        given = [i.name for i in self.program.inputs]
        return f"{self.alias}({', '.join([*given, *(f'{p.name}={p.value}' for p in self.program.parameters)])})"


def check_arguments(call: Call) -> None:
    """As many arrays as inputs, and known keywords."""
    inputs, given = call.program.inputs, call.node.args
    for k in call.node.keywords:
        if any(i.name == k.arg for i in inputs):
            message = f"{k.arg} is an input, and inputs are given by their order"
            raise call.error(message, k.value, help=f"write {call.signature}")
        if not any(p.name == k.arg for p in call.program.parameters):
            close = nearest(k.arg or "", [p.name for p in call.program.parameters])
            raise call.error(
                f"no parameter {k.arg}", k.value, help=f"did you mean {close}?" if close else call.signature
            )
    if len(given) != len(inputs):
        plural = "" if len(inputs) == 1 else "s"
        raise call.error(f"{len(inputs)} array{plural} expected, {len(given)} given", help=f"write {call.signature}")


def bind(call: Call, env: Environment, tensors: Sequence[Tensor]) -> Instance:
    """What the names of the used formula stand for, given the tensors that it is called on."""
    instance = Instance(env, {i.name: t.name for i, t in zip(call.program.inputs, tensors, strict=True)})
    for p in call.program.parameters:
        instance.parameters[p.name] = _parameter(call, env, p)
    matching = _Matching(call, instance, tensors)
    matching.match()
    for i, t, at in zip(call.program.inputs, tensors, call.node.args, strict=True):
        _check_kind(call, instance, i, t, at)
    _check_facts(call, instance)
    return instance


def _parameter(call: Call, env: Environment, p: Parameter) -> Term:
    from symgrad.formula.expression import Reader

    given = next((k.value for k in call.node.keywords if k.arg == p.name), None)
    if given is None:
        return num(p.value)
    if p.dtype == "int":
        return size_of(call.parsed, given, env, f"the parameter {p.name} of {call.alias}")
    reader = Reader(Parsed(call.parsed.text, given), env, [])
    t = reader.finite(reader.parsed.root)
    if t.tensors or t.free:
        raise call.error(f"the parameter {p.name} is made of numbers, parameters and dimensions", given)
    return t


class _Matching:
    """Finds the size of each dimension of the used formula from the shapes of the arrays."""

    def __init__(self, call: Call, instance: Instance, tensors: Sequence[Tensor]) -> None:
        self.call, self.instance = call, instance
        self.equations = instance.env.bounds.equations
        self.pairs = list(zip(call.program.inputs, tensors, call.node.args, strict=True))
        self.origin: dict[str, str] = {}

    def match(self) -> None:
        """Bare dimensions first, then expressions of them; last, that all sizes are the same."""
        axes = [(i, t, at, a, b) for i, t, at in self.pairs for a, b in self.trailing(i, t, at)]
        for i, _, _, a, b in axes:
            if a.op == "dim" and str(a.data) not in self.instance.sizes:
                self.instance.sizes[str(a.data)] = b
                self.origin[str(a.data)] = i.name
        for _ in axes:
            for _, _, _, a, b in axes:
                self.solve(a, b)
        for i, t, at, a, b in axes:
            if not same(self.instance.size(a), b, self.equations):
                raise self.unfit(i, t, at, a, b)

    def trailing(self, i: Input, t: Tensor, at: ast.AST) -> list[tuple[Term, Term]]:
        """Pairs of sizes of an input and of the array for it; leading axes become the batch."""
        extra = len(t.shape) - len(i.shape)
        if extra < 0 or (not i.batch and (extra or t.batch)):
            raise self.wrong_rank(i, t, at)
        if i.batch:
            mine = Shape(t.shape[:extra], t.batch)
            joined = broadcast(self.instance.lead, mine, self.equations)
            if isinstance(joined, Clash) or (ONE in mine.sizes and joined != mine):
                raise self.call.error(
                    f"the batch axes of {i.name} are {mine.shown()}, others {self.instance.lead.shown()}", at
                )
            self.instance.leads[i.name] = mine
            self.instance.lead = joined
        return list(zip(i.shape, t.shape[extra:], strict=True))

    def wrong_rank(self, i: Input, t: Tensor, at: ast.AST) -> FormulaError:
        wanted = Tensor.of_input(i).shown()
        shown = self.call.parsed.source(at)
        return self.call.error(f"its {i.name} has shape {wanted}, and {shown} has shape {t.shown()}", at)

    def solve(self, a: Term, b: Term) -> None:
        """2*h == b gives h, where it is the one dimension of the axis that is not known."""
        missing = {t for t in walk(a) if t.op == "dim" and str(t.data) not in self.instance.sizes}
        if len(missing) != 1:
            return
        (d,) = missing
        self.instance.sizes[str(d.data)] = d
        parts = split(polynomial(self.instance.size(a)), d)
        del self.instance.sizes[str(d.data)]
        found = divide(plus(polynomial(b), parts[1], -1), parts[0]) if parts is not None else None
        if found is not None:
            self.instance.sizes[str(d.data)] = term(found)

    def unfit(self, i: Input, t: Tensor, at: ast.AST, a: Term, b: Term) -> FormulaError:
        shown = self.call.parsed.source(at)
        expected = str(self.instance.size(a))
        source = self.origin.get(str(a.data), "") if a.op == "dim" else ""
        why = f"{expected} (from {source})" if source and source != i.name else expected
        message = f"the axis {a} of its {i.name} is {why} here, and {shown} of shape {t.shown()} has {b} there"
        return self.call.error(
            message, at, help=f"{i.name} has shape {Tensor.of_input(i).shown()} in {self.call.alias}"
        )


# ---- kinds of values, and what the formula assumes ------------------------------------------------------------------


def _check_kind(call: Call, instance: Instance, i: Input, t: Tensor, at: ast.AST) -> None:
    """Booleans for booleans, integers within the range that the used formula needs for integers."""
    shown = call.parsed.source(at)
    if (i.dtype == "bool") != (t.dtype == "bool"):
        raise call.error(f"its {i.name} is {i.dtype}, and {shown} is {t.dtype}", at)
    if i.dtype != "int":
        if t.name in instance.env.undecided:
            raise call.error(f"{shown} is used as a number, so it needs a domain", at)
        return
    if t.dtype != "int" and not t.integer:
        raise call.error(f"its {i.name} is int, and {shown} is real", at)
    low, high = (instance.size(b) for b in i.domain.bounds)
    env = instance.env
    if t.name in env.undecided and low is ZERO and t.name not in env.gathers:
        env.gathers[t.name] = Gather(add(high, ONE), call.alias, call.parsed.text.place(*call.parsed.span(at)))
        return
    if not _within(env, t.name, low, high):
        message = f"its {i.name} holds integers from {low} to {high}, and {shown} is not known to be such"
        raise call.error(message, at, help=f'give {shown} the domain "integer({low}, {high})"')


def _within(env: Environment, name: str, low: Term, high: Term) -> bool:
    if name in env.undecided:
        before = env.gathers.get(name)
        return before is not None and low is ZERO and same(before.size, add(high, ONE), env.bounds.equations)
    least, most = env.bounds.tensors.get(name, (None, None))
    if least is None or most is None:
        return False
    return _at_least(env, least, low) and _at_least(env, high, most)


def _at_least(env: Environment, a: Term, b: Term) -> bool:
    return same(a, b, env.bounds.equations) or env.bounds.at_least(term(plus(polynomial(a), polynomial(b), -1)))


def _check_facts(call: Call, instance: Instance) -> None:
    """What the used formula assumes of its sizes and int parameters must be shown in the caller."""
    whole = {p.name for p in call.program.parameters if p.dtype == "int"}
    for fact in call.program.facts:
        names = {str(t.data) for t in walk(fact.condition) if t.op == "par"}
        if fact.condition.tensors or fact.condition.free or fact.condition.op != "cmp":
            continue
        condition = instance.condition(fact.condition)
        if condition is TRUE or (condition is not FALSE and (names - whole or _shown(condition, instance.env))):
            continue
        raise call.error(f"{fact.text} is needed, and is not shown: {condition}", help="add what holds under assume")


def _shown(c: Term, env: Environment) -> bool:
    if c.op != "cmp":
        return False
    a, b = c.args
    if c.data == "==":
        return same(a, b, env.bounds.equations)
    return c.data in ("<", "<=") and _at_least(env, b, a if c.data == "<=" else add(a, ONE))
