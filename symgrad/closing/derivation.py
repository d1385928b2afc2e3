"""The derivation: from a formula as read to closed forms and to the statements that kernels compute.

formula -> stabilized -> hoisted -> adjoint statements -> closed forms
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from symgrad.algebra.build import Fresh
from symgrad.algebra.terms import BATCH, ZERO, Term, dim, get, idx, keeping
from symgrad.calculus.hoist import hoist, taken_names
from symgrad.closing.aliases import Aliases, Names
from symgrad.closing.closed import ClosedForms, Definition, Gradient
from symgrad.closing.expected import ExpectedVerdict, Proofs, values_named
from symgrad.closing.hints import Hint, hints_of
from symgrad.closing.kernels import ForMachines, live, made_for_machines
from symgrad.closing.kinks import Kink, kinks_of
from symgrad.closing.reverse import Adjoints
from symgrad.closing.second.order import SecondOrder, forms_of, refuse_what_has_none, second_order, statements_of
from symgrad.closing.unfold import is_silent, unfold
from symgrad.errors import FormulaError, LimitError, SymgradError, UnsupportedError, nearest
from symgrad.formula.directions import direction_names
from symgrad.formula.program import COTANGENT, Expected, Fact, Formula, Program, Statement
from symgrad.rewrite.context import Context, Observer
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.readable import readable
from symgrad.rewrite.rule import Step
from symgrad.rules.centered import CENTERED
from symgrad.rules.elementary import DEFINITION_RULES, SIGN, SQUARE_OF_ABS
from symgrad.rules.matrices import OF_INVERSE
from symgrad.rules.roots import ROOTS
from symgrad.rules.stabilize import STABILIZE
from symgrad.rules.sums import SHIFT_LSE

Telling = Callable[[], Iterable[Step]]
"""Gives the rewrites, which few ask for."""
FORWARD_RULES = (OF_INVERSE, *DEFINITION_RULES, *STABILIZE, *ROOTS, SIGN, SQUARE_OF_ABS, SHIFT_LSE, CENTERED)


@dataclass(frozen=True)
class Derivation:
    """All that a derivation found: for people, and the `machine` forms of kernels once these are asked for."""

    formula: Formula
    program: Program
    """The formula with the inputs that were asked for as `wrt`."""
    hoisted: tuple[Statement, ...]
    """The statements that closed forms stand on: stabilized, with shared values named."""
    gradient_of: Mapping[str, str]
    """Input -> name of its statement in `backward`."""
    cotangents: Mapping[str, str]
    """Output -> name of its cotangent; that of a loss is per element of the batch."""
    gradients: tuple[Gradient, ...]
    expected: tuple[ExpectedVerdict, ...]
    told: Telling
    hints: tuple[str, ...]
    """What would be shorter if a fact were declared."""
    assumed: tuple[Fact, ...]
    kinks: tuple[Kink, ...]
    zero_inputs: tuple[str, ...] = field(default=())
    second: SecondOrder | None = None
    """Second derivatives, where they were asked for."""
    kernels: Callable[[], ForMachines] = field(kw_only=True)

    @property
    def machine(self) -> ForMachines:
        """The statements that kernels compute, in forms chosen by measurement: made when first asked for."""
        return self.kernels()

    @property
    def forward(self) -> tuple[Statement, ...]:
        """What kernels compute of the formula itself."""
        return self.machine.forward

    @property
    def backward(self) -> tuple[Statement, ...]:
        """What kernels compute of the gradients."""
        return self.machine.backward

    @property
    def tangent(self) -> tuple[Statement, ...]:
        """What kernels compute in forward mode."""
        return self.machine.tangent

    @property
    def tangent_of(self) -> Mapping[str, str]:
        """Input or output -> name of its tangent."""
        return self.machine.tangent_of

    @cached_property
    def closing_steps(self) -> tuple[Step, ...]:
        """The rewrites that lead to the closed forms, in their order, in the names of the formula."""
        return readable(self.told(), frozenset(taken_names(self.program)))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The rewrites that lead to the closed forms, then those of kernels with the digits that they keep."""
        return (*self.closing_steps, *readable(self.machine.steps, frozenset(taken_names(self.program))))

    def gradient(self, name: str) -> Gradient:
        """The gradient of the input of that name; that of a key of `expect`, such as `hvp z`, too."""
        kind, _, own = name.rpartition(" ")
        return next(g for g in forms_of(kind, self.gradients, self.second) if g.input == own)


