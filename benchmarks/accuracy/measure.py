"""nan, wrong zeros and mixed ulp of every peer on one case."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symgrad
from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.lambdified import lambdified
from benchmarks.accuracy.peers import Answers, Peer, peers_of
from benchmarks.accuracy.points import Data, has_rows, rows_of, single_points
from benchmarks.accuracy.truth import LEVELS, Judge, Truth, backend_of

isnan = backend_of(LEVELS[0][0]).context.isnan
DTYPES = ("float32", "float64")
PROMISED = {"float32": 8.0, "float64": 4.0}


@dataclass
class Score:
    """How one peer did in one dtype. `worst`: mixed ulp of the worst gradient or value, and where it is."""

    nan: int = 0
    zeros: int = 0
    worst: float = 0.0
    worst_gradient: float = 0.0
    where: str = ""
    curve: list[tuple[float, float]] = field(default_factory=list)
    """(largest modulus among the inputs of a point, mixed ulp of its worst gradient), for the plot."""

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "nan": self.nan,
            "zeros": self.zeros,
            "worst": _short(self.worst),
            "where": self.where,
            "worst_gradient": _short(self.worst_gradient),
        }


@dataclass
class Outcome:
    """A case: bound and scores by dtype and peer."""

    case: Case
    bound: Mapping[str, float]
    scores: dict[str, dict[str, Score]]
    points: int
    disagreements: int
    seconds: float


def measure(
    case: Case, count: int, seed: int, peers_wanted: tuple[str, ...] = (), own: Callable[..., Data] | None = None
) -> Outcome:
    """Every peer on every point of a case, in both dtypes. `own`: makes other inputs of the case's."""
    start = time.monotonic()
    result = symgrad.derive(case.formula if isinstance(case.formula, str) else dict(case.formula))
    program = result.derivation.program
    sizes = _sizes(program, case)
    with_rows = tuple(n for n in program.wrt if not case.rows or has_rows(program.input(n), program))
    wrt = case.wrt or with_rows
    judge = Judge(result.derivation, case.rows, wrt)
    places = [rows_of(program, count, sizes, seed)] if case.rows else single_points(program, 12, sizes, seed)
    if own is not None:
        places = [(own(inputs), upstream) for inputs, upstream in places]
    peers = peers_of(case, result, wrt)
    if case.rows and (not peers_wanted or "lambdify" in peers_wanted):
        sympys = lambdified(program, wrt, sizes)
        if sympys is not None:
            peers["lambdify"] = sympys
    peers = {n: p for n, p in peers.items() if not peers_wanted or n in peers_wanted}
    scores = {d: {n: Score() for n in peers} for d in DTYPES}
    disagreements = points = 0
    for inputs, upstream in places:
        if case.rows:
            n = len(next(inputs[i.name] for i in program.inputs if has_rows(i, program)))
            points += n
        else:
            points += 1
        with np.errstate(all="ignore"):
            truth = judge.at(inputs, upstream)
        disagreements += truth.disagreements
        for dtype in DTYPES:
            data, cotangents = (_cast(x, dtype) for x in (inputs, upstream))
            for name, peer in peers.items():
                _score(scores[dtype][name], truth, _ask(peer, data, cotangents), dtype, inputs, case.rows)
    bound = {d: PROMISED[d] * (1 + math.log2(case.per_terms)) for d in DTYPES}
    if case.bound is not None:
        bound = dict(zip(DTYPES, case.bound, strict=True))
    return Outcome(case, bound, scores, points, disagreements, time.monotonic() - start)


def _sizes(program: Any, case: Case) -> dict[str, int]:
    names = dict.fromkeys(str(t.data) for i in program.inputs for e in i.shape for t in _dims(e))
    return {n: case.sizes.get(n, 3 + k % 2) for k, n in enumerate(names)}


def _dims(e: Any) -> list[Any]:
    return [e] if e.op == "dim" else [d for a in e.args for d in _dims(a)]


def _cast(data: Data, dtype: str) -> Data:
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in data.items()}


def _ask(peer: Peer, inputs: Data, upstream: Data) -> Answers:
    with np.errstate(all="ignore"):
        return peer(inputs, upstream)


def _score(score: Score, truth: Truth, got: Answers, dtype: str, inputs: Data, rows: bool) -> None:
    limits, named = np.finfo(dtype), truth.named[dtype]
    for key, exact in truth.exact.items():
        if key not in got:
            continue
        answer, forgiven = np.asarray(got[key], dtype=dtype), truth.forgiven[key]
        for at in np.ndindex(exact.shape):
            true = exact[at]
            if isnan(true) or abs(true) > float(limits.max):
                continue
            value, point = answer[at], at[0] if rows and at else 0
            if not np.isfinite(value):
                score.nan += 1
                score.where = score.where or _place(key, at, value, true, inputs, rows, "nan")
            elif value == 0 and abs(true) >= max(float(limits.tiny), _slack(forgiven[at], dtype)):
                score.zeros += 1
                score.where = score.where or _place(key, at, value, true, inputs, rows, "zero")
            elif named[point]:
                ulp = _mixed(float(value), true, forgiven[at], dtype)
                if key.startswith("grad"):
                    score.curve.append((_magnitude(inputs, point, rows), ulp))
                    score.worst_gradient = max(score.worst_gradient, ulp)
                if ulp > score.worst:
                    score.worst = ulp
                    score.where = _place(key, at, value, true, inputs, rows, f"{ulp:.3g} ulp")


def _mixed(got: float, true: Any, forgiven: Any, dtype: str) -> float:
    unit = float(np.spacing(np.asarray(abs(float(true)), dtype=dtype)))
    return float(abs(got - true) / (unit + _slack(forgiven, dtype)))


def _slack(forgiven: Any, dtype: str) -> float:
    """How far an ulp of the inputs moves the truth."""
    return float(np.finfo(dtype).eps) * float(forgiven) if not isnan(forgiven) else 0.0


def _magnitude(inputs: Data, point: int, rows: bool) -> float:
    count = max((len(a) for a in inputs.values() if a.ndim), default=0)
    real = (a for a in inputs.values() if a.dtype.kind == "f")
    moduli = [np.max(np.abs(a[point] if rows and a.ndim and len(a) == count else a), initial=0) for a in real]
    return float(max(moduli, default=0))


def _place(key: str, at: Any, value: Any, true: Any, inputs: Data, rows: bool, what: str) -> str:
    here = {n: (a[at[0]] if rows and at and a.ndim and len(a) > at[0] else a) for n, a in inputs.items()}
    text = ", ".join(f"{n}={np.array2string(np.asarray(a), precision=9, separator=',')}" for n, a in here.items())
    return f"{what}: {key}{list(at)} got {value:.9g}, true {float(true):.9g} at {' '.join(text.split())[:400]}"


def _short(x: float) -> float | str:
    return float(f"{x:.3g}") if math.isfinite(x) else "inf"
