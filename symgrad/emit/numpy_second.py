"""NumPy kernels of the second order: `grad_and_hess` and `hvp` of a loss."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.closing.second.order import SecondOrder
from symgrad.emit.inputs import range_lines
from symgrad.emit.module import Module, function
from symgrad.emit.naming import identifier
from symgrad.emit.numpy_loss import LossWriter
from symgrad.emit.signature import docstring
from symgrad.formula.directions import DIRECTION
from symgrad.formula.program import Program, Statement
from symgrad.lower.program import lower_statements
from symgrad.lower.scope import Signature


def argument(program: Program) -> str:
    """The name of the argument of `hvp` that is the direction: v, where the formula has no argument of that name."""
    own = {identifier(i.name) for i in program.inputs} | {identifier(p.name) for p in program.parameters}
    name = DIRECTION
    while name in own:
        name += "_"
    return name


class SecondWriter:
    """Both share the statements of the value and of the gradient with what `value_and_grad` computes."""

    def __init__(self, writer: LossWriter, second: SecondOrder) -> None:
        self.writer, self.second = writer, second
        self.module: Module = writer.module
        self.argument = argument(writer.p)

    def write(self) -> None:
        """Adds the two functions."""
        self.module.blocks += [self._grad_and_hess(), self._product()]

    def _grad_and_hess(self) -> str:
        w = self.writer
        gradients = [w.d.gradient_of[i] for i in w.wrt]
        diagonals = [self.second.program.diagonal_of[i] for i in w.wrt]
        lines = self._body([], self.second.program.diagonal, [*gradients, *diagonals])
        lines.append(f"return {w.results(gradients)}, {w.results(diagonals)}")
        text = docstring(f"{w.shapes} -> {w.gradients}, and as many of the Hessian's diagonal.")
        return function(f"def grad_and_hess({w.signature}):", text, lines, w.quiet)

    def _product(self) -> str:
        w, names = self.writer, self.module.names
        first = w.signature.partition("*, ")
        head = f"{first[0].rstrip(', ')}, {self.argument}" + (f", *, {first[2]}" if first[1] else "")
        own = [self.second.directions[i] for i in w.wrt]
        if len(own) == 1:
            names.names[own[0]] = self.argument
        bound = ", ".join([*(names.bind(n) for n in own), w.dtype])
        inputs = ", ".join(f"{names.bind(i)}={names.bind(i)}" for i in w.wrt)
        check = f"{bound} = {self.module.helper('_directions')}({self.argument}, {w.dtype}, {inputs})"
        results = [self.second.program.product_of[i] for i in w.wrt]
        lines = self._body([check], self.second.program.product, results)
        lines.append(f"return {w.results(results)}")
        text = docstring(f"{w.shapes}, {self._directions()} -> the Hessian of the loss times {self.argument}.")
        return function(f"def hvp({head}):", text, lines, w.quiet)

    def _directions(self) -> str:
        w = self.writer
        return self.argument if len(w.wrt) == 1 else f"{self.argument} = ({', '.join(w.wrt)})"

    def _body(self, checks: Sequence[str], statements: Sequence[Statement], results: Sequence[str]) -> list[str]:
        w = self.writer
        given = dict(w.given)
        for i, name in self.second.directions.items():
            given[name] = Signature(w.given[i].extents) if checks else given.get(name, Signature(w.given[i].extents))
        every = [*w.d.forward, *w.scaled([*w.d.backward, *statements])]
        body = w.body(lower_statements(every, given, results, self.module.parts()), w.sources, w.like())
        weight, ranges = w.weight(body), range_lines(w.p, body)
        return [w.call, *checks, *body.prelude(), *ranges, *weight, *body.lines]


__all__ = ["SecondWriter", "argument"]
