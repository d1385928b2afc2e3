"""The check of a hand-written gradient from end to end: called, heard, and if it is wrong, its cause found.

check_gradient(derivation, callee, Options()).passed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from symgrad import limits
from symgrad.closing.derivation import Derivation
from symgrad.errors import LimitError
from symgrad.handwritten.answers import LayoutError
from symgrad.handwritten.calling import Callee, Caller, Manner, arguments_of
from symgrad.handwritten.diagnosis import diagnose, diagnose_special, lost
from symgrad.handwritten.forms import forms_of
from symgrad.handwritten.hearing import Hearing, Record
from symgrad.handwritten.hypotheses import Cause, Evidence
from symgrad.handwritten.parameters import settled
from symgrad.handwritten.process import TheirError
from symgrad.handwritten.raising import raised
from symgrad.handwritten.samples import Sample, Target, agrees
from symgrad.handwritten.scenes import Form, Scene
from symgrad.handwritten.spread import spread_points
from symgrad.handwritten.unreduced import cause_of_weights
from symgrad.handwritten.values import cause_of_values
from symgrad.handwritten.verdict import Verdict, most_telling, worst_of
from symgrad.validate.backends import EvaluationError

PATIENCE = 0.6
"""The share of what is left of the time that one diagnosis may take."""
FRESH, MANY = 4, 24
"""Points that no hypothesis has seen, and points that tell where something is wrong."""


@dataclass(frozen=True)
class Options:
    """How to check. `parameters`: values that the user gave; `args`: the arguments of the function in their order."""

    order: int = 1
    reduction: str = "mean"
    parameters: Mapping[str, Fraction] = field(default_factory=dict)
    args: str | None = None
    seed: int = 0


def check_gradient(derivation: Derivation, callee: Callee, options: Options | None = None) -> Verdict:
    """Judge a function that is loaded; UsageError for options that do not fit the formula."""
    options = options or Options()
    program = settled(derivation.program, callee.accepted, options.parameters)
    wrt = tuple(n for n in program.wrt)
    manner = Manner(program, wrt, arguments_of(program, options.args), options.order, options.reduction)
    caller = Caller(callee, manner)
    targets = _targets(derivation, wrt, options.order)
    hearing = Hearing(caller, targets, tuple(derivation.kinks), options.seed)
    hearing.targets = tuple(_checked_forms(t, hearing) for t in targets)
    try:
        record = hearing.hear()
        weighed = None if any(record.wrong(t) for t in hearing.targets) else cause_of_weights(hearing)
    except TheirError as error:
        return raised(derivation, hearing, error)
    except LayoutError as error:
        return Verdict(derivation.formula.name, False, Cause("shape", str(error)), calls=caller.calls)
    if weighed is not None:
        return _told(derivation, hearing, record, weighed)
    return _judged(derivation, hearing, record)


def _told(derivation: Derivation, hearing: Hearing, record: Record, found: tuple[Target, Cause]) -> Verdict:
    """The verdict where a cause was found beside the samples."""
    target, cause = found
    name, calls = derivation.formula.name, hearing.caller.calls
    return Verdict(name, False, cause, target, points=record.points, kinds=record.kinds, calls=calls)


def _targets(derivation: Derivation, wrt: Sequence[str], order: int) -> list[Target]:
    targets = [Target(n, "gradient", forms_of(derivation, n)) for n in wrt]
    if order == 2 and derivation.second is not None:
        diagonals = {h.input: h.diagonal for h in derivation.second.hessians}
        targets += [Target(n, "Hessian diagonal", forms_of(derivation, n, diagonals[n])) for n in wrt]
    return targets


def _checked_forms(target: Target, hearing: Hearing) -> Target:
    """The target with those forms that the evaluator knows, and that say the same as the closed form."""
    scenes = [hearing.caller.scene(p) for p in hearing.normal(2)]
    return replace(target, forms=(target.form, *(f for f in target.forms[1:] if _is_equal(f, target.form, scenes))))


def _is_equal(form: Form, closed: Form, scenes: Sequence[Scene]) -> bool:
    try:
        return all(agrees(s.of(form), s.of(closed), tolerance=1e-6) for s in scenes)
    except EvaluationError:
        return False


def _judged(derivation: Derivation, hearing: Hearing, record: Record) -> Verdict:
    program, name = hearing.program, derivation.formula.name
    seen: dict[str, Any] = {"points": record.points, "kinds": record.kinds, "calls": hearing.caller.calls}
    wrong = [t for t in hearing.targets if record.wrong(t)]
    if not wrong:
        found = cause_of_values(record, program)
        if found is not None:
            return Verdict(name, False, found, **seen)
        remarks = tuple(_remarks(record, hearing))
        return Verdict(name, True, lost(record.lost), remarks=remarks, **seen)
    causes = [(t, _cause(hearing, record, t)) for t in wrong]
    swapped = _in_another_order(record, hearing.targets)
    if swapped is not None:
        causes = [(causes[0][0], swapped)]
    target, cause = next(((t, c) for t, c in causes if c.kind != "unknown"), causes[0])
    worst = worst_of(most_telling(record.wrong(target)))
    others = tuple((t.label, c) for t, c in causes if t is not target and c != cause)
    same = [t for t, c in causes if c == cause]
    if len(same) > 1 and len(same) == len(hearing.targets):
        cause = replace(cause, detail=f"{cause.detail}, in every result")
    remarks = tuple(_remarks(record, hearing))
    return Verdict(name, False, cause, target, worst, others, "", remarks, **seen)


def _cause(hearing: Hearing, record: Record, target: Target) -> Cause:
    def drawn(count: int, shift: int) -> list[Sample]:
        other = Hearing(hearing.caller, [target], hearing.kinks, hearing.seed)
        more = spread_points(hearing.program, hearing.seed + shift) if shift > 1 else ()
        for point in (*other.normal(count, shift), *more):
            other.look(other.caller.scene(point))
        return other.record.samples.get(target, [])

    try:
        with limits.within(PATIENCE * limits.left(), what="the diagnosis"):
            return _diagnosed(hearing, record, target, drawn)
    except LimitError:
        return Cause("unknown", "the time did not suffice to find the mistake (--time-limit)")


def _diagnosed(hearing: Hearing, record: Record, target: Target, drawn: Callable[[int, int], list[Sample]]) -> Cause:
    evidence = Evidence(record.generic(target), lambda: drawn(FRESH, 1), lambda: drawn(MANY, 2))
    if evidence.wrong:
        return diagnose(evidence, hearing.program, hearing.kinks, hearing.caller.differentiates)
    return diagnose_special(record.samples[target], evidence, hearing.program, hearing.kinks)


def _in_another_order(record: Record, targets: Sequence[Target]) -> Cause | None:
    """Whether the gradients of several inputs came in another order."""
    own = [t for t in targets if t.what == "gradient"]
    samples = [record.samples.get(t, []) for t in own]
    if len(own) < 2 or not all(samples):
        return None
    order = []
    for mine in samples:
        fits = [
            t.name
            for t, theirs in zip(own, samples, strict=True)
            if len(theirs) == len(mine) and all(a.explained_by(b.expected) for a, b in zip(mine, theirs, strict=True))
        ]
        if not fits:
            return None
        order.append(fits[0])
    if sorted(order) != sorted(t.name for t in own):
        return None
    return Cause(
        "shape",
        f"the gradients are returned in the order {', '.join(order)}, expected {', '.join(t.name for t in own)}",
    )


def _remarks(record: Record, hearing: Hearing) -> list[str]:
    out = []
    if record.changed:
        names = [n for _, n in hearing.caller.manner.arguments]
        out.append(f"it writes to its arguments: {', '.join(names[k] for k in record.changed)}")
    if record.hurried:
        out.append("not all points were looked at: --time-limit gives more time, --wrt asks for some inputs alone")
    if record.single:
        out.append("it returns float32 for float64 inputs, and is judged as such")
    return out
