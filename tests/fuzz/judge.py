"""One random formula through the whole pipeline, judged by autograd of the independent evaluation and by the oracle."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.algebra.terms import extent, idx
from symgrad.closing.closed import Gradient
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.document import gradient
from symgrad.emit.package import emit_package
from symgrad.errors import SymgradError
from symgrad.formula.expression import parse_closed
from symgrad.formula.program import Program
from symgrad.formula.reader import read_text
from symgrad.report.contents import derivation_notation
from symgrad.validate.autograd import _exactly, judge_autograd, reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import bring
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.kernels import Call
from symgrad.validate.kink_points import lacks_value
from symgrad.validate.points import Point, normal_points
from symgrad.validate.precise import Closed, Precise, closed_values
from symgrad.validate.printed import ReadDefinition, ReadForm
from symgrad.validate.sampling import SamplingError
from tests.fuzz import oracle

Text = Mapping[str, Any]
CLOSED = 1e-8
ORACLE_POINTS = 2
"""The oracle is slow."""


@dataclass(frozen=True)
class Finding:
    """What went wrong with a formula: stage (read, evaluate, derive, closed, printed, emit, kernel, oracle), detail."""

    stage: str
    detail: str


def judge_text(text: str, seed: int = 0, points: int = 4, path: Path = Path("fuzzed.yaml")) -> Finding | None:
    """The first thing that is wrong with the derivation of a formula, or None."""
    try:
        formula = read_text(text, str(path))
    except SymgradError as e:
        return Finding("read", str(e))
    try:
        found = list(normal_points(formula.program, seed, points, 20_000))
    except (SamplingError, EvaluationError) as e:
        return Finding("evaluate", f"{type(e).__name__}: {e}")
    if not found:
        return Finding("evaluate", "no point with a finite value")
    try:
        derivation = derive_formula(formula)
    except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
        return Finding("derive", _trace(e))
    wrong = _closed_forms(derivation, found, oracle.case_of(text, path))
    return _kernels(derivation, found) or wrong


def _trace(e: BaseException) -> str:
    last = traceback.extract_tb(e.__traceback__)[-1]
    return f"{type(e).__name__}: {e} ({last.filename.split('/symgrad/')[-1]}:{last.lineno} in {last.name})"


def _kernels(derivation: Derivation, points: list[Point]) -> Finding | None:
    try:
        trial, _ = bring(derivation, emit_package(derivation))
    except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
        return Finding("emit", _trace(e))
    verdict = judge_autograd(trial.program, trial.wrt, trial.kernels, points)
    return None if verdict.failure is None else Finding("kernel", str(verdict.failure))


def _closed_forms(derivation: Derivation, points: list[Point], case: Any) -> Finding | None:
    """Closed forms as terms, and as the text of `derive --json` read back, against autograd."""
    program = derivation.program
    wrt = tuple(g.input for g in derivation.gradients)
    judged = [(p, reference(program, wrt, Call(p.inputs, p.parameters, p.upstream))) for p in points]
    open_at = {p.label for p in points if lacks_value(program, derivation.kinks, p)}
    if case is not None:
        values = evaluate_program(program, points[0].inputs, points[0].parameters)
        said = oracle.wrong_value(case, program, points[0], values)
        if said:
            return Finding("oracle", said)
        case = None if said == "" else case
    for g in derivation.gradients:
        notation = derivation_notation(derivation)
        text = gradient(g, derivation.formula, notation)
        try:
            # the oracle looks at the text in array notation where there is one
            again = read_form(gradient(g, replace(derivation.formula, in_arrays=False), notation), program, g)
        except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
            return Finding("printed", f"{g.input}: {text['closed']} where {text['where']}: {_trace(e)}")
        finite = [(p, o.gradients[g.input]) for p, o in judged if np.all(np.isfinite(o.gradients[g.input]))]
        found = _form(g, again, text, program, finite, open_at)
        if found is None and case is not None:
            asked = [(p, v) for p, v in finite if p.label not in open_at][:ORACLE_POINTS]
            said = next((w for p, v in asked if (w := oracle.wrong_form(case, text, p, v))), None)
            found = None if said is None else Finding("oracle", f"gradient of {g.input}: {said}")
        if found is not None:
            return found
    return None


def _form(
    g: Gradient,
    again: ReadForm,
    text: Text,
    program: Program,
    judged: list[tuple[Point, np.ndarray]],
    open_at: Set[str],
) -> Finding | None:
    """One closed form and its text read back, at each point. `open_at`: where it may be 0/0 in some elements."""
    forms: list[tuple[str, Closed]] = [("closed", g)]
    if (again.closed, [d.body for d in again.where]) != (g.closed, [d.body for d in g.where]):
        forms.append(("printed", again))
    for point, expected in judged:
        wanted = expected
        for stage, form in forms:
            detail = f"gradient of {g.input} at {point.label}: {text['closed']} where {text['where']}"
            try:
                got = plainly(form, program, point)
                if close(got, wanted):
                    continue
                # it may be right and leave float64's range on the way
                exact = closed_values(form, Precise(program, point))
            except (EvaluationError, KeyError) as e:
                return Finding(stage, f"{detail}: {e}")
            if exact is not None and point.label in open_at:
                exact = np.where(np.isnan(exact), wanted, exact)
            if exact is not None and not close(exact, wanted):
                # autograd may be off by rounding itself
                noise = CLOSED * float(np.max(np.abs(wanted), initial=0.0))
                slopes = _exactly(program, point, g.input, exact, wanted, noise, 1)
                wanted = wanted if slopes is None else slopes
            if exact is None or not close(exact, wanted):
                return Finding(stage, f"{detail}: {got if exact is None else exact} != {wanted}")
    return None


def read_form(text: Text, program: Program, g: Gradient) -> ReadForm:
    """The gradient of the JSON document, by the reader of formulas."""
    indices = tuple(idx(n, extent(i)) for n, i in zip(text["indices"], g.indices, strict=True))
    shapes = {d.name: tuple(map(extent, d.indices)) for d in g.where}
    heads = {key: key.partition("[") for key in text["where"]}
    inner = {name: [n.strip() for n in rest.rstrip("]").split(",") if n.strip()] for name, _, rest in heads.values()}
    calls = {n for n, names in inner.items() if not names and shapes[n]}  # the call of a used formula
    inner = {n: names for n, names in inner.items() if n not in calls}
    known = {n: tuple(idx(i, e) for i, e in zip(names, shapes[n], strict=True)) for n, names in inner.items()}
    cotangents = {} if program.is_loss else {f"d{s.name}": s.indices for s in program.outputs}
    where = tuple(
        ReadDefinition(n, known[n], parse_closed(text["where"][key], program, known[n], cotangents | known))
        for key, (n, _, _) in heads.items()
        if n not in calls
    )
    return ReadForm(g.input, indices, parse_closed(text["closed"], program, indices, cotangents | known), where)


def plainly(form: Closed, program: Program, point: Point) -> np.ndarray:
    """A closed form in float64."""
    values = evaluate_program(program, point.inputs, point.parameters)
    known = {**point.inputs, **values, **point.upstream}
    definitions = [(d.name, d.indices, d.body) for d in form.where]
    return evaluate_term(form.closed, program, known, form.indices, point.parameters, None, definitions)


def close(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal relative to the largest element."""
    if got.shape != expected.shape:
        return False
    size = float(np.max(np.abs(expected), initial=0.0)) + 1e-4
    return bool(np.all(np.abs(got - expected) <= CLOSED * size))