def derive_formula(
    formula: Formula,
    wrt: tuple[str, ...] | None = None,
    observer: Observer | None = None,
    inline: bool = False,
    order: int = 1,
) -> Derivation:
    """The gradients of a formula in closed form, and the programs that compute them; for order 2 the Hessian too.

    `inline`: closed forms go through used formulas instead of stopping at their names.
    Raises FormulaError for a name in `wrt` that cannot be differentiated, UsageError for order 2 of a layer, LimitError
    at the limits in force.
    """
    if order == 2:
        refuse_what_has_none(formula.program)
    with _nesting(), keeping():
        return _under_aliases(formula, asked_for(formula.program, wrt), observer, inline, order)


@contextmanager
def _nesting() -> Iterator[None]:
    """A block in which terms may be nested too deeply: LimitError."""
    try:
        yield
    except RecursionError:
        raise LimitError("the formula is nested too deeply to be derived; name parts of it under `let`") from None


def _under_aliases(
    formula: Formula, program: Program, observer: Observer | None, inline: bool, order: int
) -> Derivation:
    """The derivation, which must not depend on names."""
    aliases = Aliases(formula, program)
    names, own = Names(aliases), Names(aliases)
    told = observer and (lambda step: observer(own.record(step)))
    try:
        found, hints = _derive(aliases.formula, aliases.program, told, inline, order)
    except SymgradError as e:
        raise names.failure(e) from None
    for name in (*(s.name for s in found.hoisted), *found.gradient_of.values()):
        names.name(name)
    gradients = tuple(map(names.record, found.gradients))  # before the rest: letters are given as indices are met
    steps = tuple(found.told())
    plain = names.record(found)
    own_names = names.copy()  # so that nothing depends on whether steps are told before kernels are made

    @cache
    def machine() -> ForMachines:
        with _nesting(), keeping():
            try:
                return own_names.record(found.kernels())
            except SymgradError as e:
                raise own_names.failure(e) from None

    return replace(
        plain,
        formula=formula,
        program=program,
        gradients=gradients,
        told=lambda: map(names.record, steps),
        kernels=machine,
        hints=tuple(dict.fromkeys(str(names.record(h)) for h in hints)),
        kinks=kinks_of(program, stabilize(program, Context(program)), formula.index_names),
    )


def _derive(
    formula: Formula, program: Program, observer: Observer | None, inline: bool, order: int
) -> tuple[Derivation, Sequence[Hint]]:
    """All but kinks and hints, which are told in the names of the formula; the hints beside it."""
    context = Context(program, observer=observer, index_names=formula.index_names)
    stable = stabilize(program, context)
    hoisted = hoist(stable, (name for name, _ in formula.index_names))
    context.definitions = {s.name: s for s in hoisted.statements}
    adjoints = Adjoints(hoisted, context)
    adjoints.derive()
    closed = ClosedForms(hoisted, adjoints, context, inline)
    gradients = closed.gradients()
    second = second_order(formula, hoisted, adjoints, closed, gradients, context) if order == 2 else None

    wanted = tuple(looked_at(formula, program, second))
    values = values_named(wanted, program)
    refuse_what_is_looked_through(values, wanted, formula, stable, context)
    proofs = Proofs(closed, values, context)
    found = Derivation(
        formula=formula,
        program=program,
        hoisted=live(hoisted, (*adjoints.statements, *statements_of(second))),
        gradient_of=adjoints.gradient_of,
        cotangents=adjoints.cotangents,
        gradients=gradients,
        expected=tuple(proofs.prove(e, forms_of(e.kind, gradients, second)) for e in wanted),
        told=lambda: context.steps,
        hints=(),
        assumed=tuple(context.used),
        kinks=(),
        zero_inputs=tuple(g.input for g in gradients if g.zero),
        second=second,
        kernels=lambda: made_for_machines(hoisted, adjoints, statements_of(second), context),
    )
    return found, hints_of(gradients, closed, context)


