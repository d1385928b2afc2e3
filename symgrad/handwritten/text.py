"""What `check` prints: the verdict with its cause, the worst point, the difference in symbols, how to see it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation
from symgrad.errors import listing
from symgrad.handwritten.scenes import Form
from symgrad.handwritten.verdict import Verdict, Worst
from symgrad.report.contents import derivation_notation
from symgrad.report.escape import plain_text
from symgrad.report.notation import with_readable_indices
from symgrad.report.terminal import LABEL, Style, Writer

DIGITS = 10


@dataclass(frozen=True)
class Difference:
    """One equation as it should be and as the function has it. `left`: `dz[i, j]` or the name of a definition."""

    left: str
    right: str
    yours: str


def verdict_text(derivation: Derivation, verdict: Verdict, again: str, style: Style | None = None) -> str:
    """The whole output, a newline at the end."""
    w = Writer(style or Style(), derivation_notation(derivation))
    cause = verdict.cause
    if verdict.passed:
        w.lines.append(f"{'right':<{LABEL}}{_right(derivation, verdict)}")
        if cause is not None:
            w.item("but", w.ascii(f"{cause.kind}: {cause.detail}"))
    else:
        of = f", {verdict.target.label}" if verdict.target is not None else ""
        what = "unknown cause" if cause is None else f"{cause.kind}{of}: {cause.detail}"
        w.lines.append(f"{'wrong':<{LABEL}}{w.ascii(plain_text(what))}")
    for label, other in verdict.others:
        w.item("", w.ascii(f"{other.kind}, {label}: {other.detail}"))
    for remark in verdict.remarks:
        w.item("note", w.ascii(remark))
    if verdict.theirs:
        w.gap()
        w.lines += [f"          {line}" for line in w.ascii(verdict.theirs).splitlines()]
    if verdict.worst is not None:
        w.gap()
        _worst(w, verdict.worst)
    if not verdict.passed:
        _difference(w, derivation, verdict)
    w.gap()
    w.lines.append(f"{'again':<{LABEL}}{w.ascii(plain_text(again))}")
    return w.text()


def _right(derivation: Derivation, verdict: Verdict) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in verdict.kinds.items())
    names = listing(derivation.program.wrt)
    return f"the gradient of {names}, at {verdict.points} points ({kinds})"


def _worst(w: Writer, worst: Worst) -> None:
    place = f"[{', '.join(map(str, worst.index))}]" if worst.index else ""
    w.item(
        "worst", w.ascii(f"{worst.what}{place} is {worst.got:.{DIGITS}g}, and it should be {worst.expected:.{DIGITS}g}")
    )
    for judge, said in worst.judges.items():
        w.item("", f"{judge:<16}{said:.{DIGITS}g}")
    sizes = ", ".join(f"{n} = {v}" for n, v in worst.sizes.items())
    w.item("at", w.ascii(f"{worst.point}" + (f": {sizes}" if sizes else "")))
    values = ", ".join(f"{n} = {v:.{DIGITS}g}" for n, v in worst.at.items())
    if values:
        w.item("", w.ascii(f"there {values}"))


def differences(derivation: Derivation, verdict: Verdict) -> Iterator[tuple[Form, Form]]:
    """Pairs of equations, right and yours, that say what the function computes."""
    target, cause = verdict.target, verdict.cause
    if target is None or cause is None or cause.form is None:
        return
    yours = cause.form
    own = next((f for f in target.forms if _differs_once(f, yours)), target.form)
    if own.closed is not yours.closed:
        yield own, yours
        return
    for a, b in zip(own.where, yours.where, strict=False):
        if a.name == b.name and a.body is not b.body:
            yield Form(a.name, tuple(a.indices), a.body), Form(b.name, tuple(b.indices), b.body)


def _differs_once(a: Form, b: Form) -> bool:
    """Whether a form was changed into the other in one place: in itself or in its definitions."""
    same = [x.name == y.name and x.body is y.body for x, y in zip(a.where, b.where, strict=False)]
    if len(a.where) != len(b.where) or a.indices != b.indices:
        return False
    return all(same) or (a.closed is b.closed and sum(not s for s in same) >= 1)


def _left(w: Writer, derivation: Derivation, verdict: Verdict, form: Form) -> str:
    target = verdict.target
    if target is None or form.input != target.name:
        return w.access(form.input, form.indices)
    sign, two = ("∂", "²") if w.style.unicode else ("d", "2")
    access = w.access(form.input, form.indices)
    if target.what != "gradient":
        return f"{sign}{two}L/{sign}{access}{two}"
    return f"{sign}L/{sign}{access}" if derivation.program.is_loss else f"d{access}"


def _difference(w: Writer, derivation: Derivation, verdict: Verdict) -> None:
    pairs = list(differences(derivation, verdict))
    target = verdict.target
    if target is not None:
        w.gap()
    if target is not None and not pairs:
        w.item(
            "right", f"{_left(w, derivation, verdict, target.form)} = {w.math(target.form.closed, target.form.indices)}"
        )
    for right, yours in pairs:
        left = _left(w, derivation, verdict, right)
        for label, form in (("right", right), ("yours", yours)):
            (t,) = with_readable_indices((form.closed,), w.notation)
            w.item(label, f"{left} = {w.math(t, form.indices)}")


def document(derivation: Derivation, verdict: Verdict, against: str, again: str) -> Mapping[str, object]:
    """What `check --json` prints."""
    found = [
        {
            "of": right.input,
            "indices": [str(i.data) for i in right.indices],
            "right": show(right.closed),
            "yours": show(yours.closed),
        }
        for right, yours in differences(derivation, verdict)
    ]
    return {
        "name": verdict.name,
        "formula_sha256": derivation.formula.sha256,
        "against": against,
        "verdict": verdict.to_json(),
        "difference": found,
        "again": again,
    }
