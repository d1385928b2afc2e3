"""The target torch: an autograd.Function behind a plain function, and a Module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.closing.derivation import Derivation
from symgrad.emit.axis_helpers import AXIS_HELPERS
from symgrad.emit.dialect import TorchDialect
from symgrad.emit.inputs import input_sources, inputs_function, parameter_names, range_lines, sources_of
from symgrad.emit.module import OWN, Body, Module, function
from symgrad.emit.naming import camel
from symgrad.emit.number_helpers import NUMBER_HELPERS
from symgrad.emit.shapes import Array
from symgrad.emit.signature import arguments, default_text, docstring, input_text, module_docstring, statement_text
from symgrad.emit.torch_helpers import HELPERS
from symgrad.emit.torch_matrices import MATRIX_HELPERS
from symgrad.formula.program import Program, Statement
from symgrad.lower.arrays import Assign, Transpose
from symgrad.lower.program import lower_statements, signatures_of
from symgrad.lower.scope import Signature, signature_of


def torch_kernels(d: Derivation) -> str:
    """The source of torch_kernels.py."""
    p = d.program
    kept = [i.name for i in p.inputs] + [q.name for q in p.parameters]
    public = [d.formula.name, camel(d.formula.name)]
    module = Module(
        [*kept, "reduction", *public], "torch", TorchDialect(), AXIS_HELPERS | HELPERS | MATRIX_HELPERS | NUMBER_HELPERS
    )
    for s in d.forward:
        if s.kind in ("let", "output"):
            module.names.bind(s.name)
    source, call = inputs_function(p, module)
    module.reserve(d)
    writer = TorchWriter(d, module, call)
    writer.write()
    module.blocks.append(source)
    return module.source(module_docstring(d, "torch"))


class TorchWriter:
    """The pieces of a torch module in order: function, Module, autograd.Function, its three computations."""

    def __init__(self, d: Derivation, module: Module, call: str) -> None:
        self.d, self.module, self.call = d, module, call
        self.p: Program = d.program
        self.torch = module.module("target")
        self.given: Mapping[str, Signature] = signatures_of(self.p)
        self.dtype = call.split(" = ", maxsplit=1)[0].rsplit(", ", 1)[-1]
        self.inputs = [module.names.bind(i.name) for i in self.p.inputs]
        self.parameters = list(parameter_names(self.p, module).values())
        self.like = next(module.names.bind(i.name) for i in self.p.inputs if i.dtype == "real")
        self.wrt = [i for i in self.p.wrt if i in d.gradient_of]
        self.outs = [s.name for s in self.p.outputs]
        self.batch = self.p.is_loss and bool(self.p.loss.indices)
        shapes = ", ".join(input_text(i) for i in self.p.inputs)
        self.values_text = f"{shapes} -> {', '.join(statement_text(s) for s in self.p.outputs)}"

    def write(self) -> None:
        """Adds all blocks."""
        outputs = self._outputs() if len(self.outs) > 1 else None
        self.module.blocks.append(self._function(outputs))
        self.module.blocks.append(self._module())
        self.module.blocks.append(self._kernel())
        if self.d.tangent:
            self.module.blocks.append(self._forward_mode())
        self.module.blocks += [self._values(), self._gradients()]
        if self.d.tangent:
            self.module.blocks.append(self._tangents())

    def _outputs(self) -> str:
        base, name = self.module.module("NamedTuple"), self.module.names.fresh("Outputs")
        fields = [f"    {self.module.names.bind(n)}: {self.torch}.Tensor" for n in self.outs]
        self.module.blocks.append("\n".join([f"class {name}({base}):", '    """The outputs."""', "", *fields]))
        return name

    # ---- the public function and the Module -------------------------------------------------------------------------

    def _function(self, outputs: str | None) -> str:
        values = [self.module.names.bind(n) for n in self.outs]
        arguments_ = ", ".join([*self.inputs, *self.parameters])
        kernel = (
            "_Function if " + f"{self.torch}.compiler.is_compiling() else _ForwardModeFunction"
            if self.d.tangent
            else "_Function"
        )
        chosen = self.module.names.free("kernel")
        body = Body(self.module, input_sources(self.p, self.module), self.like)
        ranges = range_lines(self.p, body)
        lines = [
            self.call,
            *body.prelude(),
            *ranges,
            f"{chosen} = {kernel}",
            f"with {self.torch}.autocast({self.like}.device.type, enabled=False):",
        ]
        lines.append(f"    {', '.join(values)} = {chosen}.apply({arguments_})")
        if self.batch:
            value = f"{self.module.helper('_reduced')}({values[0]}, reduction).to({self.dtype})"
        elif outputs:
            value = f"{outputs}({', '.join(f'{v}.to({self.dtype})' for v in values)})"
        else:
            value = f"{values[0]}.to({self.dtype})"
        result = "the loss, reduced" if self.batch else ", ".join(statement_text(s) for s in self.p.outputs)
        text = docstring(f"{', '.join(input_text(i) for i in self.p.inputs)} -> {result}")
        head = f"def {self.d.formula.name}({arguments(self.p, self.batch)}):"
        return function(head, text, [*lines, f"return {value}"])

    def _module(self) -> str:
        name, base = camel(self.d.formula.name), f"{self.torch}.nn.Module"
        options = (['reduction="mean"'] if self.batch else []) + [
            f"{n}={default_text(q)}" for n, q in zip(self.parameters, self.p.parameters, strict=True)
        ]
        handed = (["reduction"] if self.batch else []) + self.parameters
        lines = [
            f"class {name}({base}):",
            f'    """{self.d.formula.name} as a Module; the parameters are arguments of the constructor."""',
        ]
        if options:
            this = self.module.names.free("self")
            start = [
                "super().__init__()",
                f"{this}.options = {{{', '.join(f'{chr(34)}{n}{chr(34)}: {n}' for n in handed)}}}",
            ]
            lines += ["", function(f"def __init__({', '.join([this, '*', *options])}):", "", start, depth=1)]
        this = this if options else self.module.names.free("self")
        handed_on = ", ".join([*self.inputs, *([f"**{this}.options"] if options else [])])
        call = f"return {OWN}{self.d.formula.name}({handed_on})"
        text = docstring(self.values_text)
        return "\n".join(
            [*lines, "", function(f"def forward({', '.join([this, *self.inputs])}):", text, [call], depth=1)]
        )

    # ---- the autograd.Function --------------------------------------------------------------------------------------

    def _kernel(self) -> str:
        count = len(self.inputs)
        grads = [
            None if i.name not in self.wrt else self.module.names.bind(self.d.gradient_of[i.name])
            for i in self.p.inputs
        ]
        cotangents = [self.module.names.bind(c) for c in self._cotangents()]
        context = self.module.names.free("ctx")
        everything = f"*{context}.saved_tensors" + (f", *{context}.parameters" if self.parameters else "")
        targets = ", ".join(g for g in grads if g is not None)
        given = self.module.names.free("inputs"), self.module.names.free("output")
        setup = [
            f"{context}.save_for_backward(*{given[0]}[:{count}])",
            f"{context}.save_for_forward(*{given[0]}[:{count}])",
        ]
        if self.parameters:
            setup.append(f"{context}.parameters = {given[0]}[{count}:]")
        results = ", ".join([*(g or "None" for g in grads), *["None"] * len(self.parameters)])
        backward = [
            f"with {self.torch}.autocast({cotangents[0]}.device.type, enabled=False):",
            f"    {targets} = _gradients({', '.join(cotangents)}, {everything})",
            f"return {results}",
        ]
        parts = [
            f"class _Function({self.torch}.autograd.Function):",
            '    """Saves the inputs alone: the backward pass computes what it needs again."""',
            "",
            "    generate_vmap_rule = True",
        ]
        pieces = [
            (
                f"forward({', '.join([*self.inputs, *self.parameters])})",
                [f"return _values({', '.join([*self.inputs, *self.parameters])})"],
            ),
            (f"setup_context({context}, {given[0]}, {given[1]})", setup),
            (f"backward({context}, {', '.join(cotangents)})", backward),
        ]
        for head, lines in pieces:
            parts += ["", function(f"def {head}:", "", lines, "staticmethod", depth=1)]
        return "\n".join(parts)

    def _forward_mode(self) -> str:
        context, n, t = (self.module.names.free(w) for w in ("ctx", "tangents", "tangent"))
        x = self.module.names.free("primal")
        count = len(self.inputs)
        everything = f"*{context}.saved_tensors" + (f", *{context}.parameters" if self.parameters else "")
        lines = [
            f"{n} = (",
            f"    {self.torch}.zeros_like({x}) if {t} is None else {t}",
            f"    for {x}, {t} in zip({context}.saved_tensors, {n}[:{count}])",
            ")",
            f"return _tangents(*{n}, {everything})",
        ]
        head = [
            "class _ForwardModeFunction(_Function):",
            '    """With forward mode; torch.compile does not trace a Function that has it."""',
            "",
        ]
        return "\n".join([*head, function(f"def jvp({context}, *{n}):", "", lines, "staticmethod", depth=1)])

    # ---- what it computes -------------------------------------------------------------------------------------------

    def _cotangents(self) -> dict[str, Signature]:
        return {self.d.cotangents[s.name]: Signature(signature_of(s).extents) for s in self.p.outputs}

    def _compute(
        self,
        name: str,
        first: Sequence[str],
        statements: Sequence[Statement],
        given: Mapping[str, Signature],
        results: Sequence[str],
        text: str,
        base: bool = False,
    ) -> str:
        """`base`: results are no views: the tangent of a view must lie in memory as it does, and it takes no `+=`."""
        program = lower_statements(statements, {**self.given, **given}, results, self.module.parts())
        sources = input_sources(self.p, self.module)
        arrays = [*sources.arrays, *(Array(self.module.names.bind(n), g.extents) for n, g in given.items())]
        body = Body(self.module, sources_of(self.p, self.module, arrays), self.like)
        body.assign(program)
        views = {a.name for a in program if isinstance(a, Assign) and isinstance(a.expr, Transpose)} if base else set()
        values = ", ".join(self.module.names.bind(r) + ".detach()" * (r in views) for r in results)
        head = f"def {name}({', '.join([*first, *self.inputs, *self.parameters])}):"
        return function(head, docstring(text), [*body.prelude(), *body.lines, f"return {values}"])

    def _values(self) -> str:
        return self._compute("_values", [], self.d.forward, {}, self.outs, self.values_text, True)

    def _gradients(self) -> str:
        given = self._cotangents()
        first = [self.module.names.bind(n) for n in given]
        results = [self.d.gradient_of[i] for i in self.wrt]
        cotangents = [f"{self.d.cotangents[s.name]}{statement_text(s)[len(s.name) :]}" for s in self.p.outputs]
        text = f"{', '.join(cotangents)} -> {', '.join(results)}"
        return self._compute("_gradients", first, [*self.d.forward, *self.d.backward], given, results, text)

    def _tangents(self) -> str:
        names = {i.name: self.d.tangent_of.get(i.name, f"{i.name}_dot") for i in self.p.inputs}
        given = {names[i.name]: self.given[i.name] for i in self.p.inputs}
        first = [self.module.names.bind(n) for n in names.values()]
        results = [self.d.tangent_of[n] for n in self.outs]
        text = f"{', '.join(names.values())} -> {', '.join(results)}"
        return self._compute("_tangents", first, [*self.d.forward, *self.d.tangent], given, results, text)
