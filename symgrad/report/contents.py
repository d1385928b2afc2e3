"""What a report says, in whatever script: the one fold over a derivation and its certificate that all reports print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symgrad.algebra.show import show
from symgrad.algebra.terms import BATCH, Term, idx, node
from symgrad.closing.arrays.form import written
from symgrad.closing.im2col import products_of
from symgrad.closing.parts import stated_axes
from symgrad.closing.second.order import closed_forms_of
from symgrad.formula.program import Domain, Fact, Formula, Input, Parameter, Program, Statement
from symgrad.report.array_layout import array_layout
from symgrad.report.escape import shortened, shortened_lines
from symgrad.report.layout import Fraction, Layout, Product, Sign, Symbol
from symgrad.report.notation import LOSS, Notation, notation_of, with_readable_indices
from symgrad.report.present import present, present_access
from symgrad.report.second import SecondRow, directions_of, second_definitions, second_rows

if TYPE_CHECKING:
    from symgrad.closing.derivation import Definition, Derivation, Gradient, Kink
    from symgrad.closing.expected import ExpectedVerdict
    from symgrad.rewrite.rule import Step
    from symgrad.validate.certificate import Certificate


@dataclass(frozen=True)
class SymbolRow:
    """A name of the formula, its extents (None: a parameter), its domain, what it is for, what the user says of it."""

    name: str
    symbol: Layout
    shape: tuple[Layout, ...] | None
    domain: str
    role: str
    summary: str


@dataclass(frozen=True)
class StepRow:
    """A rule that fired: on what, and what came of it."""

    number: int
    subject: str
    rule: str
    law: str
    why: str
    before: Layout
    after: Layout
    note: str
    first: bool
    """Whether the rule fires for the first time, so that its law is worth stating."""
    continues: bool
    """Whether `before` is what the last step came to."""


@dataclass(frozen=True)
class ClosedForm:
    """The gradient of an input. `text`: as the formula language writes it."""

    input: str
    left: Layout
    right: Layout
    text: str
    matrix: Layout | None = None
    """The right side in matrix notation, where that can say it."""
    matrix_text: str = ""


@dataclass(frozen=True)
class FactRow:
    """A fact that was used, where it comes from, and how the formula language writes it."""

    condition: Layout
    source: str
    text: str


@dataclass(frozen=True)
class KinkRow:
    """Where a derivative does not exist, of which function, and what is taken there."""

    at: Layout
    of: str
    convention: str
    line: int | None


@dataclass(frozen=True)
class JudgeRow:
    """A judge: whether it agrees (None: it was absent), at how many points, and why it was absent."""

    judge: str
    passed: bool | None
    points: int
    why: str = ""

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "absent" if self.passed is None else "agrees" if self.passed else "disagrees"


@dataclass(frozen=True)
class Contents:
    """All that a report says."""

    name: str
    summary: str
    written: tuple[str, ...]
    is_loss: bool
    is_batched: bool
    notation: Notation
    statements: tuple[tuple[Layout, Layout], ...]
    symbols: tuple[SymbolRow, ...]
    assumed: tuple[FactRow, ...]
    shorthand: tuple[tuple[Layout, Layout], ...]
    """Names that the derivation gave to parts of the formula."""
    steps: tuple[StepRow, ...]
    closed: tuple[ClosedForm, ...]
    where: tuple[tuple[Layout, Layout], ...]
    """Definitions of the names in the closed forms."""
    matrix_where: tuple[tuple[Layout, Layout], ...]
    """The same in matrix notation."""
    products: tuple[tuple[Layout, Layout], ...]
    """Contractions with what windows read, as products of matrices."""
    second: tuple[SecondRow, ...]
    """Products of the Hessian with a direction, and its diagonal."""
    second_where: tuple[tuple[Layout, Layout], ...]
    directions: tuple[tuple[str, str], ...]
    """Each input with the direction in it."""
    zero: tuple[str, ...]
    """Inputs whose gradient is zero everywhere."""
    expected: tuple[tuple[str, tuple[str, ...]], ...]
    """Outcomes of `expect`, each with the inputs that it holds of."""
    kinks: tuple[KinkRow, ...]
    hints: tuple[str, ...]
    passed: bool | None
    judges: tuple[JudgeRow, ...]
    references: tuple[str, ...]
    more_steps: int = 0
    """Steps that were left out."""

    @property
    def is_mean(self) -> bool:
        """Whether the gradients are those of a mean over a batch."""
        return self.is_batched and len(self.zero) < len(self.closed)

    @property
    def has_batch_axes(self) -> bool:
        """Whether some tensor has the leading axes `...`."""
        return any(Symbol(BATCH) in (s.shape or ()) for s in self.symbols)


PRODUCTS = "What the windows read as one matrix (im2col), a row for each position and a column for each tap:"
MOST_STEPS = 400
"""Steps beyond which a report counts the rest."""


def contents(derivation: Derivation, certificate: Certificate | None = None) -> Contents:
    """What a report of the derivation says."""
    formula = derivation.formula
    notation = derivation_notation(derivation, derivation.steps)
    program = derivation.program
    return Contents(
        name=formula.name,
        summary=shortened(formula.summary),
        written=tuple(shortened_lines(formula.text)) or written_lines(formula.program, formula.written),
        is_loss=formula.program.is_loss,
        is_batched=formula.program.is_loss and bool(formula.program.loss.indices),
        notation=notation,
        statements=tuple(statement_row(s, notation) for s in formula.program.statements),
        symbols=symbol_rows(program, derivation.cotangents if not program.is_loss else {}),
        assumed=tuple(fact_row(f, notation) for f in derivation.assumed),
        shorthand=tuple(statement_row(s, notation) for s in derivation.hoisted if s.kind == "hoisted"),
        steps=step_rows(derivation.steps[:MOST_STEPS], notation),
        closed=tuple(closed_form(g, formula, notation) for g in derivation.gradients),
        where=where_rows(derivation.gradients, notation),
        products=product_rows(derivation, notation),
        second=second_rows(derivation, notation),
        second_where=tuple(definition_row(d, notation) for d in second_definitions(derivation)),
        directions=directions_of(derivation),
        matrix_where=matrix_where_rows(derivation.gradients, formula),
        zero=derivation.zero_inputs,
        expected=expected_rows(derivation.expected),
        kinks=tuple(kink_row(k, notation) for k in derivation.kinks),
        hints=tuple(shortened(h) for h in derivation.hints),
        passed=None if certificate is None else certificate.passed,
        judges=() if certificate is None else judge_rows(certificate.to_json()),
        references=tuple(shortened(r) for r in formula.references),
        more_steps=max(0, len(derivation.steps) - MOST_STEPS),
    )


def derivation_notation(derivation: Derivation, told: Sequence[Step] | None = None) -> Notation:
    """The notation of all that a report of the derivation writes; `told`: the steps, by default without kernels'."""
    program = derivation.formula.program
    forms = (*derivation.gradients, *closed_forms_of(derivation.second))
    bodies = [t for g in forms for t in (g.closed, *(d.body for d in g.where))]
    steps = [t for s in (derivation.closing_steps if told is None else told) for t in (s.before, s.after)]
    named = [*(i.name for i in program.inputs), *(s.name for s in derivation.hoisted)]
    adjoints = set(derivation.cotangents.values()).union(*(t.tensors for t in (*bodies, *steps)))
    cotangents = {name: f"d{name}" for name in named if f"d{name}" in adjoints}
    indices = derivation.formula.index_names
    notation = notation_of(program, derivation.hoisted, cotangents, (*bodies, *steps), indices)
    axes = stated_axes((d for g in forms for d in g.where), program.shapes)
    return replace(notation, names=replace(notation.names, shapes=axes))


