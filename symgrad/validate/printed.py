"""Closed forms as people get them: their text, read back. The judges look at what is printed, not at what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from symgrad.algebra.build import substitute
from symgrad.algebra.show import Names, show
from symgrad.algebra.terms import BATCH, Term, extent, idx
from symgrad.errors import FormulaError
from symgrad.formula.program import Program
from symgrad.validate.precise import Closed
from symgrad.validate.sizes import dimension_names


@dataclass(frozen=True)
class ReadDefinition:
    """A name of a closed form and its body, read back."""

    name: str
    indices: tuple[Term, ...]
    body: Term


@dataclass(frozen=True)
class ReadForm:
    """The gradient of an input, read back."""

    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple[ReadDefinition, ...]


def read_back(program: Program, forms: Sequence[Closed]) -> tuple[tuple[ReadForm, ...], str | None]:
    """Each closed form from its own text; and what is wrong with the first text that cannot be read."""
    out, wrong = [], None
    known: dict[object, ReadDefinition] = {}
    for form in forms:
        try:
            out.append(_read(program, form, known))
        except FormulaError as e:
            wrong = wrong or f"the printed gradient of {form.input} cannot be read back: {e.message}"
    return tuple(out), wrong


def _read(program: Program, form: Closed, known: dict[object, ReadDefinition]) -> ReadForm:
    """A form and its definitions; what several forms define alike is read once."""
    signatures: dict[str, tuple[Term, ...]] = {d.name: tuple(d.indices) for d in form.where}
    if not program.is_loss:
        signatures |= {f"d{s.name}": s.indices for s in program.outputs}
    page = Page(program, signatures)
    where = []
    for d in form.where:
        key = (d.name, d.indices, d.body)
        if key not in known:
            known[key] = ReadDefinition(d.name, *page.again(d.body, d.indices))
        where.append(known[key])
    return ReadForm(form.input, *page.again(form.closed, form.indices), tuple(where))


class Page:
    """A closed form with its definitions: the names that its text may use."""

    def __init__(self, program: Program, signatures: Mapping[str, tuple[Term, ...]]) -> None:
        self.program, self.signatures = program, signatures
        tensors = {*(i.name for i in program.inputs), *(s.name for s in program.statements), *signatures}
        taken = frozenset({*tensors, *(p.name for p in program.parameters), *_sizes(program)})
        shapes = program.shapes | {n: tuple(map(extent, s)) for n, s in signatures.items()}
        self.names = Names(taken=taken, shapes=shapes)

    def again(self, t: Term, free: Sequence[Term]) -> tuple[tuple[Term, ...], Term]:
        """Indices and body of a form after printing and reading; an index never bears the name of anything else."""
        from symgrad.formula.expression import parse_closed

        used = {str(i.data) for i in free}
        spare = (n for n in (f"i{k}" for k in count(1)) if n not in used | self.names.taken)
        renamed = {i: idx(next(spare), extent(i)) for i in free if str(i.data) in self.names.taken}
        indices = tuple(renamed.get(i, i) for i in free)
        text = show(substitute(t, renamed) if renamed else t, self.names, indices)
        return indices, parse_closed(text, self.program, indices, self.signatures)


def _sizes(program: Program) -> list[str]:
    return [n for n in dimension_names(program) if n != BATCH]
