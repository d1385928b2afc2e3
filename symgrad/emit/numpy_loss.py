"""NumPy kernels of a loss: `loss`, `value_and_grad`, `grad`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from symgrad.algebra.build import Fresh, mul, open_reduction, rebuild, reduce
from symgrad.algebra.terms import ONE, Term, extent, par
from symgrad.emit.inputs import input_sources, range_lines
from symgrad.emit.module import Body, function
from symgrad.emit.numpy_writer import Writer
from symgrad.emit.signature import arguments, docstring, passed, statement_text
from symgrad.formula.program import Statement
from symgrad.lower.program import lower_statements


def scaled(statements: Sequence[Statement], cotangent: str, by: Term) -> tuple[Statement, ...]:
    """The statements with every read of a cotangent replaced by one number."""
    fresh = Fresh()
    return tuple(replace(s, body=_scaled(s.body, cotangent, by, fresh)) for s in statements)


def _scaled(t: Term, cotangent: str, by: Term, fresh: Fresh) -> Term:
    if cotangent not in t.tensors:
        return t
    if t.op == "get" and t.data == cotangent:
        return by
    if t.op == "red":
        body, over = open_reduction(t, fresh)
        return reduce(str(t.data), _scaled(body, cotangent, by, fresh), over)
    return rebuild(t, tuple(_scaled(a, cotangent, by, fresh) for a in t.args))


class LossWriter(Writer):
    """The cotangent of a loss is one number, the same for every element of the batch: it is put in as `scale`."""

    def write(self) -> None:
        """Adds the three functions."""
        self.batch = bool(self.p.loss.indices)
        self.signature = arguments(self.p, self.batch)
        self.sources = input_sources(self.p, self.module)
        self.kind = self.gradient_class()
        call = f"return value_and_grad({passed(self.p, self.batch)})[1]"
        text = docstring(f"{self.shapes} -> {self.gradients}")
        self.module.blocks += [
            self._loss(),
            self._value_and_grad(),
            function(f"def grad({self.signature}):", text, [call]),
        ]

    @cached_property
    def scale(self) -> str:
        """The identifier of the weight of one element of the batch."""
        name = self.module.names.fresh("scale")
        self.module.names.names[name] = name
        return name

    def scaled(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """Adjoint statements with the weight of one element of the batch as the cotangent of the loss."""
        by = par(self.scale) if self.batch else ONE
        return scaled(statements, self.d.cotangents[self.p.loss.name], by)

    def weight(self, body: Body) -> list[str]:
        """The line that computes that weight."""
        if not self.batch:
            return []
        count = body.printer.scalars.text(mul(*(extent(i) for i in self.p.loss.indices)))
        return [f"{self.scale} = {self.module.helper('_scale')}(reduction, {count})"]

    def results(self, names: Sequence[str]) -> str:
        """Arrays like the gradient: one, or a NamedTuple of several."""
        values = [self.rounded(n) for n in names]
        return values[0] if self.kind is None else f"{self.kind}({', '.join(values)})"

    def _reduced(self) -> str:
        value = self.module.names.bind(self.p.loss.name)
        if self.batch:
            value = f"{self.module.helper('_reduced')}({value}, reduction)"
        return f"{value}.astype({self.dtype}, copy=False)"

    def _loss(self) -> str:
        program = lower_statements(self.d.forward, self.given, [self.p.loss.name], self.module.parts())
        body = self.body(program, self.sources, self.like())
        ranges = range_lines(self.p, body)
        lines = [self.call, *body.prelude(), *ranges, *body.lines, f"return {self._reduced()}"]
        value = f"{statement_text(self.p.loss)}, reduced." if self.batch else "the loss."
        return function(f"def loss({self.signature}):", docstring(f"{self.shapes} -> {value}"), lines, self.quiet)

    def _value_and_grad(self) -> str:
        loss = self.p.loss
        results = [loss.name, *(self.d.gradient_of[i] for i in self.wrt)]
        backward = self.scaled(self.d.backward)
        program = lower_statements([*self.d.forward, *backward], self.given, results, self.module.parts())
        body = self.body(program, self.sources, self.like())
        weight = self.weight(body)
        ranges = range_lines(self.p, body)
        result = f"return {self._reduced()}, {self.gradient_result(self.kind)}"
        lines = [self.call, *body.prelude(), *ranges, *weight, *body.lines, result]
        text = docstring(f"{self.shapes} -> the {'reduced ' * self.batch}loss and its gradient.")
        return function(f"def value_and_grad({self.signature}):", text, lines, self.quiet)