def fact_row(f: Fact, notation: Notation) -> FactRow:
    """A fact."""
    return FactRow(present(f.condition, notation), shortened(f.source), shortened(f.text))


def statement_row(s: Statement, notation: Notation) -> tuple[Layout, Layout]:
    """A statement as left and right side."""
    return present_access(s.name, s.indices, notation), present(s.body, notation, s.indices)


def written_lines(program: Program, written: Mapping[str, str]) -> tuple[str, ...]:
    """The formula as text where no file holds it."""
    lines = []
    for s in program.statements:
        indices = f"[{', '.join(str(i.data) for i in s.indices)}]" if s.indices and s.kind != "loss" else ""
        lines.append(shortened(f"{s.name}{indices}: {written.get(s.name) or show(s.body)}"))
    return tuple(lines)


def symbol_rows(program: Program, cotangents: Mapping[str, str]) -> tuple[SymbolRow, ...]:
    """The names of a formula: inputs, parameters, intermediate values, outputs and their cotangents."""
    rows = [_input_row(i, i.name in program.wrt) for i in program.inputs]
    rows += [_parameter_row(p) for p in program.parameters]
    for s in program.statements:
        role = {"let": "intermediate value", "output": "output", "loss": "loss"}.get(s.kind, s.kind)
        rows.append(SymbolRow(s.name, Symbol(s.name), _shape(s.indices), "", role, ""))
    for output, name in cotangents.items():
        statement = program.statement(output)
        shape = _shape(statement.indices) if statement is not None else ()
        rows.append(SymbolRow(name, Symbol(name), shape, "", f"cotangent of {output}", ""))
    return tuple(rows)


