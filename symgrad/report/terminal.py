"""What `derive` prints: the loss, the closed forms, what was assumed, kinks, hints, the verdict. Plain text, any width.

Where the encoding of the output lacks a character of the mathematics, the formula language is printed instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.algebra.show import show
from symgrad.algebra.terms import BATCH, Term
from symgrad.closing.arrays.form import written
from symgrad.formula.program import Statement
from symgrad.report.contents import derivation_notation, is_large
from symgrad.report.escape import plain_text, shortened
from symgrad.report.notation import Notation, with_readable_indices
from symgrad.report.present import present, present_access
from symgrad.report.second import ALONG, directions_of, second_definitions
from symgrad.report.unicode_terms import unicode_layout

if TYPE_CHECKING:
    from symgrad.closing.derivation import Derivation, Gradient
    from symgrad.rewrite.rule import Step
    from symgrad.validate.certificate import Certificate

LABEL = 10
"""Columns of the labels on the left."""

_KEPT = "\0"
"""Stands for a blank at which no line may end."""


@dataclass(frozen=True)
class Style:
    """The page: columns, and the encoding of the output."""

    width: int = 80
    encoding: str = "utf-8"

    def can_print(self, text: str) -> bool:
        """Whether the output's encoding has all the characters."""
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    @property
    def unicode(self) -> bool:
        """Whether mathematics can be printed."""
        return self.can_print("Σᵢⱼ√∂·−²≤≠∞…")


