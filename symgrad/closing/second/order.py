"""Second order: the Hessian-vector product of a loss is the tangent of its gradient, the diagonal that at unit vectors.

program, adjoint statements -> their tangents along v -> H v, diagonal      (for machines: second_program)
closed gradient -> its tangent, simplified -> H v -> diagonal               (for people: here)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.terms import ZERO, Term, get
from symgrad.calculus.chain import COLUMN, TANGENT
from symgrad.closing.closed import ClosedForms
from symgrad.closing.forward_mode import RULES
from symgrad.closing.parts import Definition, Gradient
from symgrad.closing.reverse import Adjoints
from symgrad.closing.second.directional import Directional
from symgrad.closing.second.directions import Directions, UniqueNames
from symgrad.closing.second.forms import SecondForms
from symgrad.closing.second.program import SecondProgram, SecondPrograms
from symgrad.closing.softmax import rejoin
from symgrad.errors import UnsupportedError, UsageError
from symgrad.formula.program import Formula, Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite


@dataclass(frozen=True)
class Hessian:
    """Closed forms for one input: row of the Hessian times the direction in all inputs, and the diagonal."""

    input: str
    direction: str
    product: Gradient
    diagonal: Gradient

    @property
    def indices(self) -> tuple[Term, ...]:
        """The axes of the input."""
        return self.product.indices

    @property
    def where(self) -> tuple[Definition, ...]:
        """The names that the closed forms use."""
        found = {d.name: d for d in (*self.product.where, *self.diagonal.where)}
        return tuple(found.values())


@dataclass(frozen=True)
class SecondOrder:
    """Second derivatives: `directions`: input -> the name of the direction in it; closed forms; statements."""

    directions: Mapping[str, str]
    hessians: tuple[Hessian, ...]
    program: SecondProgram


def statements_of(second: SecondOrder | None) -> tuple[Statement, ...]:
    """What kernels of the second order compute."""
    return () if second is None else (*second.program.product, *second.program.diagonal)


def refuse_what_has_none(program: Program) -> None:
    """UsageError where there is no loss to differentiate twice; UnsupportedError for a recurrence."""
    if not program.is_loss:
        raise UsageError(
            f"--order 2 is for losses, and {program.name} is a layer\n = help: its torch function can be "
            "differentiated twice (torch.autograd.functional.hvp); or write a loss of the layer's outputs"
        )
    if any(s.recurrence is not None for s in program.statements):
        raise UnsupportedError("second derivatives of a recurrence (scan)", help="unroll its steps under `let`")


def forms_of(kind: str, gradients: Sequence[Gradient], second: SecondOrder | None) -> Sequence[Gradient]:
    """The closed forms of a kind that `expect` knows: products (hvp), diagonals (diagonal), else the gradients."""
    if second is None or kind not in ("hvp", "diagonal"):
        return gradients
    return [h.product if kind == "hvp" else h.diagonal for h in second.hessians]


def closed_forms_of(second: SecondOrder | None) -> tuple[Gradient, ...]:
    """Every closed form of the second order."""
    return () if second is None else tuple(g for h in second.hessians for g in (h.product, h.diagonal))


@dataclass(frozen=True)
class _Sweep:
    """What closed forms are made from: the gradients' own names, and their tangents."""

    cotangents: Mapping[str, str]
    adjoint_of: dict[str, Statement]
    statements: tuple[Statement, ...]
    gradient_of: Mapping[str, str]
    machine: Mapping[str, Statement] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()


def second_order(
    formula: Formula,
    program: Program,
    adjoints: Adjoints,
    forms: ClosedForms,
    gradients: Sequence[Gradient],
    context: Context,
) -> SecondOrder:
    """The second derivatives of a hoisted program, from what the first order found."""
    directions = Directions(formula, program, adjoints, gradients, context)
    machine = SecondPrograms(directions).derive()
    product, diagonal = (rejoin(s, program) for s in (machine.product, machine.diagonal))
    hessians = _Hessians(directions, forms).derive()
    return SecondOrder(directions.names, hessians, replace(machine, product=product, diagonal=diagonal))


class _Hessians:
    """The closed forms."""

    def __init__(self, directions: Directions, forms: ClosedForms) -> None:
        self.directions, self.forms, self.context = directions, forms, directions.context
        self.unique = UniqueNames(directions.taken())
        introduced = {d.name: d for g in directions.gradients for d in g.where if d.introduced}
        adjoints = [s.name for s in directions.adjoints.statements]
        self.adjoints = [_statement(d, "adjoint") for d in introduced.values() if d.name in adjoints]

    def derive(self) -> tuple[Hessian, ...]:
        """The Hessian of each input."""
        along = Directional(self.directions.names, self._tidy, self.unique)
        named = [s for s in self.directions.program.statements if s.kind != "loss"]
        along.push([self.forms.visible(s) if s.kind != "hoisted" else s for s in named])
        along.push(self.adjoints)
        raw = {g.input: along.of(g.closed) for g in self.directions.gradients}
        forms = self._forms(along.statements)
        forms.keep(raw.values())
        found = []
        for g in self.directions.gradients:
            product = self._product(forms, g, raw[g.input])
            diagonal = self._diagonal(product, along.statements)
            found.append(Hessian(g.input, self.directions.names[g.input], product, diagonal))
        return tuple(found)

    def _tidy(self, t: Term) -> Term:
        with self.context.quietly():
            return rewrite(t, RULES, self.context)

    def _forms(self, tangents: Sequence[Statement]) -> SecondForms:
        every = {s.name: s for s in (*self.adjoints, *tangents)}
        adjoints = self.directions.adjoints
        sweep = _Sweep(adjoints.cotangents, every, tuple(every.values()), adjoints.gradient_of)
        return SecondForms(self.directions.program, sweep, self.context)

    def _product(self, forms: SecondForms, g: Gradient, raw: Term) -> Gradient:
        self.context.subject = f"Hessian-vector product of {g.input}"
        self.context.record(TANGENT, get(f"Hv_{g.input}", g.indices), raw)
        return _closed(forms, g, raw)

    def _diagonal(self, product: Gradient, tangents: Iterable[Statement]) -> Gradient:
        name = product.input
        self.context.subject = f"Hessian diagonal of {name}"
        known = {s.name for s in tangents}
        used = [_statement(d, "tangent") for d in product.where if d.name in known]
        work = self.directions.columns(name, used, self._tidy, self.unique)
        raw = work.at(product.closed, product.indices)
        self.context.record(COLUMN, get(f"hess_{name}", product.indices), raw)
        return _closed(self._forms(work.statements), product, raw)


def _closed(forms: SecondForms, g: Gradient, raw: Term) -> Gradient:
    closed, definitions = forms.choose(forms.closed(raw))
    return replace(g, closed=closed, where=forms.definitions(closed, definitions), zero=closed is ZERO)


def _statement(d: Definition, kind: str) -> Statement:
    return Statement(d.name, d.indices, d.body, kind)