def asked_for(program: Program, wrt: tuple[str, ...] | None) -> Program:
    """The program with these inputs to differentiate."""
    if wrt is None:
        return program
    names = [i.name for i in program.inputs if i.dtype == "real"]
    for name in wrt:
        if name not in names:
            close = nearest(name, names)
            raise FormulaError(
                f"the formula has no real input {name}",
                help=f"did you mean {close}?" if close else f"its real inputs are {', '.join(names)}",
            )
    return replace(program, wrt=tuple(dict.fromkeys(wrt)))


def looked_at(formula: Formula, program: Program, second: SecondOrder | None) -> Iterator[Expected]:
    """What is expected of the inputs that were asked for; of the second order where that was."""
    along = {} if second is None else _without_other_directions(formula, second)
    for e in formula.expected:
        if e.kind == COTANGENT:
            if program.wrt == formula.program.wrt:
                yield e
        elif e.kind == "gradient" and e.input in program.wrt:
            yield e
        elif second is not None and e.input in program.wrt:
            yield replace(e, body=unfold(e.body, along, Fresh()))


def _without_other_directions(formula: Formula, second: SecondOrder) -> dict[str, Statement]:
    """The formula's directions by the names that they have where fewer inputs were asked for; the others are 0."""
    found = {}
    for name, v in direction_names(formula.program, (n for n, _ in formula.index_names)).items():
        i = formula.program.input(name)
        axes = ((dim(BATCH),) if i.batch else ()) + i.shape
        indices = tuple(idx(f"axis{k}" if e is not dim(BATCH) else BATCH, e) for k, e in enumerate(axes))
        own = second.directions.get(name)
        if own != v:
            found[v] = Statement(v, indices, ZERO if own is None else get(own, indices))
    return found


def refuse_what_is_looked_through(
    values: Mapping[str, Statement], wanted: Sequence[Expected], formula: Formula, stable: Program, context: Context
) -> None:
    """UnsupportedError where `expect` names what flows back into a value that later statements see through.

    log y for a softmax y is a log-softmax: nothing flows through y there, so that dy is less than the derivative.
    """
    with context.quietly():
        opaque = stabilize(formula.program, context, {s.name for s in values.values()}).statements if values else ()
    for read, old, new in zip(formula.program.statements, stable.statements, opaque, strict=False):
        if old.body is not new.body:
            name = next(n for n, s in values.items() if s.name in read.body.tensors)
            where = next(formula.where(e.place) for e in wanted if name in (e.key, *e.body.tensors))
            message = f"expect: {name}: the derivation looks through {values[name].name}, and nothing flows back there"
            raise UnsupportedError(message, where, help="expect the gradients of the inputs alone")


def stabilize(program: Program, context: Context, opaque: Collection[str] = ()) -> Program:
    """Pass 4: every statement in the form that keeps the digits; later statements see through earlier names.

    A short value that one of its indices does not enter is written out: its definition would not say how far that runs.
    Nothing is seen through the names in `opaque`.
    """
    done: list[Statement] = []
    constant: dict[str, Statement] = {}
    for s in program.statements:
        context.subject = s.name
        context.definitions = {d.name: d for d in done if d.name not in opaque}
        new = replace(s, body=rewrite(unfold(s.body, constant, context.fresh), FORWARD_RULES, context))
        done.append(new)
        if is_silent(new) and new.name not in opaque:
            constant[new.name] = new
    context.definitions = {}
    return program.with_statements(tuple(done))


__all__ = ["Definition", "Derivation", "Gradient", "Kink", "Term", "derive_formula"]