def _shape(indices: Iterable[Term]) -> tuple[Layout, ...]:
    return tuple(Symbol("...") if i.data == BATCH else present(i.args[0]) for i in indices)


def _input_row(i: Input, differentiated: bool) -> SymbolRow:
    batch = (idx(BATCH, node("dim", (), BATCH)),) if i.batch else ()
    shape = _shape([*batch, *(idx("_", e) for e in i.shape)])
    role = "differentiated" if differentiated else "given" if i.given or i.dtype == "real" else f"given, {i.dtype}"
    return SymbolRow(i.name, Symbol(i.name), shape, domain_text(i.domain, i.dtype), role, shortened(i.summary))


def _parameter_row(p: Parameter) -> SymbolRow:
    role = f"parameter, default {show(node('num', (), p.value))}"
    return SymbolRow(p.name, Symbol(p.name), None, domain_text(p.domain, p.dtype), role, shortened(p.summary))


def domain_text(domain: Domain, dtype: str) -> str:
    """A domain in words of the formula language."""
    return str(domain).replace("_", " ") if domain.kind != "real" or dtype == "real" else dtype


def step_rows(steps: Sequence[Step], notation: Notation) -> tuple[StepRow, ...]:
    """The steps, opened binders named. A rule that goes on with its own result makes one step."""
    rows: list[StepRow] = []
    seen: set[str] = set()
    for step in steps:
        before, after = (present(t, notation) for t in with_readable_indices((step.before, step.after), notation))
        rule = step.rule
        last = rows[-1] if rows else None
        continues = last is not None and last.subject == step.subject and last.after == before
        if last is not None and continues and last.rule == rule.name and last.note == step.note:
            rows[-1] = replace(last, after=after)
            continue
        first = rule.name not in seen
        seen.add(rule.name)
        rows.append(
            StepRow(
                len(rows) + 1, step.subject, rule.name, rule.law, rule.why, before, after, step.note, first, continues
            )
        )
    return tuple(rows)


def closed_form(g: Gradient, formula: Formula, notation: Notation) -> ClosedForm:
    """A gradient."""
    form = written(formula, g).matrix
    left = present_access(g.input, g.indices, notation)
    text = shortened(show(g.closed, notation.names, g.indices), 4000)
    right = present(g.closed, notation, g.indices)
    if form is None:
        return ClosedForm(g.input, left, right, text)
    return ClosedForm(g.input, left, right, text, array_layout(form.closed), shortened(form.text, 4000))


