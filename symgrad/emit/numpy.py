"""The target NumPy: `loss`, `grad`, `value_and_grad`, or `forward` and `backward`, and `check_inputs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symgrad.algebra.build import Fresh, mul, open_reduction, rebuild, reduce
from symgrad.algebra.terms import ONE, Term, extent, par
from symgrad.closing.derivation import Derivation
from symgrad.emit.checks import check_function
from symgrad.emit.dialect import NumpyDialect
from symgrad.emit.inputs import input_array, input_sources, inputs_function, parameter_names, range_lines
from symgrad.emit.module import Body, Module, function
from symgrad.emit.numpy_helpers import HELPERS
from symgrad.emit.shapes import Array, Sources, repr_of, shape_text, size_texts
from symgrad.emit.signature import arguments, bracketed, docstring, input_text, module_docstring, passed, statement_text
from symgrad.formula.program import Program, Statement
from symgrad.lower.arrays import Assign, reads
from symgrad.lower.program import lower_statements, signature_of, signatures_of
from symgrad.lower.scope import Names, Signature

QUIET = 'errstate(all="ignore")'


def numpy_kernels(d: Derivation) -> str:
    """The source of numpy_kernels.py."""
    p = d.program
    public = ["loss", "grad", "value_and_grad"] if p.is_loss else ["forward", "backward"]
    kept = [i.name for i in p.inputs] + [q.name for q in p.parameters]
    module = Module([*kept, *(() if p.is_loss else ("saved",)), "reduction", *public, "check_inputs"], "np", NumpyDialect(), HELPERS)
    for s in d.forward:
        if s.kind in ("let", "output"):
            module.names.bind(s.name)
    source, call = inputs_function(p, module)
    writer = LossWriter(d, module, call) if p.is_loss else LayerWriter(d, module, call)
    writer.write()
    module.blocks.append(check_function(d, module, call))
    module.blocks.append(source)
    return module.source(module_docstring(d, "NumPy"))


def named_tuple(module: Module, wish: str, names: Sequence[str], text: str) -> str:
    """A NamedTuple class, added to the module; its name."""
    base, name = module.module("NamedTuple"), module.names.fresh(wish)
    fields = [f"    {n}: {module.module('target')}.ndarray" for n in names]
    module.blocks.append("\n".join([f"class {name}({base}):", f'    """{text}"""', "", *fields]))
    return name


def taken_names(module: Module) -> Names:
    """Names for parts that no identifier of the module has."""
    return Names(set(module.names.taken) | set(module.names.names))


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


class Writer:
    """What losses and layers share."""

    def __init__(self, d: Derivation, module: Module, call: str) -> None:
        self.d, self.module, self.call = d, module, call
        self.p: Program = d.program
        self.np = module.module("target")
        self.quiet = f"{self.np}.{QUIET}"
        self.given: Mapping[str, Signature] = signatures_of(self.p)
        self.dtype = call.split(" = ")[0].rsplit(", ", 1)[-1]
        self.wrt = [i for i in self.p.wrt if i in d.gradient_of]

    def like(self) -> str:
        """A real input: dtype of new arrays."""
        return next(self.module.names.bind(i.name) for i in self.p.inputs if i.dtype == "real")

    def body(self, program: Sequence[Assign], sources: Sources, like: str) -> Body:
        """Assignments with the dimensions that they use."""
        body = Body(self.module, sources, like)
        body.assign(program)
        return body

    def rounded(self, name: str) -> str:
        """A result in the dtype of the inputs."""
        return f"{self.module.names.bind(name)}.astype({self.dtype}, copy=False)"

    def gradient_result(self, kind: str | None) -> str:
        """The gradients: one array, or a NamedTuple of them."""
        values = [self.rounded(self.d.gradient_of[i]) for i in self.wrt]
        if kind is None:
            return values[0]
        return f"{kind}({', '.join(values)})"

    def gradient_class(self) -> str | None:
        """The NamedTuple of several gradients."""
        if len(self.wrt) == 1:
            return None
        names = [self.module.names.bind(i) for i in self.wrt]
        return named_tuple(self.module, "Gradients", names, "The gradients, named by input.")


class LossWriter(Writer):
    """loss, grad, value_and_grad."""

    def write(self) -> None:
        """Adds the three functions."""
        kind = self.gradient_class()
        batch = bool(self.p.loss.indices)
        self.signature = arguments(self.p, batch)
        shapes = ", ".join(input_text(i) for i in self.p.inputs)
        sources = input_sources(self.p, self.module)
        self.module.blocks.append(self._loss(sources, shapes, batch))
        self.module.blocks.append(self._value_and_grad(sources, shapes, batch, kind))
        grads = ", ".join(bracketed(self.d.gradient_of[i], self._indices(i)) for i in self.wrt)
        call = f"return value_and_grad({passed(self.p, batch)})[1]"
        self.module.blocks.append(function(f"def grad({self.signature}):", docstring(f"{shapes} -> {grads}"), [call]))

    def _indices(self, name: str) -> tuple[Term, ...]:
        return next(s.indices for s in self.d.backward if s.name == self.d.gradient_of[name])

    def _reduced(self, batch: bool) -> str:
        value = self.module.names.bind(self.p.loss.name)
        if not batch:
            return f"{value}.astype({self.dtype}, copy=False)"
        return f"{self.module.helper('_reduced')}({value}, reduction).astype({self.dtype}, copy=False)"

    def _loss(self, sources: Sources, shapes: str, batch: bool) -> str:
        program = lower_statements(self.d.forward, self.given, [self.p.loss.name], taken_names(self.module))
        body = self.body(program, sources, self.like())
        ranges = range_lines(self.p, body)
        lines = [self.call, *body.prelude(), *ranges, *body.lines, f"return {self._reduced(batch)}"]
        text = docstring(f"{shapes} -> {statement_text(self.p.loss)}, reduced." if batch else f"{shapes} -> the loss.")
        return function(f"def loss({self.signature}):", text, lines, self.quiet)

    def _value_and_grad(self, sources: Sources, shapes: str, batch: bool, kind: str | None) -> str:
        loss = self.p.loss
        scale = self.module.names.fresh("scale")
        self.module.names.names[scale] = scale
        by = par(scale) if batch else ONE
        backward = scaled(self.d.backward, self.d.cotangents[loss.name], by)
        results = [loss.name, *(self.d.gradient_of[i] for i in self.wrt)]
        program = lower_statements([*self.d.forward, *backward], self.given, results, taken_names(self.module))
        body = self.body(program, sources, self.like())
        lines = list(body.lines)
        if batch:
            count = body.printer.scalars.text(mul(*(extent(i) for i in loss.indices)))
            lines.insert(0, f"{scale} = {self.module.helper('_scale')}(reduction, {count})")
        value = self._reduced(batch)
        ranges = range_lines(self.p, body)
        lines = [self.call, *body.prelude(), *ranges, *lines, f"return {value}, {self.gradient_result(kind)}"]
        text = docstring(f"{shapes} -> the reduced loss and its gradient.")
        return function(f"def value_and_grad({self.signature}):", text, lines, self.quiet)


class LayerWriter(Writer):
    """forward and backward."""

    def write(self) -> None:
        """Adds the two functions."""
        kind = self.gradient_class()
        outs = self.p.outputs
        out_names = [self.module.names.bind(s.name) for s in outs]
        outputs = named_tuple(self.module, "Outputs", out_names, "The outputs.") if len(outs) > 1 else None
        backward, kept, numbers = self._backward_program()
        saved = [*(self.module.names.bind(n) for n in kept), *numbers]
        self.module.blocks.append(self._forward(kept, saved, numbers, outputs))
        self.module.blocks.append(self._backward(backward, kept, saved, numbers, kind))

    def _cotangents(self) -> dict[str, Signature]:
        return {self.d.cotangents[s.name]: Signature(signature_of(s).extents) for s in self.p.outputs if s.name in self.d.cotangents}

    def _backward_program(self) -> tuple[list[Assign], list[str], list[str]]:
        """The backward pass, the arrays it reads from the forward pass, and the numbers that no array tells."""
        results = [self.d.gradient_of[i] for i in self.wrt]
        given = {**self.given, **self._cotangents()}
        program = lower_statements(self.d.backward, given, results, taken_names(self.module), self.d.forward)
        made = {a.name for a in program}
        read = {n: None for a in program for n in reads(a.expr) if n not in made and n not in self._cotangents()}
        order = [i.name for i in self.p.inputs] + [s.name for s in self.d.forward]
        kept = [n for n in order if n in read]
        sources = self._backward_sources(kept)
        body = Body(self.module, sources, self._backward_like())
        body.printer.scalars.note = body.note
        self.body_text(program, body)
        numbers = [n for n in body.dims if not sources.known(n)]
        return program, kept, [sources.variable(n) for n in numbers] + self._parameters(body)

    def body_text(self, program: Sequence[Assign], body: Body) -> None:
        """Prints the program once, to see what it asks for."""
        body.assign(program)

    def _parameters(self, body: Body) -> list[str]:
        import re

        text = "\n".join(body.lines)
        return [n for n in parameter_names(self.p, self.module).values() if re.search(rf"\b{n}\b", text)]

    def _backward_like(self) -> str:
        return self.module.names.bind(next(iter(self._cotangents())))

    def _backward_sources(self, kept: Sequence[str]) -> Sources:
        arrays = [input_array(i, self.module) for i in self.p.inputs if i.name in kept]
        arrays += [Array(self.module.names.bind(s.name), signature_of(s).extents) for s in self.d.forward if s.name in kept]
        arrays += [Array(self.module.names.bind(n), g.extents) for n, g in self._cotangents().items()]
        return Sources(arrays, self.module.names, parameter_names(self.p, self.module))

    def _forward(self, kept: Sequence[str], saved: Sequence[str], numbers: Sequence[str], outputs: str | None) -> str:
        results = [s.name for s in self.p.outputs] + [s.name for s in self.d.forward if s.name in kept]
        program = lower_statements(self.d.forward, self.given, list(dict.fromkeys(results)), taken_names(self.module))
        sources = input_sources(self.p, self.module)
        body = self.body(program, sources, self.like())
        for n in numbers:
            for dim in [k for k in sources.bare if sources.variable(k) == n] + [k for k in sources.solved if sources.variable(k) == n]:
                body.dims[dim] = None
        values = [self.rounded(s.name) for s in self.p.outputs]
        value = f"{outputs}({', '.join(values)})" if outputs else values[0]
        whole = f"({', '.join(saved)}{',' if len(saved) == 1 else ''})"
        ranges = range_lines(self.p, body)
        lines = [self.call, *body.prelude(), *ranges, *body.lines, f"return {value}, {whole}"]
        shapes = ", ".join(input_text(i) for i in self.p.inputs)
        text = docstring(f"{shapes} -> {', '.join(statement_text(s) for s in self.p.outputs)}, and what backward needs.")
        return function(f"def forward({arguments(self.p, False)}):", text, lines, self.quiet)

    def _backward(self, program: Sequence[Assign], kept: Sequence[str], saved: Sequence[str], numbers: Sequence[str], kind: str | None) -> str:
        sources = self._backward_sources(kept)
        body = self.body(program, sources, self._backward_like())
        known = {n for n in body.dims if sources.variable(n) in numbers}
        prelude = sources.lines([n for n in body.dims if n not in known])
        names = [self.module.names.bind(n) for n in self._cotangents()]
        unpack = f"{', '.join(saved) if len(saved) > 1 else f'({saved[0]},)' if saved else ''} = saved"
        floats = f"{', '.join([*names, self.dtype])} = {self.module.helper('_floats')}({', '.join(f'{n}={n}' for n in names)})"
        lines = [*([unpack] if saved else []), floats, *self._checks(kept, numbers), *prelude, *body.lines]
        lines.append(f"return {self.gradient_result(kind)}")
        cotangents = ", ".join(f"{self.d.cotangents[s.name]}{statement_text(s)[len(s.name) :]}" for s in self.p.outputs if s.name in self.d.cotangents)
        results = ", ".join(bracketed(self.d.gradient_of[i], self._indices(i)) for i in self.wrt)
        return function(f"def backward({', '.join([*names, 'saved'])}):", docstring(f"{cotangents} -> {results}"), lines, self.quiet)

    def _indices(self, name: str) -> tuple[Term, ...]:
        return next(s.indices for s in self.d.backward if s.name == self.d.gradient_of[name])

    def _checks(self, kept: Sequence[str], numbers: Sequence[str]) -> list[str]:
        """The shapes of the cotangents, as far as the saved arrays tell them."""
        arrays = [input_array(i, self.module) for i in self.p.inputs if i.name in kept]
        arrays += [Array(self.module.names.bind(s.name), signature_of(s).extents) for s in self.d.forward if s.name in kept]
        told = Sources(arrays, self.module.names, {k: v for k, v in parameter_names(self.p, self.module).items()})
        lines = []
        for n, g in self._cotangents().items():
            a = Array(self.module.names.bind(n), g.extents)
            sizes = [self._inline(told, e, numbers) for e in size_texts(a, told, self.module.names, parameter_names(self.p, self.module))]
            del sizes
            texts = []
            for e in a.extents:
                if e.op == "dim" and told.known(str(e.data)):
                    text = told.expression(str(e.data))
                    texts.append(f"*{text}" if a.batched and e is a.extents[0] else text)
                else:
                    texts.append("..." if a.batched and e is a.extents[0] else "None")
            lines.append(f"{self.module.helper('_sizes')}({repr_of(n)}, {a.name}, {repr_of(shape_text(a.extents, a.batched))}{''.join(', ' + t for t in texts)})")
        return lines

    @staticmethod
    def _inline(told: Sources, text: str, numbers: Sequence[str]) -> str:
        return text

