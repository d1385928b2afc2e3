"""Calls of used formulas: their statements are written into the caller, under names of their own.

h: linear(x - 1, W, b)    ->    h_x[i, j] = x[i, j] - 1, then h[i, j] = Sum(h_x[i, k]*W[j, k], k) + b[j]

The values inside of a part keep its names where the file calls it once and has no such word itself; else all of them
bear the name of what receives the value: h_x.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from symgrad import limits
from symgrad.errors import UnsupportedError
from symgrad.formula.binding import Call, bind, check_arguments
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.instance import Instance
from symgrad.formula.names import ARGUMENT_WORDS, Register
from symgrad.formula.program import Domain, Place, Statement
from symgrad.formula.syntax import Parsed
from symgrad.formula.trees import called, placed
from symgrad.formula.vocabulary import LANGUAGE

MOST_STATEMENTS = 2000
RANGES = ("positive", "nonnegative", "unit_interval", "interval", "greater_than")


class Composer:
    """Writes used formulas into a program: `add` takes the statements one by one, in order."""

    def __init__(self, env: Environment, register: Register, add: Callable[[Statement], None]) -> None:
        self.env, self.register, self.add = env, register, add
        self.count = 0

    def call_of(self, parsed: Parsed) -> Call | None:
        """The call that a whole right side is, if it is one of a used formula."""
        return self._call(parsed, parsed.root)

    def is_call(self, parsed: Parsed, n: ast.AST) -> bool:
        """Whether a node calls a used formula."""
        return self._call(parsed, n) is not None

    def _call(self, parsed: Parsed, n: ast.AST) -> Call | None:
        formula = self.env.uses.get(called(n))
        return Call(parsed, n, called(n), formula.program) if formula is not None and isinstance(n, ast.Call) else None

    def without_calls(self, parsed: Parsed, owner: str) -> Parsed:
        """The expression with names of arrays in place of the calls in it; `owner` is what receives its value."""
        if not self.env.uses or not any(self._call(parsed, n) for n in ast.walk(parsed.root)):
            return parsed
        root = _Replacing(lambda n: self._replaced(parsed, n)).visit(parsed.root)
        assert isinstance(root, ast.expr)
        return Parsed(parsed.text, root)

    def _replaced(self, parsed: Parsed, n: ast.AST) -> ast.expr | None:
        call = self._call(parsed, n)
        if call is None:
            return None
        outputs = call.program.outputs
        if len(outputs) > 1:
            names = ", ".join(s.name for s in outputs)
            raise call.error(f"gives several arrays: {names}", help=f"name them under let: `{names}: {call.signature}`")
        name = self.name(f"{call.alias}_{outputs[0].name}", call)
        self.receive(call, [name], "let", call.alias, inner=True)
        return placed(ast.Name(name, ast.Load()), call.node)

    def receive(
        self, call: Call, targets: Sequence[str], kind: str, owner: str, inner: bool = False
    ) -> list[Statement]:
        """Write the called formula in: its outputs get the names of `targets`, all else `owner`_name.

        `inner`: the targets too are names that the file did not give.
        """
        check_arguments(call)
        names = self._inner_names(call, owner)
        place = call.parsed.text.place(*call.parsed.span(call.node))
        pairs = zip(call.program.inputs, call.node.args, strict=True)
        tensors = [self.argument(call, a, names[i.name]) for i, a in pairs]
        instance = bind(call, self.env, tensors)
        outputs = dict(zip((s.name for s in call.program.outputs), targets, strict=True))
        made: list[Statement] = []
        for s in call.program.statements:
            instance.tensors[s.name] = outputs.get(s.name) or self.name(names[s.name], call)
        for s in call.program.statements:
            limits.check()
            mine = s.name not in outputs
            new = instance.statement(s, instance.tensors[s.name], "let" if mine else kind, place, inner or mine)
            self.keep(call, new, made)
        self._carry(call, instance, place)
        return made

    def _carry(self, call: Call, instance: Instance, place: Place) -> None:
        """Let the ranges and facts of a used formula hold of the arrays that it is called on.

        What an equation says of an array (a simplex, a symmetric matrix) only the file that has the array can declare.
        """
        env = self.env
        for i in call.program.inputs:
            tensor = env.tensors[instance.tensors[i.name]]
            if tensor.kind == "input" and i.dtype == tensor.dtype == "real" and i.domain.kind in RANGES:
                bounds = tuple(instance.size(b) for b in i.domain.bounds)
                env.adopted.setdefault(tensor.name, Domain(i.domain.kind, bounds))
        for fact in call.program.facts:
            if fact.source.startswith("assumed") and fact.condition.tensors:
                env.carried.append(instance.fact(fact, call.alias, place))

    def _inner_names(self, call: Call, owner: str) -> dict[str, str]:
        """The names that inputs and values of a part would like to have."""
        own = [i.name for i in call.program.inputs] + [s.name for s in call.program.statements]
        made = [i.name for i, a in zip(call.program.inputs, call.node.args, strict=True) if not isinstance(a, ast.Name)]
        made += [s.name for s in call.program.statements if s not in call.program.outputs]
        text = call.parsed.text.source.text
        once = len(re.findall(rf"\b{re.escape(call.alias)}\s*\(", text)) <= 1
        plain = once and not any(self._taken(n) or re.search(rf"\b{re.escape(n)}\b", text) for n in made)
        return {n: n if plain else f"{owner}_{n}" for n in own}

    def keep(self, call: Call, s: Statement, made: list[Statement]) -> None:
        """Add a statement to the program; its indices lend their names to later ones."""
        self.count += 1
        if self.count > MOST_STATEMENTS:
            message = f"used formulas come to more than {MOST_STATEMENTS} statements"
            raise call.parsed.error(message, call.node, kind=UnsupportedError)
        for i in s.indices:
            if i.data != "...":
                self.env.indices.setdefault((str(i.data), i.args[0]))
        self.add(s)
        made.append(s)

    def name(self, wanted: str, call: Call) -> str:
        """A name that nothing else has: wanted, or wanted_2, ..."""
        number, name = 1, wanted
        while self._taken(name):
            number += 1
            name = f"{wanted}_{number}"
        self.register.declare(name, "a let", call.parsed.text, *call.parsed.span(call.node))
        return name

    def _taken(self, name: str) -> bool:
        register, env = self.register, self.env
        words = name in register.kinds or name in register.cotangents or name in LANGUAGE or name in env.ranges
        return words or name in ARGUMENT_WORDS or any(name == index for index, _ in env.indices)

    def argument(self, call: Call, n: ast.expr, wanted: str) -> Tensor:
        """The tensor that an argument stands for; an expression becomes a statement."""
        if isinstance(n, ast.Name) and n.id in self.env.tensors:
            return self.env.tensors[n.id]
        if isinstance(n, ast.Name) and not self.env.tensors.keys() & {n.id} and self._unknown(n.id):
            raise self.env.undeclared(call.parsed, n, n.id)
        from symgrad.formula.arrays.notation import holds_indices
        from symgrad.formula.expression import read_tree

        if holds_indices(n, self.env):
            message = f"whole arrays are expected, and {call.parsed.source(n)} has indices"
            raise call.error(message, n, help=f"write {call.signature}, and subscripts behind the call: [i, j]")
        name = self.name(wanted, call)
        parsed = Parsed(call.parsed.text, n)
        inner = self._call(parsed, n)
        if inner is not None and len(inner.program.outputs) == 1:
            self.receive(inner, [name], "let", name, inner=True)
        else:
            reading = read_tree(self.without_calls(parsed, name), self.env, [])
            place: Place = parsed.text.place(*parsed.span(n))
            self.keep(call, Statement(name, reading.free, reading.body, "let", place, inner=True), [])
        return self.env.tensors[name]

    def _unknown(self, name: str) -> bool:
        env = self.env
        return name not in env.parameters and name not in env.dims and name not in LANGUAGE


class _Replacing(ast.NodeTransformer):
    def __init__(self, replace: Callable[[ast.AST], ast.expr | None]) -> None:
        self.replace = replace

    def visit(self, node: ast.AST) -> ast.AST:
        new = self.replace(node)
        return self.generic_visit(node) if new is None else new
