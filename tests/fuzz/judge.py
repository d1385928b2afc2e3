"""One random formula through the whole pipeline, judged by autograd of the independent evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from symgrad.algebra.terms import Term
from symgrad.closing.closed import Gradient
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.errors import SymgradError
from symgrad.formula.program import Formula, Program
from symgrad.formula.reader import read_text
from symgrad.validate.autograd import judge_autograd, reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import Trial, bring
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.kernels import Call
from symgrad.validate.points import Point, normal_points
from symgrad.validate.precise import Precise, closed_values
from symgrad.validate.sampling import SamplingError

CLOSED = 1e-8


@dataclass(frozen=True)
class Finding:
    """What went wrong with a formula: stage (read, derive, emit, evaluate, kernel, closed, printed) and detail."""

    stage: str
    detail: str


def judge_text(text: str, seed: int = 0, points: int = 4) -> Finding | None:
    """The first thing that is wrong with the derivation of a formula, or None."""
    try:
        formula = read_text(text, "fuzzed.yaml")
    except SymgradError as e:
        return Finding("read", str(e))
    try:
        found = list(normal_points(formula.program, seed, points, 20_000))
    except (SamplingError, EvaluationError) as e:
        return Finding("evaluate", f"{type(e).__name__}: {e}")
    if not found:
        return Finding("evaluate", "no point with a finite value")
    return _judge_formula(formula, found)


def _judge_formula(formula: Formula, points: list[Point]) -> Finding | None:
    try:
        derivation = derive_formula(formula)
    except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
        return Finding("derive", _trace(e))
    wrong = _closed_forms(derivation, points)
    try:
        from symgrad.emit.package import emit_package

        trial, _ = bring(derivation, emit_package(derivation))
    except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
        return wrong or Finding("emit", _trace(e))
    return _kernels(trial, points) or wrong


def _trace(e: BaseException) -> str:
    import traceback

    last = traceback.extract_tb(e.__traceback__)[-1]
    return f"{type(e).__name__}: {e} ({last.filename.split('/symgrad/')[-1]}:{last.lineno} in {last.name})"


def _kernels(trial: Trial, points: list[Point]) -> Finding | None:
    verdict = judge_autograd(trial.program, trial.wrt, trial.kernels, points)
    if verdict.failure is not None:
        return Finding("kernel", str(verdict.failure))
    return None


def _closed_forms(derivation: Derivation, points: list[Point]) -> Finding | None:
    """Closed forms as terms, and as their text read back, against autograd."""
    from symgrad.algebra.show import show
    from symgrad.formula.expression import parse_closed

    program = derivation.program
    for g in derivation.gradients:
        definitions = [(d.name, d.indices, d.body) for d in g.where]
        extra = {d.name: d.indices for d in g.where} | cotangent_names(derivation)
        try:
            text = show(g.closed)
            again = parse_closed(text, program, g.indices, extra)
        except Exception as e:  # noqa: BLE001 - whatever it raises is the finding
            return Finding("printed", f"{g.input}: {show(g.closed)}: {_trace(e)}")
        for point in points:
            expected = reference(program, (g.input,), Call(point.inputs, point.parameters, point.upstream))
            if not np.all(np.isfinite(expected.gradients[g.input])):
                continue
            values = evaluate_program(program, point.inputs, point.parameters)
            known = {**point.inputs, **values, **point.upstream}
            for stage, term in (("closed", g.closed), ("printed", again)):
                try:
                    got = evaluate_term(term, program, known, g.indices, point.parameters, None, definitions)
                except EvaluationError as e:
                    return Finding(stage, f"{g.input}: {text}: {e}")
                wanted = expected.gradients[g.input]
                if not close(got, wanted) and not close(_precisely(g, term, program, point), wanted):
                    return Finding(stage, f"gradient of {g.input} at {point.label}: {text}: {got} != {wanted}")
    return None


def _precisely(g: Gradient, term: Term, program: Program, point: Point) -> np.ndarray:
    """A closed form in multiprecision: it may be right and leave float64's range on the way."""
    got = closed_values(replace(g, closed=term), Precise(program, point))
    return np.full(1, np.nan) if got is None else got


def cotangent_names(derivation: Derivation) -> dict[str, tuple[object, ...]]:
    """d<output> and its indices."""
    return {f"d{s.name}": s.indices for s in derivation.program.outputs if not derivation.program.is_loss}


def close(got: np.ndarray, expected: np.ndarray) -> bool:
    """Equal relative to the largest element."""
    if got.shape != expected.shape:
        return False
    size = float(np.max(np.abs(expected), initial=0.0)) + 1e-4
    return bool(np.all(np.abs(got - expected) <= CLOSED * size))
