"""The check of a hand-written gradient from end to end: called, heard, and if it is wrong, its cause found.

check_gradient(derivation, callee, Options()).passed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symgrad.algebra.terms import extent, num
from symgrad.closing.derivation import Derivation
from symgrad.errors import UsageError, nearest
from symgrad.formula.program import Domain, Parameter, Program
from symgrad.handwritten.answers import LayoutError
from symgrad.handwritten.calling import Callee, Caller, Manner, arguments_of
from symgrad.handwritten.diagnosis import diagnose, diagnose_special, lost
from symgrad.handwritten.equal_sizes import equal_sizes
from symgrad.handwritten.forms import forms_of
from symgrad.handwritten.hearing import Hearing, Record, others_say
from symgrad.handwritten.hypotheses import Cause, Evidence
from symgrad.handwritten.process import TheirError
from symgrad.handwritten.samples import Sample, Target, agrees
from symgrad.handwritten.scenes import Form, Scene
from symgrad.handwritten.values import cause_of_values
from symgrad.validate.backends import EvaluationError

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


@dataclass(frozen=True)
class Worst:
    """The element that is most wrong, and what the judges say of it."""

    what: str
    name: str
    index: tuple[int, ...]
    point: str
    sizes: Mapping[str, int]
    got: float
    expected: float
    judges: Mapping[str, float]
    at: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """As a mapping of plain values."""
        return {
            "what": self.what,
            "input": self.name,
            "index": list(self.index),
            "point": self.point,
            "sizes": dict(self.sizes),
            "got": _plain(self.got),
            "expected": _plain(self.expected),
            "judges": {k: _plain(v) for k, v in self.judges.items()},
            "at": {k: _plain(v) for k, v in self.at.items()},
        }


@dataclass(frozen=True)
class Verdict:
    """What came out. `target`: what is wrong; `others`: what is wrong beside it; `theirs`: the function's exception."""

    name: str
    passed: bool
    cause: Cause | None = None
    target: Target | None = None
    worst: Worst | None = None
    others: tuple[tuple[str, Cause], ...] = ()
    theirs: str = ""
    remarks: tuple[str, ...] = ()
    points: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0

    def to_json(self) -> dict[str, object]:
        """The value of `verdict` in the document of `check --json`."""
        cause = None if self.cause is None else {"kind": self.cause.kind, "detail": self.cause.detail}
        out: dict[str, object] = {
            "passed": self.passed,
            "cause": cause,
            "worst": None if self.worst is None else self.worst.to_json(),
            "points": self.points,
            "kinds": dict(self.kinds),
        }
        if self.target is not None:
            out["of"] = self.target.label
        if self.others:
            out["others"] = [{"of": of, "kind": c.kind, "detail": c.detail} for of, c in self.others]
        if self.theirs:
            out["exception"] = self.theirs
        if self.remarks:
            out["remarks"] = list(self.remarks)
        return out


def _plain(x: float) -> float | str:
    return x if np.isfinite(x) else repr(float(x))


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
    except TheirError as error:
        return _raised(derivation, hearing, error)
    except LayoutError as error:
        return Verdict(derivation.formula.name, False, Cause("shape", str(error)), calls=caller.calls)
    return _judged(derivation, hearing, record)


def settled(program: Program, accepted: Sequence[str], given: Mapping[str, Fraction]) -> Program:
    """The program with the values of parameters that were given, and fixed those that the function cannot be told."""
    names = [p.name for p in program.parameters]
    for name in given:
        if name not in names:
            close = nearest(name, names)
            known = f"its parameters are {', '.join(names)}" if names else "it has none"
            help = f"did you mean {close}?" if close else known
            raise UsageError(f"the formula has no parameter {name}\n = help: {help}")
    return replace(
        program, parameters=tuple(_settled(p, p.name in accepted, given.get(p.name)) for p in program.parameters)
    )


def _settled(p: Parameter, accepted: bool, given: Fraction | None) -> Parameter:
    if given is None and accepted:
        return p
    v = p.value if given is None else given
    if p.dtype == "int":
        return replace(p, value=v)
    return replace(p, value=v, domain=Domain("interval", (num(v), num(v))))


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
    worst = _worst(hearing, _most_telling(record.wrong(target)))
    others = tuple((t.label, c) for t, c in causes if t is not target and c != cause)
    same = [t for t, c in causes if c == cause]
    if len(same) > 1 and len(same) == len(hearing.targets):
        cause = replace(cause, detail=f"{cause.detail}, in every result")
    remarks = tuple(_remarks(record, hearing))
    return Verdict(name, False, cause, target, worst, others, "", remarks, **seen)