def matrix_where_rows(gradients: Iterable[Gradient], formula: Formula) -> tuple[tuple[Layout, Layout], ...]:
    """The definitions of the names in the matrix forms, each once."""
    forms = [f for g in gradients if (f := written(formula, g).matrix) is not None]
    found = {d.name: d.body for f in forms for d in f.where}
    return tuple((Symbol(name), array_layout(body)) for name, body in found.items())


def product_rows(derivation: Derivation, notation: Notation) -> tuple[tuple[Layout, Layout], ...]:
    """Tensors of windows and of columns, the statements and the gradients that contract them."""
    found = products_of(derivation.formula.program, derivation.gradients, notation.names)
    rows = [definition_row(d, notation) for d in (*found.tensors, *found.statements)]
    is_loss = derivation.program.is_loss
    for d in found.gradients:
        left = gradient_of(present_access(d.name, d.indices, notation), is_loss)
        rows.append((left, present(d.body, notation, d.indices)))
    return tuple(rows)


def where_rows(gradients: Iterable[Gradient], notation: Notation) -> tuple[tuple[Layout, Layout], ...]:
    """The definitions of the names in the gradients, each once."""
    found = {d.name: d for g in gradients for d in g.where}
    return tuple(definition_row(d, notation) for d in found.values())


def definition_row(d: Definition, notation: Notation) -> tuple[Layout, Layout]:
    """A definition as left and right side."""
    return present_access(d.name, d.indices, notation), present(d.body, notation, d.indices)


def gradient_of(left: Layout, is_loss: bool) -> Layout:
    """The left side of a gradient: the partial derivative of a loss, the cotangent of a layer's input."""
    if is_loss:
        return Fraction(Product((Sign("partial"), Symbol(LOSS))), Product((Sign("partial"), left)))
    return Product((Sign("differential"), left))


def kink_row(kink: Kink, notation: Notation) -> KinkRow:
    """A kink."""
    (at,) = with_readable_indices((kink.at,), notation)
    return KinkRow(present(at, notation), kink.of, kink.convention, kink.line)


def judge_rows(document: Mapping[str, object]) -> tuple[JudgeRow, ...]:
    """The judges of a certificate's document, the parts that are judged alone, then the absent judges.

    Of a large formula the row of multiprecision says at how many points it looked.
    """
    reach = {"multiprecision": str(document.get("reach", ""))} if is_large(document) else {}
    rows = [
        JudgeRow(name, bool(j["passed"]), int(str(j.get("points", 0))), str(j.get("why", reach.get(name, ""))))
        for j in _records(document, "judges")
        for name in [str(j["judge"])]
    ]
    rows += [
        JudgeRow(str(p["formula"]), bool(p["passed"]), int(str(p.get("points", 0))), "this part alone, by every judge")
        for p in _records(document, "parts")
    ]
    return tuple(rows + [JudgeRow(str(a["judge"]), None, 0, str(a["why"])) for a in _records(document, "absent")])


def is_large(document: Mapping[str, object]) -> bool:
    """Whether some judge did not look at all of its points, or parts were judged alone: a reader has to know."""
    return bool(document.get("parts")) or "; multiprecision at " in str(document.get("reach", ""))


def _records(document: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    verdict = document.get("verdict")
    found = document.get(key, verdict.get(key, ()) if isinstance(verdict, Mapping) else ())
    return [r for r in found if isinstance(r, Mapping)] if isinstance(found, Sequence) else []


def expected_rows(verdicts: Iterable[ExpectedVerdict]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Outcomes of `expect`, each with the inputs that it holds of."""
    found: dict[str, list[str]] = {}
    for e in verdicts:
        found.setdefault(_expected_outcome(e.proven), []).append(e.input)
    return tuple((outcome, tuple(inputs)) for outcome, inputs in found.items())


def _expected_outcome(proven: object) -> str:
    if proven is True:
        return "proven"
    return "different" if proven is False else "checked at random points, not proven"
