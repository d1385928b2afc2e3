"""What the public functions of a formula look like: arguments, defaults, docstrings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from textwrap import wrap

from symgrad.algebra.decimals import literals_of
from symgrad.algebra.show import Names, show
from symgrad.algebra.terms import Term, extent
from symgrad.closing.derivation import Derivation
from symgrad.closing.parts import stated_axes
from symgrad.closing.second.order import closed_forms_of
from symgrad.emit.naming import identifier
from symgrad.emit.shapes import dims_in, shape_text
from symgrad.formula.program import Input, Parameter, Program, Statement

WIDTH = 100


def default_text(p: Parameter) -> str:
    """The default of a parameter as a literal."""
    v = Fraction(p.value)
    return str(int(v)) if p.dtype == "int" else repr(float(v))


def arguments(program: Program, reduction: bool) -> str:
    """`z, t, *, reduction="mean", g=2.0`."""
    names = [identifier(i.name) for i in program.inputs]
    options = (['reduction="mean"'] if reduction else []) + [
        f"{identifier(p.name)}={default_text(p)}" for p in program.parameters
    ]
    return ", ".join(names + (["*", *options] if options else []))


def passed(program: Program, reduction: bool) -> str:
    """The same arguments handed on: `z, t, reduction=reduction, g=g`."""
    names = [identifier(i.name) for i in program.inputs]
    options = (["reduction=reduction"] if reduction else []) + [
        f"{identifier(p.name)}={identifier(p.name)}" for p in program.parameters
    ]
    return ", ".join(names + options)


def input_text(i: Input) -> str:
    """`x[..., d]`; a scalar is its name."""
    return i.name + (
        shape_text(i.shape, False) if not i.batch else shape_text((extent_of_batch(), *i.shape), True)
    ) * bool(i.shape or i.batch)


def extent_of_batch() -> Term:
    """The number of batch elements."""
    from symgrad.algebra.terms import BATCH, dim

    return dim(BATCH)


def statement_text(s: Statement) -> str:
    """`y[..., m]`: a statement with its extents."""
    shown = ["..." if str(i.data) == "..." else show(extent(i)) for i in s.indices]
    return f"{s.name}[{', '.join(shown)}]" if shown else s.name


def bracketed(name: str, indices: Sequence[Term]) -> str:
    """`dz[i, j]`."""
    return f"{name}[{', '.join(str(i.data) for i in indices)}]" if indices else name


def module_docstring(d: Derivation, target: str) -> str:
    """Formula, shapes, closed forms, facts and kinks."""
    p = d.program
    blocks = [plain(d.formula.summary or d.formula.name)]
    outs = ", ".join(statement_text(s) for s in p.outputs)
    blocks.append(hanging(f"{', '.join(input_text(i) for i in p.inputs)} -> {outs}"))
    written = [f"{k}: {v}" for k, v in d.formula.written.items()]
    if written:
        blocks.append("Formula\n" + "\n".join(hanging(plain(line), "    ") for line in written))
    blocks.append(closed_forms(d))
    if d.second is not None:
        blocks.append(second_forms(d))
    if d.assumed:
        facts = [hanging(plain(f"{f.text} ({f.source})"), "    ") for f in d.assumed]
        blocks.append("Facts assumed (check_inputs looks whether data satisfy them)\n" + "\n".join(facts))
    if d.kinks:
        kinks = [hanging(f"{k.of} at {show(k.at)}: {k.convention}", "    ") for k in d.kinks]
        blocks.append("Kinks and the derivative taken there\n" + "\n".join(kinks))
    blocks.append(f"Written by symgrad for {target}.")
    text = "\n\n".join(blocks)
    raw = "r" if "\\" in text else ""
    return f'{raw}"""{text}\n"""'


def closed_forms(d: Derivation) -> str:
    """The gradients, and the names that they use."""
    title = "Gradient of the mean" if d.program.is_loss and d.program.loss.indices else "Gradient"
    lines, shown, names = [], set(), readable_names(d)
    for g in d.gradients:
        lines.append(hanging(f"{bracketed('d' + g.input, g.indices)} = {show(g.closed, names, g.indices)}", "    "))
    for g in d.gradients:
        for w in g.where:
            if w.name not in shown:
                shown.add(w.name)
                lines.append(
                    hanging(f"where {bracketed(w.name, w.indices)} = {show(w.body, names, w.indices)}", "    ")
                )
    return title + "\n" + "\n".join(lines)


def second_forms(d: Derivation) -> str:
    """The Hessian's products and diagonal, and the names that they use."""
    assert d.second is not None
    names, shown = readable_names(d), {w.name for g in d.gradients for w in g.where}
    along = ", ".join(f"{v} in {name}" for name, v in d.second.directions.items())
    lines = [hanging(f"Hessian, times a direction ({along}) and its diagonal")]
    for h in d.second.hessians:
        for head, g in (("Hv", h.product), ("hess", h.diagonal)):
            left = bracketed(f"{head}_{h.input}", g.indices)
            lines.append(hanging(f"{left} = {show(g.closed, names, g.indices)}", "    "))
    for w in (w for h in d.second.hessians for w in h.where):
        if w.name not in shown:
            shown.add(w.name)
            lines.append(hanging(f"where {bracketed(w.name, w.indices)} = {show(w.body, names, w.indices)}", "    "))
    return "\n".join(lines)


def readable_names(d: Derivation) -> Names:
    """Bound indices as the formula names those of the same extent; no name of a tensor, parameter or dimension."""
    p = d.program
    statements = (*d.forward, *d.backward)
    taken = {i.name for i in p.inputs} | {q.name for q in p.parameters} | {s.name for s in statements}
    forms = (*d.gradients, *closed_forms_of(d.second))
    taken |= {w.name for g in forms for w in g.where} | set(d.cotangents.values())
    taken |= set(d.second.directions.values()) if d.second is not None else set()
    taken |= {n for i in p.inputs for e in i.shape for n in dims_in(e)}
    pairs = [(str(i.data), extent(i)) for s in d.forward for i in s.indices]
    prefer: dict[Term, list[str]] = {}
    for name, size in (*pairs, *d.formula.index_names):
        known = prefer.setdefault(size, [])
        if name not in known and name not in taken and name.isidentifier():
            known.append(name)
    axes = stated_axes((w for g in forms for w in g.where), p.shapes)
    literals = literals_of(s.body for s in p.statements)
    return Names(prefer, frozenset(taken), shapes=axes, literals=literals)


def hanging(text: str, indent: str = "") -> str:
    """A long line continued with a deeper indentation."""
    return "\n".join(
        wrap(
            text,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def plain(text: str) -> str:
    """User text that cannot end the docstring it stands in."""
    return " ".join(text.split()).replace('"""', "'''").replace("\\", "\\\\").strip()


def docstring(text: str) -> str:
    """A docstring of one line, or of several where it is too long."""
    if len(text) <= WIDTH - 10:
        return f'"""{text}"""'
    lines = wrap(text, WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    return '"""' + "\n".join(lines) + '\n"""'
