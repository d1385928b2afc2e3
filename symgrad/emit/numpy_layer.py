"""NumPy kernels of a layer: `forward`, which saves what `backward` needs and no more, and `backward`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.algebra.terms import BATCH
from symgrad.emit.inputs import input_array, input_sources, range_lines, sources_of
from symgrad.emit.module import function
from symgrad.emit.numpy_writer import Writer
from symgrad.emit.shapes import Array, Sources, repr_of, shape_text
from symgrad.emit.signature import arguments, docstring, statement_text
from symgrad.lower.arrays import Item, made_by, read_by
from symgrad.lower.program import lower_statements
from symgrad.lower.scope import Signature, signature_of


@dataclass(frozen=True)
class Saved:
    """What the forward pass hands to the backward pass: arrays, dimensions that no array tells, parameters."""

    arrays: list[str]
    dims: list[str]
    parameters: list[str]


class LayerWriter(Writer):
    """Statements of the forward pass that the backward pass reads are saved, not computed again."""

    def write(self) -> None:
        """Adds the classes of results and the two functions."""
        kind = self.gradient_class()
        outs = [self.module.names.bind(s.name) for s in self.p.outputs]
        outputs = self.named_tuple("Outputs", outs, "The outputs.") if len(outs) > 1 else None
        self.cotangents = {self.d.cotangents[s.name]: Signature(signature_of(s).extents) for s in self.p.outputs}
        program = self._backward_program()
        saved = self._saved(program)
        self.module.blocks += [self._forward(saved, outputs), self._backward(program, saved, kind)]

    # ---- what is saved ----------------------------------------------------------------------------------------------

    def _backward_program(self) -> list[Item]:
        results = [self.d.gradient_of[i] for i in self.wrt]
        given = {**self.given, **self.cotangents}
        return lower_statements(self.d.backward, given, results, self.module.parts(), self.d.forward)

    def _saved(self, program: Sequence[Item]) -> Saved:
        made = {n for a in program for n in made_by(a)}
        read = {n for a in program for n in read_by(a)} - made - set(self.cotangents)
        order = [i.name for i in self.p.inputs] + [s.name for s in self.d.forward]
        arrays = [n for n in order if n in read]
        body = self.body(program, self._backward_sources(arrays), self._backward_like())
        dims = [n for n in body.dims if not body.sources.known(n)]
        for n in body.dims:
            if n not in dims and n in body.sources.solved:
                dims.append(n)
        return Saved(arrays, dims, [p.name for p in self.p.parameters if p.name in body.parameters])

    def _identifiers(self, saved: Saved, sources: Sources) -> list[str]:
        named = [self.module.names.bind(n) for n in (*saved.arrays, *saved.parameters)]
        count = len(saved.arrays)
        return [*named[:count], *(sources.variable(n) for n in saved.dims), *named[count:]]

    def _saved_arrays(self, saved: Sequence[str]) -> list[Array]:
        inputs = [input_array(i, self.module) for i in self.p.inputs if i.name in saved]
        made = [s for s in self.d.forward if s.name in saved]
        return inputs + [Array(self.module.names.bind(s.name), signature_of(s).extents) for s in made]

    def _backward_sources(self, saved: Sequence[str]) -> Sources:
        incoming = [Array(self.module.names.bind(n), g.extents) for n, g in self.cotangents.items()]
        return sources_of(self.p, self.module, [*self._saved_arrays(saved), *incoming])

    def _backward_like(self) -> str:
        return self.module.names.bind(next(iter(self.cotangents)))

    # ---- the functions ----------------------------------------------------------------------------------------------

    def _forward(self, saved: Saved, outputs: str | None) -> str:
        made = [s.name for s in self.d.forward if s.name in saved.arrays]
        results = dict.fromkeys([s.name for s in self.p.outputs] + made)
        program = lower_statements(self.d.forward, self.given, list(results), self.module.parts())
        body = self.body(program, input_sources(self.p, self.module), self.like())
        for n in saved.dims:
            body.note(f"dim {n}")
        kept = self._identifiers(saved, body.sources)
        values = [self.rounded(s.name) for s in self.p.outputs]
        value = f"{outputs}({', '.join(values)})" if outputs else values[0]
        ranges = range_lines(self.p, body)
        lines = [self.call, *body.prelude(), *ranges, *body.lines, f"return {value}, {tuple_text(kept)}"]
        results_text = ", ".join(statement_text(s) for s in self.p.outputs)
        text = docstring(f"{self.shapes} -> {results_text}, and what backward needs.")
        return function(f"def forward({arguments(self.p, False)}):", text, lines, self.quiet)

    def _backward(self, program: Sequence[Item], saved: Saved, kind: str | None) -> str:
        body = self.body(program, self._backward_sources(saved.arrays), self._backward_like())
        for n in saved.dims:
            body.dims.pop(n, None)
        kept = self._identifiers(saved, body.sources)
        names = [self.module.names.bind(n) for n in self.cotangents]
        unpack = [f"{', '.join(kept) if len(kept) > 1 else tuple_text(kept)} = saved"] if kept else []
        floats = f"{self.module.helper('_floats')}({', '.join(f'{n}={n}' for n in names)})"
        start = [*unpack, f"{', '.join([*names, self.dtype])} = {floats}", *self._checks(saved)]
        lines = [*start, *body.prelude(), *body.lines, f"return {self.gradient_result(kind)}"]
        shapes = [f"{self.d.cotangents[s.name]}{statement_text(s)[len(s.name) :]}" for s in self.p.outputs]
        text = docstring(f"{', '.join(shapes)} -> {self.gradients}")
        return function(f"def backward({', '.join([*names, 'saved'])}):", text, lines, self.quiet)

    def _checks(self, saved: Saved) -> list[str]:
        """The shapes of the cotangents, as far as the saved values tell them."""
        told = sources_of(self.p, self.module, self._saved_arrays(saved.arrays))
        lines = []
        for n, g in self.cotangents.items():
            a = Array(self.module.names.bind(n), g.extents)
            sizes = [self._size(told, saved, str(e.data) if e.op == "dim" else "") for e in a.extents]
            told_as = [repr_of(n), a.name, repr_of(shape_text(a.extents, a.batched)), *sizes]
            lines.append(f"{self.module.helper('_sizes')}({', '.join(told_as)})")
        return lines

    @staticmethod
    def _size(told: Sources, saved: Saved, name: str) -> str:
        if name == BATCH:
            text = told.variable(BATCH) if BATCH in saved.dims else told.bare.get(BATCH) and told.expression(BATCH)
            return f"*{text}" if text else "..."
        if name in saved.dims:
            return told.variable(name)
        return told.expression(name) if name in told.bare else "None"


def tuple_text(items: Sequence[str]) -> str:
    """A tuple in parentheses."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