def _cause(hearing: Hearing, record: Record, target: Target) -> Cause:
    def drawn(count: int, shift: int) -> list[Sample]:
        other = Hearing(hearing.caller, [target], hearing.kinks, hearing.seed)
        for point in other.normal(count, shift):
            other.look(other.caller.scene(point))
        return other.record.samples.get(target, [])

    evidence = Evidence(record.generic(target), lambda: drawn(FRESH, 1), lambda: drawn(MANY, 2))
    if evidence.wrong:
        return diagnose(evidence, hearing.program, hearing.kinks, hearing.caller.differentiates)
    return diagnose_special(record.samples[target], evidence, hearing.program, hearing.kinks)


def _most_telling(samples: Sequence[Sample]) -> Sample:
    """The sample shown: of a plain point, with the largest error in units of its gradient."""

    def error(s: Sample) -> float:
        if not s.fits:
            return 0.0
        gap = np.abs(s.got - s.expected)[s.wrong]
        return (
            float("inf") if not np.all(np.isfinite(gap)) else float(np.max(gap) / (np.max(np.abs(s.expected)) + 1e-300))
        )

    return max(samples, key=lambda s: (s.scene.point.kind == "normal", "scale 1" in s.scene.point.label, error(s)))


def _worst(hearing: Hearing, s: Sample) -> Worst | None:
    if not s.fits:
        return None
    at = s.worst
    sizes = {n: v for n, v in s.scene.dims.items() if n != "..."}
    shown = _values_at(s, at)
    judges = others_say(hearing, s)
    return Worst(
        s.target.label,
        s.target.name,
        at,
        s.scene.point.label,
        sizes,
        float(s.got[at]),
        float(s.expected[at]),
        judges,
        shown,
    )


def _values_at(s: Sample, at: tuple[int, ...]) -> dict[str, float]:
    """The inputs and names that have an element there."""
    out = {}
    axes = [extent(i) for i in s.target.form.indices]
    shapes = s.scene.program.shapes
    for n, a in s.scene.known.items():
        if list(shapes.get(n, ())) == axes and np.shape(a) == s.expected.shape:
            out[n] = float(np.asarray(a)[at])
    out |= {p: float(v) for p, v in s.scene.point.parameters.items()}
    return out


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
    if record.single:
        out.append("it returns float32 for float64 inputs, and is judged as such")
    return out


def _same(samples: list[Sample]) -> list[Sample]:
    return samples


def _raised(derivation: Derivation, hearing: Hearing, error: TheirError) -> Verdict:
    """The function raised: where it runs at equal sizes alone, what is wrong there says more."""
    if error.kind not in ("Timeout", "Crash"):
        found = _at_equal_sizes(derivation, hearing, error)
        if found is not None:
            return found
    last = str(error).splitlines()[-1]
    cause = Cause("error", f"the function raised {last}" if error.kind not in ("Timeout", "Crash") else last)
    points, calls = hearing.record.points, hearing.caller.calls
    return Verdict(derivation.formula.name, False, cause, theirs=str(error), points=points, calls=calls)


def _at_equal_sizes(derivation: Derivation, hearing: Hearing, error: TheirError) -> Verdict | None:
    """What is wrong with a function that raises where sizes differ, if it runs where they are equal."""
    other = Hearing(hearing.caller, hearing.targets, hearing.kinks, hearing.seed)
    try:
        for point in equal_sizes(hearing.program, hearing.seed):
            other.look(other.caller.scene(point))
    except (TheirError, LayoutError):
        return None
    for target in other.targets:
        wrong = other.record.wrong(target)
        if not wrong:
            continue
        seen = other.record.samples[target]
        half = len(seen) // 2
        rest = partial(_same, seen[half:])
        evidence = Evidence(seen[:half], rest, rest)
        cause = diagnose(evidence, hearing.program, hearing.kinks, hearing.caller.differentiates)
        if cause.kind not in ("unknown", "region", "precision"):
            detail = f"{cause.detail} (it runs where all sizes are equal alone)"
            worst = _worst(other, _most_telling(wrong))
            cause = replace(cause, detail=detail)
            return Verdict(
                derivation.formula.name, False, cause, target, worst, theirs=str(error), points=other.record.points
            )
    return None