class Writer:
    """Lines under labels, wrapped to the width of the page."""

    def __init__(self, style: Style, notation: Notation) -> None:
        self.style, self.notation = style, notation
        self.lines: list[str] = []

    def item(self, label: str, text: str) -> None:
        """A text beside its label; what does not fit goes on below, further in."""
        head = f"{label:<{LABEL}}"
        if len(head) > LABEL:
            self.lines.append(head.rstrip())
            head = " " * LABEL
        self.lines += wrapped(plain_text(text), head, " " * (LABEL + 2), max(24, self.style.width))

    def gap(self) -> None:
        """An empty line, never two."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def math(self, t: Term, indices: Sequence[Term] = ()) -> str:
        """A term as the output can show it."""
        if self.style.unicode:
            text = unicode_layout(present(t, self.notation, indices), self.notation)
            if self.style.can_print(text):
                return text
        return self.ascii(show(t, self.notation.names))

    def access(self, name: str, indices: Sequence[Term]) -> str:
        """name[indices] as the output can show it."""
        if self.style.unicode:
            text = unicode_layout(present_access(name, indices, self.notation), self.notation)
            if self.style.can_print(text):
                return text
        return self.ascii(name + (f"[{', '.join(str(i.data) for i in indices)}]" if indices else ""))

    def ascii(self, text: str) -> str:
        """The text with what the output lacks as numbers."""
        return "".join(c if self.style.can_print(c) else f"<U+{ord(c):04X}>" for c in text)

    def text(self) -> str:
        """The lines, a newline at the end."""
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(line.rstrip() for line in self.lines) + "\n" if self.lines else ""


def wrapped(text: str, first: str, later: str, width: int) -> list[str]:
    """The text on lines of the width, each begun so. A line ends at a blank or after a dot between factors.

    What stands in brackets or short parentheses stays on one line, and a sign with what it stands before.
    """
    room = width - len(later)
    together = rf"\[[^\[\]]*\]|\([^()\[\]]{{1,{min(30, room - 6)}}}\)| [-+*−=] |Σ\S* "
    text = re.sub(together, lambda m: m[0][0] + m[0][1:].replace(" ", _KEPT), text)
    pieces = re.split(r"(?<= )|(?<=·)", text)
    lines = [first]
    for piece in (q for p in pieces for q in (_broken(p) if len(p) > room else [p])):
        if len(lines[-1]) + len(piece.rstrip()) > width and lines[-1] not in (first, later):
            lines.append(later)
        lines[-1] += piece
    return [line.replace(_KEPT, " ").rstrip() for line in lines]


def _broken(piece: str) -> list[str]:
    """What is too long for a line, at its blanks; where it has none, in its parentheses."""
    blanks = re.split(f"(?<={_KEPT})", piece)
    return blanks if len(blanks) > 1 else re.split(r"(?<=\()", piece)


def derivation_text(derivation: Derivation, style: Style | None = None) -> str:
    """The loss, the closed forms with their definitions, what was assumed, kinks, zero gradients and hints."""
    style = style or Style()
    w = Writer(style, derivation_notation(derivation))
    formula = derivation.formula
    w.lines.append(plain_text(formula.name))
    if formula.summary:
        w.item("", w.ascii(shortened(formula.summary, 500)))
    w.gap()
    for s in formula.program.statements:
        _statement(w, s)
    _gradients(w, derivation.gradients, formula.program.is_loss)
    _matrix(w, derivation)
    _second(w, derivation)
    w.gap()
    for f in derivation.assumed:
        w.item("assumed", f"{w.math(f.condition)}   ({w.ascii(f.source)})")
    for k in derivation.kinks:
        (at,) = with_readable_indices((k.at,), w.notation)
        line = f", line {k.line}" if k.line else ""
        w.item("kink", f"{k.of} at {w.math(at)}{line}: {w.ascii(k.convention)}")
    for name in derivation.zero_inputs:
        w.item("zero", f"the gradient of {w.ascii(name)} is zero everywhere")
    for hint in derivation.hints:
        w.item("hint", w.ascii(shortened(hint)))
    return w.text()


def _statement(w: Writer, s: Statement) -> None:
    right = w.math(s.body, s.indices)
    if s.kind != "loss":
        w.item("output" if s.kind == "output" else "let", f"{w.access(s.name, s.indices)} = {right}")
        return
    batch = [str(i.data) if i.data != BATCH else "..." for i in s.indices]
    w.item("loss", right + (f"   (mean over {', '.join(batch)})" if batch else ""))


def _gradients(w: Writer, gradients: Sequence[Gradient], is_loss: bool) -> None:
    w.gap()
    sign = "∂" if w.style.unicode else "d"
    head = f"{sign}L/{sign}" if is_loss else "d"
    for k, g in enumerate(gradients):
        left = head + w.access(g.input, g.indices)
        w.item("" if k else "gradient", f"{left} = {w.math(g.closed, g.indices)}")
    # the formula's own names have just been shown
    introduced = {d.name: d for g in gradients for d in g.where if d.introduced}
    for k, d in enumerate(introduced.values()):
        w.item("" if k else "  where", f"{w.access(d.name, d.indices)} = {w.math(d.body, d.indices)}")


def _matrix(w: Writer, derivation: Derivation) -> None:
    """The gradients in matrix notation, as the formula language writes it."""
    formula = derivation.formula
    sign = "∂" if w.style.unicode else "d"
    head = f"{sign}L/{sign}" if formula.program.is_loss else "d"
    label = "matrix"
    introduced: dict[str, str] = {}
    for g in derivation.gradients:
        form = written(formula, g).matrix
        if form is not None:
            w.item(label, w.ascii(f"{head}{g.input} = {form.text}"))
            introduced |= {d.name: d.body.text for d in form.where if d.introduced}
            label = ""
    for k, (name, text) in enumerate(introduced.items()):
        w.item("" if k else "  where", w.ascii(f"{name} = {text}"))


def _second(w: Writer, derivation: Derivation) -> None:
    """The Hessian times a direction, and its diagonal."""
    if derivation.second is None:
        return
    w.gap()
    sign, two = ("∂", "²") if w.style.unicode else ("d", "2")
    along = w.access(ALONG, ())
    pairs = ", ".join(f"{v} in {name}" for name, v in directions_of(derivation))
    w.item("second", w.ascii(f"{along} is the derivative along {pairs}: the Hessian times it"))
    for h in derivation.second.hessians:
        left = w.access(h.input, h.indices)
        w.item("", f"{along} {sign}L/{sign}{left} = {w.math(h.product.closed, h.indices)}")
        w.item("", f"{sign}{two}L/{sign}{left}{two} = {w.math(h.diagonal.closed, h.indices)}")
    introduced = [d for d in second_definitions(derivation) if d.introduced]
    for k, d in enumerate(introduced):
        w.item("" if k else "  where", f"{w.access(d.name, d.indices)} = {w.math(d.body, d.indices)}")


def step_text(step: Step, notation: Notation, style: Style | None = None, number: int = 0) -> str:
    """A line of `--explain`: the rule, and what it made of what."""
    w = Writer(style or Style(), notation)
    before, after = with_readable_indices((step.before, step.after), notation)
    arrow = "→" if w.style.can_print("→") else "->"
    head = f"{number:>3}. " if number else ""
    w.lines.append(
        w.ascii(plain_text(f"{head}{step.rule.name}, in {step.subject}" + (f" ({step.note})" if step.note else "")))
    )
    w.item("", w.math(before))
    w.item(f"{arrow:>{LABEL - 1}}", w.math(after))
    return w.text()


def verdict_text(certificate: Certificate | None, style: Style | None = None) -> str:
    """A line a judge, then the verdict."""
    if certificate is None:
        return "verdict   not validated\n"
    w = Writer(style or Style(), Notation())
    document = certificate.to_json()
    verdict = document.get("verdict")
    found: Mapping[str, object] = verdict if isinstance(verdict, Mapping) else document
    for judge in _records(found.get("judges")):
        worst = judge.get("worst")
        error = f"worst error {float(str(worst)):.1e}" if worst is not None else ""
        w.item(_mark(bool(judge.get("passed"))), f"{judge['judge']:<16} {judge.get('points', 0):>5} points   {error}")
    for part in _records(document.get("parts")):
        w.item(_mark(bool(part.get("passed"))), f"{part['formula']:<16} {part.get('points', 0):>5} points   alone")
    if is_large(document):
        w.item("reach", w.ascii(str(document.get("reach", ""))))
    for judge in _records(document.get("absent", found.get("absent"))):
        w.item("absent", w.ascii(f"{judge['judge']}: {judge['why']}"))
    w.item("verdict", "passed" if certificate.passed else "FAILED")
    return w.text()


def _records(found: object) -> list[Mapping[str, object]]:
    return [r for r in found if isinstance(r, Mapping)] if isinstance(found, Sequence) else []


def _mark(passed: bool) -> str:
    return "agrees" if passed else "DISAGREES"
