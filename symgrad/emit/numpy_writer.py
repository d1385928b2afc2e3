"""What the NumPy kernels of losses and layers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.algebra.terms import Term
from symgrad.closing.derivation import Derivation
from symgrad.emit.module import Body, Module
from symgrad.emit.shapes import Sources
from symgrad.emit.signature import bracketed, input_text
from symgrad.formula.program import Program
from symgrad.lower.arrays import Item
from symgrad.lower.program import signatures_of
from symgrad.lower.scope import Signature


class Writer:
    """Adds the kernels of one formula to a module. `call` is the line that checks the inputs."""

    def __init__(self, d: Derivation, module: Module, call: str) -> None:
        self.d, self.module, self.call = d, module, call
        self.p: Program = d.program
        self.np = module.module("target")
        self.quiet = f'{self.np}.errstate(all="ignore")'
        self.given: Mapping[str, Signature] = signatures_of(self.p)
        self.dtype = call.split(" = ", maxsplit=1)[0].rsplit(", ", 1)[-1]
        self.wrt = [i for i in self.p.wrt if i in d.gradient_of]
        self.shapes = ", ".join(input_text(i) for i in self.p.inputs)
        self.gradients = ", ".join(bracketed(d.gradient_of[i], self._indices(i)) for i in self.wrt)

    def _indices(self, name: str) -> tuple[Term, ...]:
        return next(s.indices for s in self.d.backward if s.name == self.d.gradient_of[name])

    def like(self) -> str:
        """A real input: the dtype of new arrays."""
        return next(self.module.names.bind(i.name) for i in self.p.inputs if i.dtype == "real")

    def body(self, program: Sequence[Item], sources: Sources, like: str) -> Body:
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
        return values[0] if kind is None else f"{kind}({', '.join(values)})"

    def gradient_class(self) -> str | None:
        """The NamedTuple of several gradients, its name."""
        if len(self.wrt) == 1:
            return None
        names = [self.module.names.bind(i) for i in self.wrt]
        return self.named_tuple("Gradients", names, "The gradients, named by input.")

    def named_tuple(self, wish: str, names: Sequence[str], text: str) -> str:
        """A NamedTuple class, added to the module; its name."""
        base, name = self.module.module("NamedTuple"), self.module.names.fresh(wish)
        fields = [f"    {n}: {self.np}.ndarray" for n in names]
        self.module.blocks.append("\n".join([f"class {name}({base}):", f'    """{text}"""', "", *fields]))
        return name
