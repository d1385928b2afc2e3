"""The function `_inputs` of a generated module: dtypes, shapes and ranges of the arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.algebra.build import sub
from symgrad.algebra.show import show
from symgrad.algebra.terms import ONE, ZERO, Term, dim, extent, walk
from symgrad.emit.module import Body, Module, function
from symgrad.emit.shapes import Array, Sources, check_lines, equations_of, repr_of
from symgrad.emit.signature import docstring, input_text
from symgrad.formula.program import Input, Program

KINDS = {"int": "_integers", "bool": "_booleans"}


@dataclass(frozen=True)
class Gathered:
    """An integer input as a subscript: its bounds and the axis that it subscripts."""

    name: str
    low: Term
    high: Term
    axis: str


def input_array(i: Input, module: Module) -> Array:
    """An input as an array of a function."""
    return Array(module.names.bind(i.name), ((dim("..."),) if i.batch else ()) + i.shape)


def input_sources(program: Program, module: Module) -> Sources:
    """The dimensions that the inputs tell."""
    return sources_of(program, module, [input_array(i, module) for i in program.inputs])


def sources_of(program: Program, module: Module, arrays: Sequence[Array]) -> Sources:
    """The dimensions that these arrays tell."""
    return Sources(arrays, module.names, parameter_names(program, module), equations_of(program))


def parameter_names(program: Program, module: Module) -> dict[str, str]:
    """Identifiers of the parameters."""
    return {p.name: module.names.bind(p.name) for p in program.parameters}


def gathered(program: Program) -> Iterator[Gathered]:
    """Every use of an integer input as a subscript, once for each axis."""
    extents: dict[str, tuple[Term, ...]] = {
        i.name: ((dim("..."),) if i.batch else ()) + i.shape for i in program.inputs
    }
    extents |= {s.name: tuple(extent(i) for i in s.indices) for s in program.statements}
    whole = {i.name: i for i in program.inputs if i.dtype == "int"}
    seen = set()
    for s in program.statements:
        for t in walk(s.body):
            if t.op not in ("get", "get0"):
                continue
            for e, n in zip(t.args, extents[str(t.data)], strict=True):
                if e.op == "get" and str(e.data) in whole and (e.data, n) not in seen:
                    seen.add((e.data, n))
                    yield _bounds(whole[str(e.data)], n, str(t.data))


def _bounds(i: Input, n: Term, tensor: str) -> Gathered:
    low, high = i.domain.bounds if i.domain.kind == "integer" else (ZERO, sub(n, ONE))
    return Gathered(i.name, low, high, f"axis {show(n)} of {tensor}")


def inputs_function(program: Program, module: Module) -> tuple[str, str]:
    """The source of `_inputs`, and the line that calls it."""
    names = module.names
    own = {i.name: names.bind(i.name) for i in program.inputs}
    dtype = names.fresh("dtype")
    real = [own[i.name] for i in program.inputs if i.dtype == "real"]
    lines = (
        [f"{', '.join([*real, dtype])} = {module.helper('_floats')}({', '.join(f'{n}={n}' for n in real)})"]
        if real
        else []
    )
    for i in program.inputs:
        if i.dtype != "real":
            n = own[i.name]
            lines.append(f"{n} = {module.helper(KINDS[i.dtype])}({repr_of(i.name)}, {n})")
    parameters = parameter_names(program, module)
    lines += check_lines(program, names, module.helper("_sizes"), parameters)
    used = [parameters[p.name] for p in program.parameters if any(_uses(line, parameters[p.name]) for line in lines)]
    results = ", ".join([*own.values(), *([dtype] if real else [])])
    arguments = ", ".join([*own.values(), *used])
    text = docstring(f"Checked: {', '.join(input_text(i) for i in program.inputs)}; and the dtype of the results.")
    body = prune([*lines, f"return {results}"], set(own.values()) | {dtype})
    return function(f"def _inputs({arguments}):", text, body), f"{results} = _inputs({arguments})"


def range_lines(program: Program, body: Body) -> list[str]:
    """Statements that raise IndexError for an integer outside of the axis that it subscripts."""
    lines = []
    for g in gathered(program):
        if all(body.sources.tells(t) for t in (g.low, g.high)):
            ends = [body.printer.scalars.text(t) for t in (g.low, g.high)]
            call = ", ".join([repr_of(g.name), body.names[g.name], *ends, repr_of(g.axis)])
            lines.append(f"{body.note('helper _in_range')}({call})")
    return lines


def _uses(line: str, name: str) -> bool:
    import re

    return re.search(rf"\b{re.escape(name)}\b", line) is not None


def prune(lines: list[str], kept: set[str]) -> list[str]:
    """Unpacked sizes that nothing reads become `_`; an unpacking of nothing is a call."""
    out: list[str] = []
    for k, line in enumerate(lines):
        target, sign, rest = line.partition(" = ")
        if not sign or (not rest.startswith("_sizes(") and not rest.endswith(".shape")):
            out.append(line)
            continue
        later = " ".join(lines[k + 1 :])
        parts = [
            t if t.lstrip("*") in kept or _uses(later, t.lstrip("*")) else ("*_" if t[0] == "*" else "_")
            for t in target.strip("(,)").split(", ")
        ]
        if any(t.strip("*_") for t in parts):
            text = f"({parts[0]},)" if target.startswith("(") else ", ".join(parts)
            out.append(f"{text} = {rest}")
        elif not rest.endswith(".shape"):
            out.append(rest)
    return out
